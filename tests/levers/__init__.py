"""Makers of small shops and checks of levers."""
