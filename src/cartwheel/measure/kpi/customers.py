"""Repeat rate, lifetime value, CAC payback and NPS: what customers come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartwheel.measure.kpi.definition import Kpi
from cartwheel.measure.kpi.looks import AGAIN_DAYS, COHORT_DAYS, YEAR_DAYS
from cartwheel.measure.kpi.margin import known_share, margin_sql
from cartwheel.measure.kpi.since import early
from cartwheel.measure.kpi.workroom import Step, in_force

if TYPE_CHECKING:
    from cartwheel.measure.kpi.definition import Gaps
    from cartwheel.measure.kpi.workroom import Workroom

KNOWN_SHARE = 0.9
"""Share of a cohort's revenue whose costs must be known for a payback to be said."""
MONTHS = 12


def _ads(room: Workroom) -> str:
    """Return SQL of advertising in a cohort's days: its share of each campaign's cost.

    A campaign spends evenly from its beginning to its end; one without an end on the
    day it began.
    """
    versions = room.versions(
        "campaigns", "campaign_id, medium, started_at, ended_at, cost_minor"
    )
    return (
        f"WITH ad AS ({versions}) SELECT seen.look, campaign_id, started_at, "
        "cost_minor, CASE WHEN ended_at IS NULL OR ended_at <= started_at THEN "
        "cost_minor ELSE cost_minor * date_diff('second', greatest(started_at, "
        "year_from), least(ended_at, year_to)) // greatest(date_diff('second', "
        "started_at, ended_at), 1) END AS spent_minor FROM ad JOIN kpi_look AS seen "
        f"ON {in_force('ad', 'seen')} WHERE lower(medium) = 'ads' AND started_at < "
        "year_to AND CASE WHEN ended_at IS NULL OR ended_at <= started_at THEN "
        "started_at >= year_from ELSE ended_at > year_from END"
    )


STEPS: dict[str, Step] = {
    "ad": Step(needs=(), sql=_ads),
}


def _repeat_rows(room: Workroom) -> str:
    room.need("again", "order_version")
    later = room.local_day("own.placed_at")
    first = room.local_day("who.first_at")
    return (
        "SELECT who.look, 'customer' AS what, who.customer_id AS id, who.customer_id "
        "AS owner, who.first_at AS happened_at, any_value(own.order_id ORDER BY "
        "own.placed_at, "
        "own.order_id) AS about, CAST(count(own.order_id) > 0 AS INT) AS top, "
        "1 AS bottom FROM kpi_again AS who JOIN kpi_look AS seen USING (look) "
        "LEFT JOIN kpi_order_version AS own ON own.customer_id = who.customer_id AND "
        f"{in_force('own', 'seen')} AND own.status <> 'cancelled' AND {later} > "
        f"{first} "
        f"AND own.placed_at < who.first_at + to_days({AGAIN_DAYS}) "
        "GROUP BY who.look, who.customer_id, who.first_at"
    )


def _repeat_gaps(room: Workroom) -> Gaps:
    what = f"who came back within {AGAIN_DAYS} days"
    return early(room, lambda look: AGAIN_DAYS + look.window_days, what)


def _value_rows(room: Workroom) -> str:
    room.need("year", "year_sold", "year_refund")
    return (
        "SELECT look, 'customer' AS what, customer_id AS id, 'customer ' || "
        "customer_id AS owner, first_at AS happened_at, NULL AS about, 0 AS top, 1 AS "
        "bottom "
        "FROM kpi_year UNION ALL SELECT look, 'sold', order_id || ' ' || line_id, "
        "'customer ' || customer_id, placed_at, variant_id, paid_minor, 0 "
        "FROM kpi_year_sold UNION ALL SELECT look, 'refund', refund_id || ' ' || "
        "line_id, 'customer ' || customer_id, refunded_at, variant_id, "
        "-amount_minor, 0 FROM kpi_year_refund"
    )


def _value_gaps(room: Workroom) -> Gaps:
    return early(room, lambda look: YEAR_DAYS + COHORT_DAYS, "a first year")


def _payback_rows(room: Workroom) -> str:
    room.need("ad", "year_sold", "year_refund", "year_back", "cost")
    return (
        "SELECT look, 'campaign' AS what, campaign_id AS id, NULL AS owner, "
        f"started_at AS happened_at, NULL AS about, {MONTHS} * spent_minor AS top, "
        "0 AS bottom FROM kpi_ad UNION ALL "
        "SELECT look, what, id, owner, happened_at, about, 0, top "
        f"FROM ({margin_sql(room, 'year_')})"
    )


