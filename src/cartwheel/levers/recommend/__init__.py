"""Recommendations: what to show each visitor and customer."""

from cartwheel.levers.recommend.lever import Recommend

__all__ = ["Recommend"]
