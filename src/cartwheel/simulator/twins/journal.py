"""What a shop would have on record of a wheel in a world, for its ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from cartwheel.measure.earnings.record import Act, Record, Turn
from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.wheel import ONLINE, Wheel


class Journal:
    """A wheel as it is; its turns, acts and first answers are written down.

    Args:
        wheel: The wheel; it must not have played before.
    """

    def __init__(self, wheel: Wheel) -> None:
        self.name, self.done = wheel.name, wheel.done
        self._wheel = wheel
        self._turns: list[Turn] = []
        self._acts: list[Act] = []
        self._answered: dict[int, date] = {}
        self._today = date.min

    @property
    def record(self) -> Record:
        """Turns and acts so far; nobody looked at a decision."""
        return Record(turns=tuple(self._turns), acts=tuple(self._acts), looked_at=())

    @property
    def answers(self) -> list[tuple[str, int, date]]:
        """Lever, turn and day of the first answer of each turn to somebody reached."""
        return [(ONLINE, turn, day) for turn, day in self._answered.items()]

    def morning(self, shop: ShopView) -> Actions:
        """Return the wheel's morning; write down a turn."""
        self.done = self._wheel.morning(shop)
        self._today = shop.today
        if self._wheel.turned_on == shop.day:
            self._note(shop.today)
        return self.done

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Return the wheel's answers; write down the first to somebody reached."""
        number = len(self._turns)
        if number and number not in self._answered:
            model = self._wheel.online
            reached = (not self._wheel.held_out(page) for page in pages)
            if model is not None and any(reached):
                self._answered[number] = self._today
        return self._wheel.slates(pages)

    def held_out(self, page: Page) -> bool:
        """Tell whether a page is answered as the holdout is."""
        return self._wheel.held_out(page)

    def answer_left_alone(
        self, pages: Sequence[Page], sold_out: frozenset[str]
    ) -> list[list[str]]:
        """Return what each page would show if its visitor were in the holdout."""
        return self._wheel.answer_left_alone(pages, sold_out)

    def _note(self, today: date) -> None:
        wheel, number = self._wheel, len(self._turns) + 1
        as_of = today - timedelta(days=1)
        holdout = wheel.holdout
        self._turns.append(
            Turn(
                number=number,
                as_of=as_of,
                published_at=f"{today.isoformat()}T00:00:00",
                states={name: run.state.value for name, run in wheel.runs.items()},
                share=holdout.share_bps / 10_000,
                lever_shares={k: v / 10_000 for k, v in holdout.levers.items()},
                salt=holdout.salt,
                cuts=frozenset(),
            )
        )
        counts = Counter(
            (c.lever, c.decision.kind, c.subject_type == "customer")
            for c in wheel.passed
        )
        self._acts += [
            Act(
                turn=number,
                lever=lever,
                kind=kind,
                customers=customers,
                day=today,
                count=count,
                worth_minor=None,
                cost_minor=0.0,
            )
            for (lever, kind, customers), count in sorted(counts.items())
        ]
