"""Signals: named typed tables made from the lake or written by levers."""
