"""What the shop's terms promise about an objection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cartwheel.levers.content.wording import plain
from cartwheel.text.claims.source import Source
from cartwheel.text.sentences import sentences

TOPICS: Mapping[str, tuple[str, ...]] = {
    "shipping_time": ("shipping",),
    "shipping_cost": ("shipping",),
    "quality_doubt": ("guarantee",),
    "damaged": ("guarantee", "returns"),
    "wrong_item": ("returns", "contact"),
    "service": ("returns", "contact"),
}
"""Topics of policies that speak to an objection."""

MOST = 12
"""Sentences of a policy that a page is given; one with more is not said in part, since
an exception may stand at its end."""

TITLE_COUNTS = 3
"""Sentences that a policy's title is worth in saying what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What terms of the shop are about.

    Attributes:
        topic: Topic the shop put them under.
        title: Their title, "" for none.
    """

    topic: str
    title: str


def promises(
    objection: str,
    facts: Iterable[Source],
    policies: Mapping[str, Policy],
    starts: tuple[str, ...],
) -> list[tuple[str, str]]:
    """Return the sentences of the one policy that speaks most of the objection.

    One policy and all of it, since a sentence of terms holds in the case that those
    before it name, of goods sent back, say, and not of goods that came broken, and but
    for what those behind it except.

    Args:
        objection: Class of `CLASSES`.
        facts: Facts about the product and the shop.
        policies: What each policy is about, by its id as a fact.
        starts: Beginnings of words that speak of the objection.

    Returns:
        Each sentence with the id of its policy; none where no policy speaks of it.
    """
    topics = TOPICS.get(objection, ())
    best, most = None, 0
    for one in facts:
        about = policies.get(one.id) if one.kind == "policy" else None
        if about is None or about.topic not in topics:
            continue
        said = [
            TITLE_COUNTS * _speaks(about.title, starts),
            *(_speaks(each, starts) for each in sentences(one.text)),
        ]
        if sum(said) > most and len(said) <= MOST + 1:
            best, most = one, sum(said)
    if best is None:
        return []
    return [(each, best.id) for each in sentences(best.text)]


@lru_cache(maxsize=20_000)
def _speaks(text: str, starts: tuple[str, ...]) -> bool:
    held = f" {plain(text)}"
    return any(f" {plain(start)}" in held for start in starts)
