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
