"""Content: what a page should say, from the shop's own facts and nothing else."""

from cartwheel.levers.content.lever import Content

__all__ = ["Content"]
