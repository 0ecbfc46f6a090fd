"""The twelve classes of objections: what keeps people from buying or makes them write.

Taken from what shops are asked and blamed for; a sentence may be in two of them. They
stand in the order in which one says more than the next.
"""

from __future__ import annotations

CLASSES: dict[str, str] = {
    "damaged": "Arrived damaged",
    "wrong_item": "Wrong or missing item",
    "shipping_cost": "Shipping cost",
    "shipping_time": "Shipping time",
    "colour_picture": "Differs from the picture",
    "size_fit": "Size and fit",
    "compatibility": "Compatibility",
    "missing_instructions": "Missing instructions",
    "quality_doubt": "Doubt about quality",
    "price": "Price",
    "service": "Service",
    "missing_information": "Missing information",
}
"""Name of each class by its code."""

MEASURED: dict[str, tuple[int, float]] = {
    "damaged": (7, 0.83),
    "wrong_item": (18, 1.00),
    "shipping_cost": (2, 1.00),
    "shipping_time": (59, 0.87),
    "colour_picture": (11, 0.75),
    "size_fit": (74, 0.85),
    "compatibility": (40, 0.89),
    "missing_instructions": (7, 0.78),
    "quality_doubt": (31, 0.61),
    "price": (7, 1.00),
    "service": (57, 0.83),
    "missing_information": (38, 0.73),
}
"""Held-out sentences of each class and how many of a hundred told were right, by
`python -m bench voice`; docs/voice.md shows the same."""
