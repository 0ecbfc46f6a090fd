"""What the merchant wants of a slot: pins, boosts and exclusions, at once and undoable.

A rule acts within a second on what the storefront answers, without a turn: it is the
merchant's word, not a decision of the wheel. Pins and exclusions act on everybody, held
out or not, since they are what the shop would show without the wheel too; a boost only
moves the wheel's own ranking. Rules are ended, never deleted, so that what stood on a
day can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, insert, select, update

from cartwheel.errors import Misuse, NotFound
from cartwheel.operations import merchandising, now_text, reading

KINDS = ("pin", "boost", "exclude")
PLACES = ("", "home", "category", "product", "goes_with", "cart", "thanks", "search")
"""Placements a rule may name; "" stands for every one. E-mail slates are made in a
turn: an exclusion everywhere reaches them with the next one."""

LAST_POSITION = 50
SMALLEST_FACTOR, LARGEST_FACTOR = 0.1, 5.0
"""Bounds of a boost: beyond them a product is excluded or pinned, not boosted."""

MOST_RULES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRule:
    """One rule of the merchant.

    Attributes:
        number: Its number; 0 before it is kept.
        kind: pin, boost or exclude.
        product_id: Product it is about.
        placement: Placement it acts on; "" for all.
        category: Category page it acts on, None for all.
        query: Search it acts on, lower case, None for all.
        position: Slot of a pin, from 1.
        factor: Factor of a boost; below 1 it moves a product down.
        until: Last day it acts, ISO, None without end.
        made_by: Who made it.
        made_at: Instant, UTC text.
        ended_by: Who ended it, None while it acts.
        ended_at: Instant, UTC text, None while it acts.
    """

    number: int = 0
    kind: str
    product_id: str
    placement: str = ""
    category: str | None = None
    query: str | None = None
    position: int | None = None
    factor: float | None = None
    until: str | None = None
    made_by: str = ""
    made_at: str = ""
    ended_by: str | None = None
    ended_at: str | None = None

    def acts_on(self, placement: str, category: str | None, query: str) -> bool:
        """Tell whether it acts on an answer; the query as `plain_query` writes it."""
        return (
            self.placement in ("", placement)
            and self.category in (None, category)
            and self.query in (None, query)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """What the rules say about one answer.

    Attributes:
        pins: Product by slot, from 1.
        boosts: Factor by product.
        excluded: Products not to be shown.
    """

    pins: Mapping[int, str] = field(default_factory=dict)
    boosts: Mapping[str, float] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()


NO_RULES = PageRules()


def plain_query(query: str) -> str:
    """Return a search as it is compared: lower case, single spaces."""
    return " ".join(query.lower().split())


def rules_for(
    rules: Iterable[ShopRule], placement: str, category: str | None, query: str
) -> PageRules:
    """Return what the rules in force say about one answer.

    An exclusion wins over a pin; of two pins of one slot or product, and of two boosts,
    the later rule wins.
    """
    pins: dict[int, str] = {}
    boosts: dict[str, float] = {}
    excluded: set[str] = set()
    asked = plain_query(query)
    for rule in rules:
        if not rule.acts_on(placement, category, asked):
            continue
        if rule.kind == "exclude":
            excluded.add(rule.product_id)
        elif rule.kind == "boost":
            boosts[rule.product_id] = float(rule.factor or 1.0)
        else:
            pins = {at: name for at, name in pins.items() if name != rule.product_id}
            pins[int(rule.position or 1)] = rule.product_id
    if not (pins or boosts or excluded):
        return NO_RULES
    return PageRules(
        pins={at: name for at, name in pins.items() if name not in excluded},
        boosts=boosts,
        excluded=frozenset(excluded),
    )


def check_rule(rule: ShopRule) -> ShopRule:
    """Return the rule as it is kept.

    Raises:
        Misuse: Naming the value that does not fit and what does.
    """
    if rule.kind not in KINDS:
        raise Misuse(f"The rule is {rule.kind[:50]!r}.", f"Use one of {list(KINDS)}.")
    if rule.placement not in PLACES:
        raise Misuse(
            f"The placement is {rule.placement[:50]!r}.",
            f"Use one of {[name for name in PLACES if name]}, or none for all.",
        )
    if not 1 <= len(rule.product_id) <= 200:
        raise Misuse("No product is named.", "Name the product's id.")
    if rule.kind == "pin" and not 1 <= (rule.position or 0) <= LAST_POSITION:
        raise Misuse(
            f"The slot is {rule.position}.", f"Use a number from 1 to {LAST_POSITION}."
        )
    factor = rule.factor or 0.0
    if rule.kind == "boost" and not SMALLEST_FACTOR <= factor <= LARGEST_FACTOR:
        raise Misuse(
            f"The factor is {rule.factor}.",
            f"Use a number from {SMALLEST_FACTOR} to {LARGEST_FACTOR}; to hide a "
            "product exclude it, to place it pin it.",
        )
    if rule.until is not None:
        _check_day(rule.until)
    query = plain_query(rule.query or "")[:200] or None
    if query is not None and rule.placement not in ("", "search"):
        raise Misuse(
            f"The search {query[:50]!r} is named for the placement {rule.placement}.",
            "Name a search only for the placement search.",
        )
    return ShopRule(
        kind=rule.kind,
        product_id=rule.product_id,
        placement="search" if query else rule.placement,
        category=rule.category or None,
        query=query,
        position=rule.position if rule.kind == "pin" else None,
        factor=rule.factor if rule.kind == "boost" else None,
        until=rule.until,
    )


def _check_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f"The last day is {text[:50]!r}.", "Use a day such as 2026-12-31."
        ) from None


def add_rule(engine: Engine, rule: ShopRule, actor: str) -> int:
    """Keep a rule and return its number; it acts within a second.

    Raises:
        Misuse: If a value does not fit, or there are too many rules.
    """
    kept = check_rule(rule)
    with reading(engine) as con:
        open_rules = con.execute(
            select(func.count()).where(merchandising.c.ended_at.is_(None))
        ).scalar_one()
    if open_rules >= MOST_RULES:
        raise Misuse(
            f"{MOST_RULES:,} rules are in force.", "End some that are not needed."
        )
    values = {name: getattr(kept, name) for name in _KEPT}
    with engine.begin() as con:
        made = con.execute(
            insert(merchandising).values(**values, made_by=actor, made_at=now_text())
        )
    key: Any = made.inserted_primary_key
    return int(key[0])


def end_rule(engine: Engine, number: int, actor: str) -> None:
    """End a rule; it is kept for the record.

    Raises:
        NotFound: If no rule of this number is in force.
    """
    with engine.begin() as con:
        ended = con.execute(
            update(merchandising)
            .where(merchandising.c.number == number)
            .where(merchandising.c.ended_at.is_(None))
            .values(ended_by=actor, ended_at=now_text())
        )
    if ended.rowcount == 0:
        raise NotFound(
            f"No rule {number} is in force.", "See the rules on the page Merchandising."
        )


def today_in(timezone: str) -> str:
    """Return the day it is in a time zone, ISO."""
    return datetime.now(ZoneInfo(timezone)).date().isoformat()


def rules_in_force(engine: Engine, day: str) -> tuple[ShopRule, ...]:
    """Return the rules that act on a day, oldest first.

    Args:
        engine: The operational database.
        day: Day in the shop's time zone, ISO.
    """
    query = (
        select(merchandising)
        .where(merchandising.c.ended_at.is_(None))
        .order_by(merchandising.c.number)
    )
    with reading(engine) as con:
        rows = con.execute(query).mappings().all()
    found = (ShopRule(**dict(row)) for row in rows)
    return tuple(rule for rule in found if rule.until is None or rule.until >= day)


def ended_rules(engine: Engine, limit: int = 50) -> tuple[ShopRule, ...]:
    """Return rules that were ended, newest first."""
    query = (
        select(merchandising)
        .where(merchandising.c.ended_at.is_not(None))
        .order_by(merchandising.c.ended_at.desc())
        .limit(limit)
    )
    with reading(engine) as con:
        rows = con.execute(query).mappings().all()
    return tuple(ShopRule(**dict(row)) for row in rows)


def excluded_everywhere(rules: Iterable[ShopRule]) -> frozenset[str]:
    """Return products excluded on every placement."""
    return frozenset(
        rule.product_id
        for rule in rules
        if rule.kind == "exclude"
        and rule.placement == ""
        and rule.category is None
        and rule.query is None
    )


_KEPT = (
    "kind",
    "product_id",
    "placement",
    "category",
    "query",
    "position",
    "factor",
    "until",
)
