"""Worlds that live the same days beside another, and what only they can tell."""
