"""A twin in which everybody is in one holdout: the shop as it would be without a lever.

It is what a shop would get by setting that holdout to everybody, and nothing else:
whoever is recognised is left alone, whoever is not is answered as anybody, and all
other decisions are repeated as they were made.
"""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.gate.base import Candidate
from cartwheel.measure.assign import looker_of
from cartwheel.simulator.arms.actions import carry_out, left_alone, own_mail, sold_out
from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.plain import BLAST_DAYS
from cartwheel.simulator.arms.wheel import ONLINE, Wheel, agreed_of


class EverybodyHeld:
    """A wheel's decisions of the day, less what one holdout keeps from its units.

    Args:
        wheel: The wheel as it ran the same day before this one does.
        lever: Lever whose own holdout everybody is in; None for the wheel's.
    """

    def __init__(self, wheel: Wheel, lever: str | None) -> None:
        self.name = f"everybody held out of {lever or 'the wheel'}"
        self._wheel, self._lever = wheel, lever
        self._sold_out: frozenset[str] = frozenset()

    @property
    def answers(self) -> bool:
        """Pages are answered otherwise in it."""
        return self._lever in (None, ONLINE)

    def spares(self, candidate: Candidate) -> bool:
        """Tell whether the holdout keeps a decision back, whoever it is about."""
        if self._lever is None:
            return candidate.subject_type == "customer"
        units = ("customer", "product", "variant")
        return candidate.lever == self._lever and candidate.subject_type in units

    def morning(self, shop: ShopView) -> Actions:
        """Repeat what was decided this morning, less what is kept back."""
        self._sold_out = sold_out(shop)
        agreed = agreed_of(c for c in self._wheel.passed if not self.spares(c))
        actions = Actions()
        if self._wheel.turned_on == shop.day:
            # As the wheel's own shelves stood, so that orders go to the same places.
            actions = carry_out(agreed, self._wheel.articles)
        if shop.day % BLAST_DAYS != 1:
            return actions
        return Actions(
            prices_minor=actions.prices_minor,
            purchases=actions.purchases,
            mails=[*actions.mails, *own_mail(shop, left_alone(agreed))],
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Answer pages as the wheel would, leaving alone whom it recognises."""
        held = [self._held_out(page) for page in pages]
        return self._wheel.answer(pages, held, self._sold_out)

    def _held_out(self, page: Page) -> bool:
        if not self.answers:
            return self._wheel.held_out(page)
        model = self._wheel.online
        return looker_of(page.customer, page.visitor, model=model) is not None
