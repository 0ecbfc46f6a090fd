"""Tests by place: whole countries or regions get the arm or are left alone.

Places are few and unlike each other, so neighbours in what their customers spent
before the start are paired, and a stable coin says which of the two is left alone. What
differs between pairs then does not count, and what customers of one place share is in
the spread between pairs: the interval is one of pairs, not of customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse
from cartwheel.measure.assign import in_holdout
from cartwheel.measure.experiment.comparison import LEVEL, Comparison

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

LEAST_PLACES = 12
"""Places below which a test is refused: six pairs."""

LEAST_PAIRS = 4.0
"""Pairs' worth of evidence below which a few large pairs decide: no interval then."""

LEAST_CUSTOMERS = 10
"""Customers a place needs to take part; fewer say nothing of it."""

MORE = " / "
"""Stands between a country and a region."""


def place_of(country: str | None, region: str | None) -> str | None:
    """Return a customer's place: the region where it is known, else the country."""
    named = [text.strip() for text in (country, region) if text and text.strip()]
    return MORE.join(named) or None


def places_of(
    con: duckdb.DuckDBPyConnection, schema: str, end: datetime
) -> dict[str, str]:
    """Return each customer's place as known before an instant; unknown ones left out.

    Args:
        con: A connection to the fact tables.
        schema: Where they are.
        end: The instant, naive UTC.
    """
    rows = con.execute(
        f"""SELECT customer_id, country, region FROM {schema}.customers
        WHERE known_at < ? QUALIFY row_number() OVER (PARTITION BY customer_id
            ORDER BY known_at DESC, imported_at DESC, content_hash DESC) = 1
        ORDER BY customer_id""",
        [end],
    ).fetchall()
    found = {str(name): place_of(country, region) for name, country, region in rows}
    return {name: place for name, place in found.items() if place is not None}


def paired(customers: Mapping[str, int], spent: Mapping[str, float]) -> tuple[str, ...]:
    """Return places in pairs: each two that follow one another are alike.

    Args:
        customers: Customers by place.
        spent: What they spent before, all together, by place.

    Raises:
        Misuse: If fewer than `LEAST_PLACES` places have enough customers.
    """
    fit = [name for name, n in customers.items() if n >= LEAST_CUSTOMERS]
    if len(fit) < LEAST_PLACES:
        raise Misuse(
            f"{len(fit)} places have {LEAST_CUSTOMERS} customers or more; a test by "
            f"place needs {LEAST_PLACES}.",
            "Draw by customer; or import countries and regions of more customers.",
        )
    # Of an odd number the smallest stays out.
    fit.sort(key=lambda name: (-customers[name], name))
    fit = fit[: len(fit) // 2 * 2]
    fit.sort(key=lambda name: (-spent.get(name, 0.0) / customers[name], name))
    return tuple(fit)


def is_treated(place: str, places: Sequence[str], salt: str) -> bool | None:
    """Tell whether the lever acts in a place; None where it takes no part.

    Args:
        place: The place.
        places: Those enrolled, in pairs.
        salt: Salt of the experiment.
    """
    try:
        at = places.index(place)
    except ValueError:
        return None
    first = in_holdout(f"pair {at // 2}", 0.5, salt)
    return first == (at % 2 == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What the customers of each place brought; n places in pairs.

    Attributes:
        names: Places, those of a pair one after the other.
        treated: Whether the lever acts there, bool, shape (n,).
        customers: Customers, (n,).
        total: What they brought together, (n,).
    """

    names: tuple[str, ...]
    treated: Array
    customers: Array
    total: Array


def compare_places(
    found: Places, *, metric: str, names: tuple[str, str], level: float = LEVEL
) -> Comparison:
    """Return what the arm did per customer, from pairs of places.

    A pair's difference counts by its customers. Its pairs' worth of evidence stands for
    the number of pairs, so that one large pair does not pass for many.

    Args:
        found: What the places brought.
        metric: Name of the metric.
        names: Names of the control and of the arm.
        level: Share of intervals that hold the truth.

    Raises:
        Misuse: If the pairs are worth fewer than `LEAST_PAIRS`.
        ValueError: If pairs do not differ at all.

    References:
        Imai, King and Nall (2009), "The essential role of pair matching in
        cluster-randomized experiments", eq. 12 and 14, weights by customers; degrees of
        freedom by Kish's effective number of pairs less 1.
    """
    from scipy.stats import t

    mean = found.total / found.customers
    arm = np.where(found.treated[::2], mean[::2], mean[1::2])
    control = np.where(found.treated[::2], mean[1::2], mean[::2])
    size = (found.customers[::2] + found.customers[1::2]).astype(float)
    weight = size / size.sum()
    pairs = float(1 / (weight**2).sum())
    if pairs < LEAST_PAIRS:
        raise Misuse(
            f"{metric}: {len(size)} pairs of places are worth {pairs:.1f} of equal "
            f"size; {LEAST_PAIRS:g} are needed.",
            "A few places hold most customers: draw by customer instead.",
        )
    difference = arm - control
    effect = float(weight @ difference)
    count = len(size)
    squares = float((weight**2) @ (difference - effect) ** 2)
    error = float(np.sqrt(squares * count / (count - 1)))
    if not error > 0:
        raise ValueError(f"{metric}: all pairs of places differ alike")
    degrees = pairs - 1
    reach = float(t.ppf((1 + level) / 2, degrees)) * error
    base = float(weight @ control)
    whole = base if base > 0 else None
    return Comparison(
        metric=metric,
        control=names[0],
        arm=names[1],
        control_value=base,
        arm_value=float(weight @ arm),
        effect=effect,
        low=effect - reach,
        high=effect + reach,
        error=error,
        p_value=float(2 * t.sf(abs(effect / error), degrees)),
        method="paired places",
        n=2 * count,
        level=level,
        relative=None if whole is None else effect / whole,
        relative_low=None if whole is None else (effect - reach) / whole,
        relative_high=None if whole is None else (effect + reach) / whole,
    )
