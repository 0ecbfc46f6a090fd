"""What takes part in a test of page fixes: products with a fix, by kind of fix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from cartwheel.measure.experiment.page_tests import is_page_test
from cartwheel.measure.experiment.store import Record
from cartwheel.measure.experiment.trial import TREATED
from cartwheel.operations import decisions, reading, turns, visitor_fixes
from cartwheel.signals.days import midnight_after

if TYPE_CHECKING:
    from sqlalchemy import Engine

KIND = "page_fix"
HELD_OUT, REFUSED = "held_out", "refused"
MENDED = ("approved", "applied", "reverted")
"""States of a fix that stands or stood on its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A product in a test.

    Attributes:
        product_id: Product.
        objection: Objection that its fix answers.
        form: What the fix is called.
        fixed: Its page was to be mended; else it was left alone.
        since: First instant that counts.
    """

    product_id: str
    objection: str
    form: str
    fixed: bool
    since: datetime


def fix_experiments(records: Sequence[Record], on: date) -> list[Record]:
    """Return the tests of page fixes that began before a day ended.

    Args:
        records: Experiments on record.
        on: Day looked from.
    """
    return [
        one for one in records if is_page_test(one.terms) and one.terms.starts_on <= on
    ]


def last_day(record: Record) -> date | None:
    """Return the last day of a test; None where it was stopped before any look."""
    if record.state == "running":
        return record.terms.ends_on
    if record.standing is None:
        return None
    return min(record.terms.ends_on, date.fromisoformat(record.standing["day"]))


def enrolled(
    engine: Engine, record: Record, *, timezone: str, on: date
) -> list[Enrolled]:
    """Return the products of a test as the ledger knows them, by id.

    A product counts as it was first drawn, whatever the owner then said: who was asked
    for is random, who agreed is not. Left out are pages that were mended before, and
    products that the lever's own holdout leaves alone.

    Args:
        engine: Operational database.
        record: The test, by product.
        timezone: Zone of the shop's days.
        on: Day looked from; what turns of later days decided is not looked at.
    """
    query = (
        select(
            decisions.c.subject, decisions.c.state, decisions.c.action, turns.c.as_of
        )
        .join(turns, turns.c.number == decisions.c.turn)
        .where(decisions.c.kind == KIND, decisions.c.state != REFUSED)
        .order_by(decisions.c.turn, decisions.c.position)
    )
    with reading(engine) as con:
        rows = con.execute(query).all()
    trial = record.terms.trial()
    found: dict[str, Enrolled] = {}
    passed: set[str] = set()
    for row in rows:
        looked = date.fromisoformat(row.as_of)
        acts, product = looked + timedelta(days=1), row.subject.partition(":")[2]
        if looked > on or product in found:
            continue
        arm = trial.arm_of(acts, product=product)
        if arm is None:
            if row.state in MENDED and acts < record.terms.starts_on:
                passed.add(product)
            continue
        if product in passed or (row.state == HELD_OUT and arm == TREATED):
            continue
        action = json.loads(row.action)
        found[product] = Enrolled(
            product_id=product,
            objection=str(action["objection"]),
            form=str(action["form"]),
            fixed=arm == TREATED,
            since=midnight_after(looked, timezone),
        )
    return sorted(found.values(), key=lambda one: one.product_id)


def shown_kinds(engine: Engine, record: Record) -> dict[str, tuple[str, str]]:
    """Return objection and form of the fix that a test by visitor shows, by product.

    It is the newest that was delivered to visitors before the test began, else the
    first one after.

    Args:
        engine: Operational database.
        record: The test, by visitor.
    """
    query = (
        select(decisions.c.subject, decisions.c.action, visitor_fixes.c.at)
        .join(visitor_fixes, visitor_fixes.c.decision_id == decisions.c.id)
        .where(decisions.c.kind == KIND)
        .order_by(visitor_fixes.c.at, decisions.c.id)
    )
    with reading(engine) as con:
        rows = con.execute(query).all()
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        product = row.subject.partition(":")[2]
        if product not in record.terms.products:
            continue
        if product in found and row.at >= record.created_at:
            continue
        action = json.loads(row.action)
        found[product] = (str(action["objection"]), str(action["form"]))
    return dict(sorted(found.items()))
