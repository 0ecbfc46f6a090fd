"""Levers: what learns from signals and decides, one module or package each."""
