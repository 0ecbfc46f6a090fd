"""Prices: what to charge, promote and mark down."""

from cartwheel.levers.price.lever import Price

__all__ = ["Price"]
