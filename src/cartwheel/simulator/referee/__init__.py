"""Plays policies in the same worlds and tells them apart."""
