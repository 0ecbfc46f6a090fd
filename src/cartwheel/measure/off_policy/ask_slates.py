"""What other ways to recommend would have earned, from the shop's logged answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.off_policy.figures import Figure, Part, Policy, Reward
from cartwheel.measure.off_policy.judged import RAN, Ask, judged
from cartwheel.measure.off_policy.questions import questions_of
from cartwheel.measure.off_policy.replay import (
    BESTSELLERS,
    NEWEST,
    OLDEST,
    SALE_ONLY,
    Answering,
    Replayed,
    filled_by,
    replay,
)
from cartwheel.measure.off_policy.slate_policies import (
    SlatePolicy,
    as_logged,
    evaluate_slates,
    greedy,
)
from cartwheel.measure.off_policy.slates import BUY_DAYS, SlateLog, slates_of
from cartwheel.measure.off_policy.value import PolicyValue
from cartwheel.signals.days import midnight_after

if TYPE_CHECKING:
    from cartwheel.shop import Shop

Array = np.ndarray[Any, Any]

LEVER = "recommend"
WINDOW_DAYS = 90
"""Days of answers looked at."""

MOST_REPLAYED = 20_000
"""Answers asked again in one look, drawn evenly; some 10 seconds on one core."""

NEVER = "never-explore"
REWARDS: tuple[Reward, ...] = ("clicked", "spent_minor")
TITLES: Mapping[str, str] = {
    RAN: "What ran",
    NEVER: "Never explore",
    SALE_ONLY: "Rank by the chance of a sale alone (margin_weight 0)",
    BESTSELLERS: "Bestsellers",
    NEWEST: "The newest model",
    OLDEST: "The oldest model kept",
}


def ask_slates(shop: Shop, on: date, *, most: int = MOST_REPLAYED) -> Part:
    """Return what other ways to fill slates would have earned.

    Args:
        shop: The shop.
        on: Last day whose facts count.
        most: Most answers asked again.
    """
    end = midnight_after(on, shop.settings.timezone)
    since = end - timedelta(days=WINDOW_DAYS)
    with shop.lake.attached(read_only=True) as con:
        log = slates_of(con, schema="lake", since=since, until=end, cutoff=end)
        n = len(log.decision_id)
        base = Part(about=LEVER, title="What to recommend", says="")
        if n == 0:
            return _nothing(base, log.left_out)
        drawn = np.zeros(n, bool)
        np.logical_or.at(drawn, log.answer, log.drawn)
        turns = answering_turns(shop, on)
        picked = _picked(np.flatnonzero(drawn), most)
        asked = questions_of(con, log, schema="lake", answers=picked, cutoff=end)
    found, left_out = replay(log, asked, turns, newest=max(turns, default=None))
    left_out = {
        **log.left_out,
        "not asked again": int(drawn.sum()) - len(picked),
        "turn not logged": len(picked) - len(asked),
        **left_out,
    }
    figures = {reward: _figures(log, found, reward) for reward in REWARDS}
    policies = tuple(
        Policy(
            name=name,
            title=TITLES[name],
            note=_note(name, found, turns),
            figures=tuple(figures[reward][name] for reward in REWARDS),
        )
        for name in TITLES
    )
    return Part(
        about=LEVER,
        title=base.title,
        says=(
            f"{n:,} answers of the {WINDOW_DAYS} days to {on}, "
            f"{int(drawn.sum()):,} of them with a last slot that was drawn at random. "
            f"Clicks are of all slots; spending is all that known customers paid for "
            f"products in the {BUY_DAYS} days after."
        ),
        policies=policies,
        would_need="" if drawn.any() else _EXPLORE,
        left_out=left_out,
    )


_EXPLORE = (
    "Nothing was drawn at random in these answers, so no other ranking can be judged "
    "from them: set levers.recommend.explore above 0."
)


def _nothing(base: Part, left_out: Mapping[str, int]) -> Part:
    kept_out = sum(left_out.values())
    why = f"no answer given to visitors was logged in {WINDOW_DAYS} days"
    if kept_out:
        told = ", ".join(f"{n:,} {name}" for name, n in left_out.items() if n)
        why = f"none of the {kept_out:,} answers logged can be used ({told})"
    return Part(
        about=base.about,
        title=base.title,
        says="",
        cannot=f"Not known: {why}.",
        would_need=(
            "Ask for recommendations through GET /v1/recommendations and send "
            f"exposures and clicks with the decision's id; an answer counts {BUY_DAYS} "
            "days later."
        ),
        left_out=left_out,
    )


def _picked(answers: Array, most: int) -> Array:
    """Return answers drawn evenly, all when they are few; rising."""
    if len(answers) <= most:
        return answers
    rng = np.random.default_rng(0)
    return np.sort(rng.choice(answers, size=most, replace=False))


def _figures(
    log: SlateLog, found: Mapping[str, Replayed], reward: Reward
) -> dict[str, Figure]:
    def plain(policy: SlatePolicy, level: float) -> PolicyValue:
        return evaluate_slates(log, policy, reward=reward, level=level)  # type: ignore[arg-type]

    def replayed(name: str, level: float) -> PolicyValue:
        part, chance = filled_by(found[name], log)
        return evaluate_slates(part, lambda _: chance, reward=reward, level=level)  # type: ignore[arg-type]

    asked: dict[str, Ask] = {
        RAN: partial(plain, as_logged),
        NEVER: partial(plain, greedy),
    }
    asked |= {name: partial(replayed, name) for name in found}
    return judged(reward, asked)


def answering_turns(shop: Shop, on: date) -> dict[int, Answering]:
    """Return the models kept of turns that were published, by turn.

    Args:
        shop: The shop.
        on: Turns that looked from a later day are left out.
    """
    from sqlalchemy import select

    from cartwheel.operations import reading, turns
    from cartwheel.turn.steps import stage_of

    query = (
        select(turns.c.number, turns.c.as_of)
        .where(turns.c.state == "published", turns.c.as_of <= on.isoformat())
        .order_by(turns.c.number)
    )
    with reading(shop.database) as con:
        rows = con.execute(query).all()
    found = {}
    for number, text in rows:
        stage = stage_of(shop, number)
        model = stage.read_model(LEVER, mapped=True)
        if model is None:
            continue
        path = stage.folder / "gate" / "excluded.json"
        as_of = date.fromisoformat(text)
        found[number] = Answering(
            model=model,
            excluded=_excluded(path),
            as_of=as_of,
            after=midnight_after(as_of, shop.settings.timezone),
        )
    return found


def _excluded(path: Any) -> frozenset[str]:
    import json

    if not path.is_file():
        return frozenset()
    return frozenset(json.loads(path.read_text(encoding="utf-8")))


def _note(
    name: str, found: Mapping[str, Replayed], turns: Mapping[int, Answering]
) -> str:
    if name == RAN:
        return "The models that answered, with what they drew to learn."
    if name == NEVER:
        return "Every slot goes to the product the model thinks best."
    rows = found[name]
    note = (
        "Of what could be drawn for the last slot it takes its best; the slots before "
        "stay as they were, since they are never drawn."
    )
    if rows.others:
        note += (
            f" It would fill those otherwise too in {rows.others:.0%} of the answers, "
            "of which the log says nothing."
        )
    if name in (NEWEST, OLDEST) and turns:
        number = max(turns) if name == NEWEST else min(turns)
        note += (
            f" Turn {number}, on questions asked after {turns[number].as_of} only: it "
            "has learned from what became of those before."
        )
    return note
