"""Cartwheel: a self-hosted AI flywheel for online stores."""

from __future__ import annotations

__version__ = "0.1.0"
