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
    "damaged": (3, 0.50),
    "wrong_item": (18, 0.77),
    "shipping_cost": (0, 0.00),
    "shipping_time": (112, 0.90),
    "colour_picture": (15, 0.47),
    "size_fit": (93, 0.87),
    "compatibility": (57, 0.76),
    "missing_instructions": (10, 0.62),
    "quality_doubt": (48, 0.62),
    "price": (6, 1.00),
    "service": (83, 0.92),
    "missing_information": (80, 0.80),
}
"""Held-out sentences of each class and how many of a hundred told were right, by
`python -m bench voice`; docs/voice.md shows the same."""
