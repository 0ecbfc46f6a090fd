"""A twin in which nobody is reached: what a shop does for everybody, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cartwheel.simulator.arms.actions import sold_out
from cartwheel.simulator.arms.base import Actions, Page, Policy, ShopView
from cartwheel.simulator.arms.plain import BLAST_DAYS, blast


class Reaching(Policy, Protocol):
    """A policy that reaches people; says whom it leaves alone and what they would get.

    Attributes:
        done: What it did this morning.
    """

    done: Actions

    def held_out(self, page: Page) -> bool:
        """Tell whether it answers a page as the holdout is."""
        ...

    def answer_left_alone(
        self, pages: Sequence[Page], sold_out: frozenset[str]
    ) -> list[list[str]]:
        """Return what it would show if every visitor were in the holdout.

        Args:
            pages: Pages of the twin.
            sold_out: Products the twin has nothing of.
        """
        ...


class NobodyReached:
    """A shop's prices and purchases of the day, with every person left alone.

    Everybody gets the weekly mail and the lists of the holdout; nobody gets an offer.

    Args:
        shop: The policy as it ran the same day before this one does.
    """

    name = "nobody reached"

    def __init__(self, shop: Reaching) -> None:
        self._shop = shop
        self._sold_out: frozenset[str] = frozenset()

    def morning(self, shop: ShopView) -> Actions:
        """Repeat what was done for everybody this morning."""
        self._sold_out = sold_out(shop)
        return Actions(
            prices_minor=self._shop.done.prices_minor,
            purchases=self._shop.done.purchases,
            mails=blast(shop) if shop.day % BLAST_DAYS == 1 else (),
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Answer every page with the plain rule."""
        return self._shop.answer_left_alone(pages, self._sold_out)
