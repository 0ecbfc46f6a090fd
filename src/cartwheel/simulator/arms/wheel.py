"""The product itself as a policy: fact tables in; signals, levers, gate; actions out.

It runs the pure core of the turn, the very code a shop runs. Once a week it learns and
decides, or decides daily by what it learned last; every page in between is answered by
the published model. The shop's own
calendar of promotions and its weekly mail stay, as in a real shop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from cartwheel.gate.base import MESSAGE_KINDS, Candidate, Verdict
from cartwheel.gate.context import excluded_products, make_context
from cartwheel.gate.order import pass_gate
from cartwheel.levers.base import Model, OnlineLever, State
from cartwheel.measure.assign import looker_held_out
from cartwheel.settings import Costs, Holdout, PinnedSettings
from cartwheel.signals.base import beside
from cartwheel.signals.engine import when_of
from cartwheel.signals.prepared import PreparedSignals
from cartwheel.signals.registry import LAKE_SIGNALS
from cartwheel.simulator.arms.actions import (
    Agreed,
    answer_page,
    carry_out,
    draw_of,
    left_alone,
    own_mail,
    sold_out,
)
from cartwheel.simulator.arms.base import Actions, Article, Page, ShopView
from cartwheel.simulator.arms.plain import BLAST_DAYS
from cartwheel.turn.core import LeverRun, context_of, turn_core
from cartwheel.wheel import ARROW, find_kinds, find_levers, order_levers

if TYPE_CHECKING:
    import pyarrow as pa

    from cartwheel.levers.base import Lever

TURN_DAYS = 7
NOTHING_AHEAD = {"customer_slates": 0, "product_lists": 0}
ONLINE = "recommend"
ZONE = "UTC"


class Wheel:
    """The product in a world.

    Args:
        name: Name of the arm.
        currency: The shop's currency.
        parcel_minor: What sending an order costs, which any owner knows.
        cuts: Links that are cut.
        seed: Seed of every turn.
        levers: The levers; None for those installed.
        turn_days: Days from turn to turn.
        learn_days: Days after which a turn learns anew; between, the last healthy
            models decide on fresh signals.
        holdout_bps: Share of customers held out, in basis points; None for the
            product's own.
        lever_bps: Share that one lever alone leaves alone, by lever; None for nobody,
            as arms are compared with each other.
        made_ahead: Make lists of recommendations ahead of being asked, as a shop does;
            pages in a world ask for theirs, so nothing there depends on it but time.
        options: Options of levers, by lever, beside the product's own.
    """

    def __init__(
        self,
        name: str,
        *,
        currency: str,
        parcel_minor: int | None = None,
        cuts: frozenset[str],
        seed: int,
        levers: Mapping[str, Lever] | None = None,
        turn_days: int = TURN_DAYS,
        learn_days: int = TURN_DAYS,
        holdout_bps: int | None = None,
        lever_bps: Mapping[str, int] | None = None,
        made_ahead: bool = True,
        options: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.name = name
        self._levers = dict(find_levers() if levers is None else levers)
        self._cuts = cuts
        self._seed = seed
        own: dict[str, dict[str, Any]] = {
            # Stock is looked at as often as there is a turn.
            "replenish": {"review_days": turn_days},
            **({} if made_ahead else {"recommend": dict(NOTHING_AHEAD)}),
        }
        for lever, values in (options or {}).items():
            own[lever] = {**own.get(lever, {}), **values}
        self._turn_days, self._learn_days = turn_days, learn_days
        self._settings = PinnedSettings(
            currency=currency,
            timezone=ZONE,
            levers=own,
            costs=Costs(parcel_minor=parcel_minor),
            holdout=Holdout(levers=dict(lever_bps or {}))
            if holdout_bps is None
            else Holdout(share_bps=holdout_bps, levers=dict(lever_bps or {})),
        )
        self._signals: PreparedSignals | None = None
        self._healthy: dict[str, Model] = {}
        self._lagged: dict[str, pa.Table] = {}
        self._online: Model | None = None
        self._excluded: frozenset[str] = frozenset()
        self._sold_out: frozenset[str] = frozenset()
        self._offers: list[tuple[int, str]] = []
        self._alone: frozenset[str] = frozenset()
        self._next_turn = self._next_lesson = 0
        self._day = 0
        self.runs: dict[str, LeverRun] = {}
        self.verdict: Verdict | None = None
        self.done = Actions()
        self.shown: Counter[str] = Counter()
        self.turned_on: int | None = None
        self.articles: Sequence[Article] = ()

    @property
    def holdout(self) -> Holdout:
        """Who is left alone."""
        return self._settings.holdout

    @property
    def online(self) -> Model | None:
        """The published model that answers pages."""
        return self._online

    @property
    def passed(self) -> Sequence[Candidate]:
        """Decisions of the last turn that were carried out."""
        return () if self.verdict is None else self.verdict.passed

    def morning(self, shop: ShopView) -> Actions:
        """Turn the wheel when it is due, and send the shop's own weekly mail."""
        self.done = self._decide(shop)
        return self.done

    def _decide(self, shop: ShopView) -> Actions:
        self._day = shop.day
        self._sold_out = sold_out(shop)
        actions = Actions()
        if shop.day >= self._next_turn:
            self._next_turn = shop.day + self._turn_days
            actions = self._turn(shop)
        if shop.day % BLAST_DAYS != 1:
            return actions
        # Who is to be left alone is not in the weekly mail either.
        mails = own_mail(shop, self._alone)
        return Actions(
            prices_minor=actions.prices_minor,
            purchases=actions.purchases,
            mails=[*actions.mails, *mails],
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Answer each page from the published model, as the API does."""
        held = [self.held_out(page) for page in pages]
        found = self.answer(pages, held, self._sold_out)
        for slate in found:
            self.shown.update(slate)
        return found

    def held_out(self, page: Page) -> bool:
        """Tell whether a page is answered as the holdout is."""
        return looker_held_out(
            page.customer, page.visitor, model=self._online, holdout=self.holdout
        )

    def answer_left_alone(
        self, pages: Sequence[Page], sold_out: frozenset[str]
    ) -> list[list[str]]:
        """Return what each page would show if its visitor were in the holdout.

        Args:
            pages: Pages of today.
            sold_out: Products of which there is nothing where they are shown.
        """
        return self.answer(pages, [True] * len(pages), sold_out)

    def answer(
        self, pages: Sequence[Page], held: Sequence[bool], sold_out: frozenset[str]
    ) -> list[list[str]]:
        """Return what each page shows.

        Args:
            pages: Pages of today.
            held: Whether each is answered as the holdout is.
            sold_out: Products of which there is nothing where they are shown.
        """
        model = self._online
        if model is None:
            return [[] for _ in pages]
        lever = cast(OnlineLever, self._levers[ONLINE])
        excluded = self._excluded | sold_out
        return [
            answer_page(
                lever,
                model,
                page,
                holdout=left,
                excluded=excluded,
                rng=draw_of(page, seed=self._seed, day=self._day),
            )
            for page, left in zip(pages, held, strict=True)
        ]

    def _turn(self, shop: ShopView) -> Actions:
        when = when_of(shop.today - timedelta(days=1), ZONE)
        facts = shop.facts.connection  # written up to last night by being asked for
        if self._signals is None:
            self._signals = PreparedSignals(facts, ZONE, cuts=_lake_cuts(self._cuts))
        learn = shop.day >= self._next_lesson
        if learn:
            self._next_lesson = shop.day + self._learn_days
        with self._signals.day(when) as made:
            tables = beside(self._lagged, made)
            runs = turn_core(
                order_levers(self._levers),
                tables,
                context_of(self._settings, when),
                cuts=self._cuts,
                previous=self._healthy,
                seed=self._seed,
                pages=False,
                learn=learn,
            )
            self.runs = runs
            for name, run in runs.items():
                if run.state is State.HEALTHY and run.model is not None:
                    self._healthy[name] = run.model
            self._keep_lagged(runs)
            self._gate(runs, tables)
        return self._act(shop)

    def _keep_lagged(self, runs: Mapping[str, LeverRun]) -> None:
        names = {
            signal.name
            for lever in self._levers.values()
            for signal in lever.writes
            if signal.lagged
        }
        for run in runs.values():
            self._lagged.update(
                {name: table for name, table in run.emitted.items() if name in names}
            )

    def _gate(self, runs: Mapping[str, LeverRun], tables: Mapping[str, Any]) -> None:
        candidates = [
            Candidate(lever=name, decision=decision, body=decision.canonical())
            for name, run in runs.items()
            for decision in run.decisions
        ]
        recent = Counter(name for day, name in self._offers if day > self._day - 30)
        context = make_context(self._settings, find_kinds(self._levers), tables, recent)
        self.verdict = pass_gate(candidates, context)
        self._excluded = frozenset(excluded_products(context))
        run = runs.get(ONLINE)
        if run is not None and run.model is not None:
            self._online = run.model

    def _act(self, shop: ShopView) -> Actions:
        """Carry out what passed the gate, as an owner does who says yes to all."""
        agreed = agreed_of(self.passed)
        self._alone = left_alone(agreed)
        self._offers += [
            (self._day, c.subject_id)
            for c in self.passed
            if c.decision.kind in MESSAGE_KINDS
        ]
        self.turned_on, self.articles = shop.day, shop.articles()
        return carry_out(agreed, self.articles)


def agreed_of(passed: Iterable[Candidate]) -> list[Agreed]:
    """Return decisions that passed the gate as an owner agrees to them: all."""
    return [
        Agreed(kind=c.decision.kind, subject_id=c.subject_id, action=c.decision.action)
        for c in passed
    ]


def _lake_cuts(cuts: frozenset[str]) -> frozenset[str]:
    """Return the cuts between signals; those at a lever do not change a signal."""
    return frozenset(c for c in cuts if c.partition(ARROW)[2] in LAKE_SIGNALS)
