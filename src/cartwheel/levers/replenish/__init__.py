"""Replenishment: what to order, when and how much."""

from cartwheel.levers.replenish.lever import Replenish

__all__ = ["Replenish"]
