"""Forecast: what will be sold, with intervals."""

from cartwheel.levers.forecast.lever import Forecast

__all__ = ["Forecast"]
