"""Texts as vectors: alike in meaning, close in direction. Optional, and offline."""
