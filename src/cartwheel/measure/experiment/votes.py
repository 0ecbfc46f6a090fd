"""What clicks on shared lists say, read from the lake: a clicked slot is a vote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.experiment.terms import Terms
from cartwheel.measure.holdout_lift import instants

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from cartwheel.settings import Settings

Array = np.ndarray[Any, Any]

CLICKS = """SELECT decision_id, product_id, position FROM {schema}.events
    WHERE kind = 'click' AND decision_id IS NOT NULL
        AND occurred_at >= $start AND occurred_at < $end AND known_at < $end"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """Answers that both arms' rankings shared.

    Attributes:
        arm: Clicked slots that the arm's ranking picked, shape (n,).
        control: Clicked slots that the control's picked, shape (n,).
        who: Customer, or else device, or else the answer itself, (n,).
        unread: Answers whose slate cannot be read.
    """

    arm: Array
    control: Array
    who: Array
    unread: int

    @property
    def votes(self) -> int:
        """Clicked slots that one ranking picked."""
        return int((self.arm + self.control).sum())

    @property
    def people(self) -> int:
        """Customers or devices that voted."""
        return len(set(self.who[self.arm + self.control > 0].tolist()))


def read_votes(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    schema: str = "lake",
) -> Votes:
    """Return what the clicks since the start say of both rankings.

    A slot is clicked once, however often it was opened. A click that names no product
    counts by its position, but for searches, whose later pages go on counting. Answers
    of a device and of the customer who signed in on it last are one person's.

    Args:
        con: A connection to the fact tables.
        terms: The experiment's terms; its unit is "answer".
        settings: The shop's settings.
        until: Last day that counts.
        schema: Where the tables are.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    rows = con.execute(
        f"""WITH signed AS (
            SELECT visitor_id, arg_max(customer_id, (occurred_at, event_id)) AS owner
            FROM {schema}.events
            WHERE visitor_id IS NOT NULL AND customer_id IS NOT NULL AND known_at < $end
            GROUP BY visitor_id),
        clicks AS ({CLICKS.format(schema=schema)}),
        clicked AS (
            SELECT decision_id, list(DISTINCT product_id) AS products,
                list(DISTINCT position) FILTER (product_id IS NULL) AS places
            FROM clicks GROUP BY decision_id)
        SELECT slate, products, CASE WHEN placement <> 'search' THEN places END,
            coalesce('c:' || coalesce(customer_id, owner), 'v:' || visitor_id,
                'd:' || decision_id)
        FROM {schema}.answers LEFT JOIN signed USING (visitor_id)
            LEFT JOIN clicked USING (decision_id)
        WHERE lever = $lever AND arm = 'treated' AND contains(slate, '"team"')
            AND answered_at >= $start AND answered_at < $end AND known_at < $end
        ORDER BY answered_at, decision_id""",
        {"start": start, "end": end, "lever": terms.lever},
    ).fetchall()
    found: list[tuple[int, int]] = []
    who: list[str] = []
    unread = 0
    for text, products, places, person in rows:
        try:
            found.append(_counted(json.loads(text), products or (), places or ()))
        except (ValueError, TypeError, KeyError):
            unread += 1
            continue
        who.append(person)
    votes = np.array(found, float).reshape(-1, 2)
    return Votes(
        arm=votes[:, 0],
        control=votes[:, 1],
        who=np.array(who, dtype=str),
        unread=unread,
    )


def _counted(slots: Any, products: Any, places: Any) -> tuple[int, int]:
    """Return the clicked slots of the arm and those of the control."""
    gone = {name for name in products if name is not None}
    teams = [
        str(slot["team"])
        for place, slot in enumerate(slots, 1)
        if str(slot["product_id"]) in gone or place in places
    ]
    return teams.count("arm"), teams.count("control")


def clicked_answers(
    con: duckdb.DuckDBPyConnection,
    terms: Terms,
    settings: Settings,
    *,
    until: date,
    schema: str = "lake",
) -> tuple[int, int]:
    """Return how many answers of a lever were clicked, and by how many people.

    Args:
        con: A connection to the fact tables.
        terms: Terms moved into the past.
        settings: The shop's settings.
        until: Last day that counts.
        schema: Where the tables are.
    """
    start, end = instants(terms.starts_on, until, settings.timezone)
    row = con.execute(
        f"""SELECT count(DISTINCT decision_id),
            count(DISTINCT coalesce(customer_id, visitor_id, decision_id))
        FROM {schema}.answers
        WHERE lever = $lever AND arm = 'treated' AND known_at < $end
            AND answered_at >= $start AND answered_at < $end
            AND decision_id IN (SELECT decision_id FROM
                ({CLICKS.format(schema=schema)}))""",
        {"start": start, "end": end, "lever": terms.lever},
    ).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))
