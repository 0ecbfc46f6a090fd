"""What a unit sold earns the shop once it is sent.

The signal `margin` knows goods and returns. What sending an order costs is in no fact;
the owner says it once (`costs.parcel_minor`). Without it every order seems to be sent
for nothing, and cheap goods fill slots though they earn less than they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cartwheel.signals.base import Signals
from cartwheel.signals.margin import MARGIN

if TYPE_CHECKING:
    import pandas as pd


def earned(data: Signals, variants: Sequence[str]) -> pd.DataFrame:
    """Return the signal `margin` for variants, a row each, with parcels paid.

    Column `sending_minor` is a unit's share of a parcel, 0 where what a parcel costs is
    unknown; `margin_minor` has it taken off and stays null where it is unknown.
    """
    rows = data.align(MARGIN, list(variants))
    parcel = data.context.parcel_minor or 0
    sending = (rows["parcel_share"].astype(float) * parcel).round()
    return rows.assign(
        sending_minor=sending, margin_minor=rows["margin_minor"] - sending
    )