def _payback_gaps(room: Workroom) -> Gaps:
    known = room.by_look(
        "SELECT look, true FROM kpi_look AS seen WHERE EXISTS (SELECT 1 FROM "
        f"{room.schema}.campaigns AS ad WHERE lower(medium) = 'ads' AND "
        "ad.known_at < seen.end_at)"
    )
    found = early(room, lambda look: YEAR_DAYS + COHORT_DAYS, "a first year")
    for look in room.looks:
        if look.number not in known:
            found[look.number] = (
                "Not yet: no advertising is known. Import campaigns with medium ads "
                "and their cost."
            )
    spent = room.by_look(
        "SELECT look, (count(*), count(*) FILTER (cost_minor IS NULL), "
        "sum(spent_minor)) FROM kpi_ad GROUP BY look",
        "ad",
    )
    shares = known_share(room, "year_sold")
    for look in room.looks:
        if look.number in found:
            continue
        ads, unknown, total = spent.get(look.number, (0, 0, 0))
        share = shares.get(look.number) or 0.0
        if not ads or (not unknown and not total):
            found[look.number] = (
                "Not yet: no advertising of the days that these customers were first "
                "seen in is known."
            )
        elif unknown:
            found[look.number] = (
                f"Not yet: {unknown} of {ads} advertising campaigns of these days have "
                "no cost. Import it with campaigns."
            )
        elif share < KNOWN_SHARE:
            found[look.number] = (
                f"Not yet: unit costs are known for {share:.0%} of these customers' "
                f"revenue, {KNOWN_SHARE:.0%} are needed. Import costs."
            )
    return found


def _score_rows(room: Workroom) -> str:
    """Return SQL of answers 0 to 10: messages in by medium `nps`, a number alone."""
    return (
        "SELECT look, 'answer' AS what, message_id AS id, coalesce('customer ' || "
        "customer_id, 'message ' || message_id) AS owner, sent_at AS happened_at, "
        "CAST(score AS VARCHAR) AS about, CASE WHEN score >= 9 THEN 1 "
        "WHEN score <= 6 THEN -1 ELSE 0 END AS top, 1 AS bottom FROM (SELECT *, "
        f"try_cast(trim(body) AS INT) AS score FROM {room.schema}.messages "
        "WHERE direction = 'in' AND lower(medium) = 'nps' AND "
        "regexp_full_match(trim(body), '[0-9]{1,2}')) JOIN kpi_look ON "
        "sent_at >= start_at AND sent_at < end_at AND known_at < end_at "
        "WHERE score BETWEEN 0 AND 10"
    )


def _no_gaps(room: Workroom) -> Gaps:
    return {}


REPEAT_RATE = Kpi(
    name="repeat_rate",
    label="Repeat rate",
    unit="share",
    definition=(
        f"Customers who ordered again on a later day within {AGAIN_DAYS} days of their "
        "first order, of all whose first order fell into the window that ended "
        f"{AGAIN_DAYS} days ago."
    ),
    tables=("orders",),
    better="higher",
    kind="share",
    top="ordered_again",
    bottom="customers",
    rows=_repeat_rows,
    gaps=_repeat_gaps,
    nothing="Not yet: nobody's first order fell into these days.",
    owners="customers",
)
LIFETIME_VALUE = Kpi(
    name="lifetime_value",
    label="Lifetime value, first year",
    unit="minor",
    definition=(
        f"Paid for products in the {YEAR_DAYS} days from a customer's first order, "
        "less refunds, per customer whose first order fell into the "
        f"{COHORT_DAYS} days that ended {YEAR_DAYS} days ago; observed, not predicted."
    ),
    tables=("orders", "order_lines", "refunds"),
    better="higher",
    kind="amount",
    top="net_revenue_minor",
    bottom="customers",
    rows=_value_rows,
    gaps=_value_gaps,
    nothing="Not yet: nobody's first order fell into these days.",
    owners="customers",
)
CAC_PAYBACK = Kpi(
    name="cac_payback",
    label="CAC payback",
    unit="months",
    definition=(
        "Advertising cost per new customer over the contribution margin a new customer "
        "brings in a month of the first year; both of the customers whose first order "
        f"fell into the {COHORT_DAYS} days that ended {YEAR_DAYS} days ago."
    ),
    tables=("campaigns", "orders", "order_lines", "costs", "refunds", "returns"),
    better="lower",
    kind="fixed",
    top="months_times_spend_minor",
    bottom="first_year_margin_minor",
    rows=_payback_rows,
    gaps=_payback_gaps,
    nothing="Not yet: these customers' first year earned no margin.",
    owners="customers",
    most=float(MONTHS),
    too_large="Not yet: the first year's margin of these customers has not paid for "
    "the advertising that won them.",
)
NET_PROMOTER_SCORE = Kpi(
    name="net_promoter_score",
    label="Net promoter score",
    unit="points",
    definition=(
        "Share of answers 9 and 10 less share of answers 0 to 6 to “how likely are you "
        "to recommend us”, in points; answers are messages in by the medium nps."
    ),
    tables=("messages",),
    better="higher",
    kind="ratio",
    top="promoters_less_detractors",
    bottom="answers",
    rows=_score_rows,
    gaps=_no_gaps,
    nothing="Not yet: nobody's answer from 0 to 10 is known in these days. Import "
    "messages with medium nps; stars of reviews answer another question.",
    owners="customers",
    scale=100,
)
