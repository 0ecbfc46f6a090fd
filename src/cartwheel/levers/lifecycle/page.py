"""The console page of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cartwheel.levers.lifecycle.rhythm import (
    ORDERS_DAYS,
    SEGMENTS,
    VALUE_DAYS,
    Learned,
    Rhythm,
    Scores,
    segment,
)
from cartwheel.levers.report import Bars, Figure, Grid, Report

Array = np.ndarray[Any, Any]


def page(
    learned: Learned,
    rhythm: Rhythm,
    scores: Scores,
    test: Mapping[str, Any],
    consent: Array,
) -> Report:
    """Return segments, the test of the last 90 days and the largest values.

    Args:
        learned: Parameters and thresholds.
        rhythm: The customers.
        scores: Their scores.
        test: Result of `check_lapse`.
        consent: Who allows offers.
    """
    names = segment(learned, rhythm, scores)
    counts = [int((names == name).sum()) for name in SEGMENTS]
    worth = [float(scores.value_minor[names == name].sum()) for name in SEGMENTS]
    due = np.isin(names, ["slipping", "lapsed", "one-time"])
    silent = int((due & ~consent).sum())
    how = "BG/NBD with Gamma-Gamma" if learned.orders else "own gap"
    return Report(
        summary=(
            f"{len(rhythm.x):,} customers scored by {how}. {silent:,} who are "
            "slipping, lapsed or one-time gave no consent to e-mail "
            "and get no proposal."
        ),
        figures=_figures(test, float(scores.value_minor.sum()), consent),
        bars=(
            Bars(
                title="Customers by segment",
                unit="",
                labels=SEGMENTS,
                values=tuple(float(count) for count in counts),
            ),
            *_band_bars(test),
        ),
        grids=(
            _segment_grid(learned, counts, worth),
            _value_grid(rhythm, scores, names),
        ),
    )


def _band_bars(test: Mapping[str, Any]) -> tuple[Bars, ...]:
    bands = test.get("bands", [])
    labels = tuple(f"fifth {number + 1}" for number in range(len(bands)))
    note = "Customers in fifths by expected orders, as of 90 days ago."
    return tuple(
        Bars(
            title=f"{word} orders of the last 90 days",
            unit="",
            labels=labels,
            values=tuple(float(band[place]) for band in bands),
            note=note,
        )
        for place, word in enumerate(("Expected", "Actual"))
    )


def _segment_grid(learned: Learned, counts: list[int], worth: list[float]) -> Grid:
    meaning = {
        "new": f"first order within {learned.new_days} days, two order days at most",
        "vip": "top 5 % by revenue, three order days at least, within the own gap",
        "loyal": f"{learned.loyal_days} order days or more, within the own gap",
        "regular": "two order days or more, within the own gap",
        "slipping": "three in four of the own gaps would have ended",
        "lapsed": "nine in ten of the own gaps would have ended",
        "one-time": "one order day, no longer new",
    }
    return Grid(
        title="Segments",
        columns=("segment", "customers", f"value of {VALUE_DAYS} days", "meaning"),
        units=("", "", "minor", ""),
        rows=tuple(
            (name, count, value, meaning[name])
            for name, count, value in zip(SEGMENTS, counts, worth, strict=True)
        ),
    )


def _value_grid(rhythm: Rhythm, scores: Scores, names: Array) -> Grid:
    order = np.lexsort((rhythm.customer_id, -scores.value_minor))[:50]
    rows = tuple(
        (
            str(rhythm.customer_id[row]),
            str(names[row]),
            float(scores.expected_orders[row]),
            round(scores.value_minor[row]),
            float(scores.lapse_share[row]),
            float(rhythm.recency[row]),
        )
        for row in order.tolist()
    )
    return Grid(
        title="Customers of the largest expected value",
        columns=(
            "customer",
            "segment",
            f"orders in {ORDERS_DAYS} days",
            f"value in {VALUE_DAYS} days",
            f"no order in {ORDERS_DAYS} days",
            "last order",
        ),
        units=("", "", "", "minor", "share", "days"),
        rows=rows,
    )


def _figures(
    test: Mapping[str, Any], worth: float, consent: Array
) -> tuple[Figure, ...]:
    wait = "Needs 180 days of history, 50 customers and 20 who came back before them."
    known = test.get("exact_share")
    dates = (
        "" if known is None else f" {known:.0%} of the order days are known exactly."
    )
    past = "Fitted as of 90 days ago, compared with the 90 days since." + dates
    expected, actual = test.get("expected_orders"), test.get("actual_orders")
    auc, plain = test.get("auc"), test.get("recency_auc")
    ends = test.get("auc_gain", [None, None])
    return (
        Figure(
            label=f"Expected revenue in {VALUE_DAYS} days",
            value=worth,
            unit="minor",
            definition="Expected orders times expected order value, all customers.",
        ),
        Figure(
            label="Customers who allow offers",
            value=float(consent.mean()) if len(consent) else None,
            unit="share",
            definition="A yes to marketing e-mail and no objection to personalisation.",
            not_yet="No customer has ordered yet.",
        ),
        Figure(
            label="Orders expected for the last 90 days",
            value=expected,
            unit="",
            definition=past,
            not_yet=wait,
        ),
        Figure(
            label="Orders that came",
            value=actual,
            unit="",
            definition="Order days of the same customers.",
            not_yet=wait,
        ),
        Figure(
            label="Lapse ranking (AUC)",
            value=auc,
            unit="",
            definition="Chance that who lapsed ranks above who did not. " + past,
            not_yet=wait,
        ),
        Figure(
            label="Lapse ranking by recency alone (AUC)",
            value=plain,
            unit="",
            definition="The same customers ranked by days since the last order.",
            not_yet=wait,
        ),
        Figure(
            label="Gain over recency",
            value=None if auc is None or plain is None else auc - plain,
            unit="",
            definition="Difference of the two, 95 % bootstrap interval by customer.",
            low=ends[0],
            high=ends[1],
            not_yet=wait,
        ),
    )
