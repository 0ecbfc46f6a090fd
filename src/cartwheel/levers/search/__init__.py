"""Search: what a shopper looks for, in words."""

from cartwheel.levers.search.lever import Search

__all__ = ["Search"]
