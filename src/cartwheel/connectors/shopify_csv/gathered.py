"""What the readers of the exports gather, cells they cannot read kept aside."""

from __future__ import annotations

from datetime import datetime

from cartwheel.connectors import gathered
from cartwheel.connectors.shopify_csv.exports import Export

UNDATED = datetime(1970, 1, 1)
"""Since when an undated price or cost counts; a changed one counts from its import."""


class Gathered(gathered.Gathered):
    """What has been read so far. Filled by one reader after the other."""

    def refuse_faults(self, export: Export) -> None:
        """Keep aside every row of an export with an unreadable cell."""
        for at, (_, label, value, reason) in export.faults.items():
            self.refuse(export.row(at), label, value, reason)
