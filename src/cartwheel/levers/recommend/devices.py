"""Whose device it is, as arrays of a published model; numpy only: looked up per answer.

Who is left alone must be left alone on their own device too, signed in or not. So these
arrays hold the devices of people who object to personalisation as well: nothing of what
they did is kept with them, and nothing is chosen by them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.recommend.reader import numbers
from cartwheel.signals.base import Signals
from cartwheel.signals.interest import IDENTITY

Array = np.ndarray[Any, Any]

DEVICE, OWNER = "device", "device_owner"
"""Arrays of a model: device ids, sorted, and the customer of each."""


def device_arrays(data: Signals) -> dict[str, Array]:
    """Return devices and their customers; none when the link `identity` is cut."""
    known = data.frame(IDENTITY)
    device = known["visitor_id"].to_numpy().astype(str)
    owner = known["customer_id"].to_numpy().astype(str)
    order = np.argsort(device, kind="stable")
    return {DEVICE: device[order], OWNER: owner[order]}


def owner_of(model: Model, device: str) -> str | None:
    """Return the customer a device belongs to, None when the model does not say.

    A model of before this was published, or a third party's, may hold no devices.
    """
    devices = model.arrays.get(DEVICE)
    if devices is None:
        return None
    found = numbers(devices, [device])
    return str(model.arrays[OWNER][found[0]]) if len(found) else None
