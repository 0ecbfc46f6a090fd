"""Support: answers shoppers from the shop's own texts, or hands over to a person."""

from cartwheel.levers.support.lever import Support

__all__ = ["Support"]
