"""A proposal: an objection to a product, and what could be said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cartwheel.levers.base import Prediction
from cartwheel.levers.content.credit import Credit
from cartwheel.levers.content.draft import Draft
from cartwheel.levers.content.drafting import PAGE, Written
from cartwheel.text.claims import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An objection to a product, and what could be said about it.

    Attributes:
        product_id: Product.
        objection: Class of `CLASSES`.
        page: Row of the signal `listing`.
        facts: Facts about the product and the shop.
        draft: What could be added to the page, None where no fact answers.
        mentions: Texts that raise the objection.
        texts: Reviews and messages about the product.
        returned_units: Units that came back for it.
        stake_minor: Money at stake a year, None where unknown.
        low_minor: Lower end of its 95 % interval.
        high_minor: Upper end.
        quotes: Customers' words that raise it, masked.
        blocked: What the claim check kept out of the draft, with its reason.
        written: How the draft came about; None where no text service was asked.
        purpose: What the draft is for, as a text service is told.
        credit: What tests told of fixes of this kind, None where nobody tested one.
        usual: Share by which it is ranked where nobody did.
    """

    product_id: str
    objection: str
    page: Mapping[str, Any]
    facts: tuple[Source, ...]
    draft: Draft | None
    mentions: int
    texts: int
    returned_units: int
    stake_minor: int | None
    low_minor: int | None
    high_minor: int | None
    quotes: tuple[str, ...]
    blocked: tuple[tuple[str, str], ...]
    written: Written | None = None
    purpose: str = PAGE
    credit: Credit | None = None
    usual: float = 1.0

    @property
    def harm(self) -> str:
        """What a test told that such a fix does harm to, "" for nothing."""
        return "" if self.credit is None else self.credit.harm

    @property
    def saved(self) -> Prediction | None:
        """What it takes back a year, None where the stake or the share is unknown."""
        if self.credit is None or self.stake_minor is None:
            return None
        low = self.stake_minor if self.low_minor is None else self.low_minor
        high = self.stake_minor if self.high_minor is None else self.high_minor
        return self.credit.saved(self.stake_minor, low, high)

    @property
    def rank_minor(self) -> int | None:
        """Amount by which it stands among others; no prediction where none is told."""
        if self.stake_minor is None:
            return None
        share = self.usual if self.credit is None else self.credit.share
        return round(self.stake_minor * share)
