"""Lifecycle: whom to write to, when, with which offer."""

from cartwheel.levers.lifecycle.lever import Lifecycle

__all__ = ["Lifecycle"]
