"""Experiments: design, checks before a verdict, effects with intervals."""
