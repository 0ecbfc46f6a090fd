"""The ledger of earnings: the whole wheel first, then every lever.

An entry is the difference to units that a stable hash leaves alone: customers by the
wheel's holdout or by a lever's own, products by the price lever's. Nothing here adds
up: a lever's figure holds what it does through others, and the wheel's holds all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cartwheel.measure.earnings.baseline import (
    WINDOW_DAYS,
    beside,
    daily_figures,
    read_baselines,
)
from cartwheel.measure.earnings.costs import labour, net_of, tools
from cartwheel.measure.earnings.figures import (
    WHEEL,
    BeforeAfter,
    Cost,
    Entry,
    Ledger,
    LinkEarned,
    Range,
)
from cartwheel.measure.earnings.kinds import (
    DRAWN,
    count_kinds,
    kinds_of,
    measure_draws,
)
from cartwheel.measure.earnings.links import Tested, link_earned, link_tests
from cartwheel.measure.earnings.measured import Measured, group_of, measure_group
from cartwheel.measure.earnings.record import Record, read_record
from cartwheel.measure.earnings.units import Facts, facts_of, first_answers
from cartwheel.measure.earnings.window import (
    Window,
    acted_on,
    first_acts,
    unit_of,
    window_of,
)
from cartwheel.measure.earnings.words import Words, not_yet, nothing, verdict
from cartwheel.measure.experiment.correct import holm
from cartwheel.measure.experiment.sequential import FEWEST
from cartwheel.operations import pages, reading

if TYPE_CHECKING:
    from cartwheel.shop import Shop

ALPHA = 0.05
WHEEL_TITLE = "The whole wheel"


def earnings(
    shop: Shop, on: date, *, overview: Mapping[str, Any] | None = None
) -> Ledger:
    """Return what the wheel and each lever earned, as known at the end of a day.

    Costs, currency and time zone are the shop's present ones; who was left alone is
    what each turn was pinned with.

    Args:
        shop: The shop.
        on: Last day that counts; nothing known later changes a figure.
        overview: The overview a turn is about to publish; by default that of the
            newest turn published by the day.
    """
    record = read_record(shop.database, on)
    told = _overview(shop, record) if overview is None else overview
    with facts_of(shop, on) as facts:
        answers = first_answers(facts, on)
        book = _Book(
            shop=shop,
            on=on,
            facts=facts,
            record=record,
            acted=first_acts(record, answers),
            answering=frozenset(lever for lever, _, _ in answers),
            overview=told,
            tested=link_tests(shop.database, on),
            after={},
        )
        drafts = [book.wheel(), *(book.lever(name) for name in book.names())]
        return Ledger(on=on.isoformat(), entries=tuple(book.judged(drafts)))


def _overview(shop: Shop, record: Record) -> Mapping[str, Any]:
    """Return the overview of the newest turn that still has one."""
    query = select(pages.c.turn, pages.c.body).where(
        pages.c.name == "overview",
        pages.c.turn.in_([turn.number for turn in record.turns][-20:]),
    )
    with reading(shop.database) as con:
        rows = con.execute(query.order_by(pages.c.turn.desc()).limit(1)).all()
    found: Mapping[str, Any] = json.loads(rows[0].body) if rows else {}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """Everything the entries rest on."""

    shop: Shop
    on: date
    facts: Facts
    record: Record
    acted: Mapping[str, date]
    answering: frozenset[str]
    overview: Mapping[str, Any]
    tested: Mapping[str, Tested]
    after: dict[int, Mapping[str, Range]]

    @property
    def write(self) -> Words:
        return Words.of(self.shop.settings)

    @property
    def titles(self) -> dict[str, str]:
        levers = self.overview.get("levers") or []
        return {str(x["name"]): str(x.get("title") or x["name"]) for x in levers}

    def names(self) -> list[str]:
        """Levers with a holdout of their own, then others that acted or were tested."""
        own = list(self.shop.settings.holdout.levers)
        others = {*self.acted, *(terms.lever for terms, _ in self.tested.values())}
        return [*own, *sorted(others - set(own))]

    def wheel(self) -> Entry:
        """Return the entry of the whole wheel, judged later."""
        acted = acted_on(self.record, self.acted, None, self.answering)
        draft = Entry(lever=WHEEL, title=WHEEL_TITLE, unit="customer")
        if acted is None:
            text = nothing(WHEEL, turned=bool(self.record.turns))
            return replace(draft, not_yet=text)
        draft = replace(draft, since=acted.isoformat())
        window = window_of(self.record, acted, self.on, None)
        if window is None:
            why = "nobody is left alone by every lever (holdout.share_bps)"
            return replace(draft, not_yet=f"Not yet: {why}.")
        costs = (
            tools(self.shop.settings.costs, window.days),
            labour(
                self.shop.settings.costs, self.record, None, window.first, window.last
            ),
        )
        return self._filled(draft, window, None, costs)

    def lever(self, name: str) -> Entry:
        """Return a lever's entry, judged later."""
        unit = unit_of(self.record, name, self.answering)
        title = self.titles.get(name, name.capitalize())
        draft = Entry(lever=name, title=title, unit=unit)
        acted = acted_on(self.record, self.acted, name, self.answering)
        if acted is None:
            draft = replace(
                draft, not_yet=nothing(name, turned=bool(self.record.turns))
            )
            return replace(draft, links=self._links(name, None))
        draft = replace(draft, since=acted.isoformat())
        window = window_of(self.record, acted, self.on, name)
        if window is None:
            why = "nobody was left alone by it, or the holdout's salt changed"
            if self.shop.settings.holdout.levers.get(name, 0) == 0:
                why = (
                    "it has no holdout of its own (holdout.levers), so there is "
                    "nothing to compare with"
                )
            return replace(
                draft, not_yet=f"Not yet: {why}.", links=self._links(name, None)
            )
        costs = (
            labour(
                self.shop.settings.costs, self.record, name, window.first, window.last
            ),
        )
        filled = self._filled(draft, window, name, costs)
        counted = count_kinds(self.record, name, window)
        engine = self.shop.database
        drawn = {
            kind: measure_draws(self.facts, engine, self.record, window, kind)
            for kind in counted
            if kind in DRAWN
        }
        kinds = kinds_of(
            counted,
            filled.money,
            drawn,
            self.write,
            # A lever that answers does more than what it decided in its turns.
            alone=len(counted) == 1 and name not in self.answering,
        )
        return replace(filled, kinds=kinds, links=self._links(name, window))

    def judged(self, drafts: Sequence[Entry]) -> Iterable[Entry]:
        """Yield entries with net and verdict; levers are corrected together."""
        levers = [x for x in drafts if x.lever != WHEEL and x.p_watched is not None]
        adjusted = holm([x.p_watched for x in levers if x.p_watched is not None])
        sure = {x.lever: float(p) for x, p in zip(levers, adjusted, strict=True)}
        for draft in drafts:
            if draft.money is None:
                yield draft
                continue
            watched = draft.money_watched
            decided = watched is not None and watched.off_zero
            decided &= sure.get(draft.lever, draft.p_watched or 0.0) < ALPHA
            full = replace(draft, net=net_of(draft.money, draft.costs))
            said = verdict(full, self.write, decided=decided)
            open_ = not_yet(full.needed, full.unit, self.write, why=_why_open(full))
            yield replace(full, verdict=said, not_yet="" if decided else open_)

    def _filled(
        self, draft: Entry, window: Window, lever: str | None, costs: tuple[Cost, ...]
    ) -> Entry:
        group = group_of(self.facts, window, draft.unit, lever)
        seen = measure_group(self.facts, group, draft.unit, window.before, self.on)
        waits = not_yet(
            seen.needed, draft.unit, self.write, why=seen.why, thin=seen.thin
        )
        return replace(
            draft,
            first=window.first.isoformat(),
            days=window.days,
            basis=seen.basis,
            reached=seen.reached,
            held_out=seen.held_out,
            moved=seen.moved,
            effect=seen.effect,
            money=seen.money,
            money_watched=seen.money_watched,
            p_value=None if seen.found is None else seen.found.p_value,
            p_watched=None if seen.watched is None else seen.watched.p_value,
            costs=costs,
            offered_minor=self._offered(lever, window),
            not_yet="" if seen.found is not None else waits,
            needed=seen.needed,
            before_after=self._before_after(draft.lever, window, seen),
        )

    def _offered(self, lever: str | None, window: Window) -> float:
        return sum(
            act.cost_minor
            for act in self.record.acts
            if act.customers
            and lever in (None, act.lever)
            and window.first <= act.day <= window.last
        )

    def _before_after(
        self, lever: str, window: Window, seen: Measured
    ) -> tuple[BeforeAfter, ...]:
        """Return before and after, nothing where no holdout figure stands beside."""
        if seen.found is None:
            return ()
        frozen = read_baselines(self.shop.database, self.on)
        if lever == WHEEL:
            rows = sorted(frozen.values(), key=lambda one: one[0])
        else:
            rows = [frozen[lever]] if lever in frozen else []
        if not rows:
            return ()
        days = min(WINDOW_DAYS, window.days)
        if days not in self.after:
            self.after[days] = daily_figures(self.facts, self.on, days)
        return beside(rows[0][1], self.after[days])

    def _links(self, lever: str, window: Window | None) -> tuple[LinkEarned, ...]:
        rows = self.overview.get("links") or []
        turns = () if window is None else window.turns
        return tuple(
            link_earned(
                str(row["name"]),
                lever,
                cut=sum(row["name"] in turn.cuts for turn in turns),
                turns=len(turns),
                tested=self.tested.get(str(row["name"])),
            )
            for row in rows
            if row.get("to") == lever
        )


def _why_open(entry: Entry) -> str:
    """Return why an entry with a figure is not decided."""
    if entry.money is None or not entry.money.off_zero:
        return "the interval holds zero"
    if entry.money_watched is None:
        return (
            f"read at every turn, a figure needs {FEWEST} {entry.unit}s in each group; "
            f"{min(entry.reached, entry.held_out):,} are in the smaller"
        )
    if not entry.money_watched.off_zero:
        return (
            "the interval leaves zero out at this look, but not the one that holds at "
            "every turn's look together"
        )
    return (
        "several levers are judged together, and one of them may well look like this "
        "by luck"
    )
