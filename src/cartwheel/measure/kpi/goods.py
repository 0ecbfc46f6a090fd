"""Return rate, stock-out rate and sell-through: how goods fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartwheel.measure.kpi.definition import Kpi
from cartwheel.measure.kpi.since import partial
from cartwheel.measure.kpi.workroom import Step, in_force

if TYPE_CHECKING:
    from cartwheel.measure.kpi.definition import Gaps
    from cartwheel.measure.kpi.workroom import Workroom


def _counts(room: Workroom) -> str:
    """Return SQL of the counts in force: the last before the window, those in it.

    A change is what a count adds to the one before at its place, so that running sums
    by variant are its stock over all places.
    """
    levels = f"{room.schema}.inventory_levels"
    # Most counts lie before the window, and what a look sees before it the next one
    # sees too: each count is taken once, by the first look that sees it so.
    first = (
        f"greatest({room.first_look('counted_at', 'start_at')}, "
        f"{room.first_look('known_at', 'end_at')})"
    )
    newest = "(counted_at, known_at, imported_at, content_hash)"
    before = (
        "SELECT seen.look, variant_id, location_id, seen.start_at AS happened_at, "
        f"arg_max(units, newest) AS units FROM (SELECT {first} AS first_look, "
        f"variant_id, location_id, arg_max(available_units, {newest}) AS units, "
        f"max({newest}) AS newest FROM {levels} WHERE counted_at < "
        "(SELECT max(start_at) FROM kpi_look) GROUP BY ALL) AS early "
        "JOIN kpi_look AS seen ON seen.look >= first_look GROUP BY ALL"
    )
    inside = (
        "SELECT seen.look, variant_id, location_id, counted_at, units FROM ("
        + room.versions(
            "inventory_levels",
            "variant_id, location_id, counted_at, available_units AS units",
            "counted_at >= (SELECT min(start_at) FROM kpi_look)",
        )
        + ") AS level JOIN kpi_look AS seen ON counted_at >= seen.start_at AND "
        f"counted_at < seen.end_at AND {in_force('level', 'seen')}"
    )
    return (
        "SELECT look, variant_id, location_id, happened_at, units - "
        "coalesce(lag(units) OVER ("
        "PARTITION BY look, variant_id, location_id ORDER BY happened_at), 0) AS "
        "change "
        f"FROM ({before} UNION ALL {inside})"
    )


def _stock(room: Workroom) -> str:
    """Return SQL of counted days, days sold out and what is left, by variant.

    The stock of a day is the one at its end; a count holds until the next.
    """
    return (
        "WITH state AS (SELECT look, variant_id, happened_at, location_id, "
        f"{room.local_day('happened_at')} AS day, sum(change) OVER (PARTITION BY look, "
        "variant_id ORDER BY happened_at, location_id ROWS UNBOUNDED PRECEDING) AS "
        "units "
        "FROM kpi_level), "
        "held AS (SELECT look, variant_id, units, happened_at, location_id, day, "
        "coalesce("
        "lead(day) OVER (PARTITION BY look, variant_id ORDER BY happened_at, "
        "location_id), "
        "as_of + 1) - day AS days FROM state JOIN kpi_look USING (look)) "
        "SELECT look, variant_id, CAST(sum(held.days) AS BIGINT) AS known_days, "
        "CAST(coalesce(sum(held.days) FILTER (units <= 0), 0) AS BIGINT) AS out_days, "
        "CAST(greatest(arg_max(units, (happened_at, location_id)), 0) AS BIGINT) AS "
        "left_units "
        "FROM held GROUP BY look, variant_id"
    )


def _shown(room: Workroom) -> str:
    """Return SQL of variants whose product is a draft or archived, by look."""
    variants = room.versions("variants", "variant_id, product_id")
    products = room.versions("products", "product_id, status")
    return (
        f"WITH kind AS ({variants}), article AS ({products}), "
        "off AS (SELECT look, product_id, seen.end_at FROM article JOIN kpi_look AS "
        f"seen ON {in_force('article', 'seen')} WHERE status IN ('draft', 'archived')) "
        "SELECT off.look, kind.variant_id FROM off JOIN kind ON "
        f"kind.product_id = off.product_id AND {in_force('kind', 'off')} "
        "UNION SELECT look, product_id FROM off"
    )


STEPS: dict[str, Step] = {
    "level": Step(needs=(), sql=_counts),
    "stock": Step(needs=("level",), sql=_stock),
    "hidden": Step(needs=(), sql=_shown),
}


def _return_rows(room: Workroom) -> str:
    room.need("sold", "back")
    return (
        "SELECT look, 'sold' AS what, order_id || ' ' || line_id AS id, owner, "
        "placed_at AS happened_at, variant_id AS about, 0 AS top, units AS bottom "
        "FROM kpi_sold UNION ALL SELECT look, what, id || ' ' || line_id, owner, "
        "happened_at, "
        "variant_id, units, 0 FROM kpi_back"
    )


def _return_gaps(room: Workroom) -> Gaps:
    """Say which looks know of no return at all: none known is not none there."""
    known = room.query(
        "SELECT min(known_at) FROM (SELECT known_at FROM kpi_return_version "
        "UNION ALL SELECT known_at FROM kpi_refund_version)",
        "return_version",
        "refund_version",
    )[0][0]
    unseen = {
        look.number: "Not yet: neither a return nor a refund is known. Import returns "
        "or refunds."
        for look in room.looks
        if known is None or known >= look.end_at
    }
    return {**unseen, **partial(room)}


def _stock_rows(room: Workroom) -> str:
    room.need("stock", "hidden")
    return (
        "SELECT look, 'variant' AS what, variant_id AS id, variant_id AS owner, "
        "end_at AS happened_at, variant_id AS about, out_days AS top, known_days AS "
        "bottom "
        "FROM kpi_stock JOIN kpi_look USING (look) "
        "ANTI JOIN kpi_hidden USING (look, variant_id) WHERE known_days > 0"
    )


def _through_rows(room: Workroom) -> str:
    room.need("stock", "sold")
    return (
        "SELECT stock.look, 'variant' AS what, stock.variant_id AS id, "
        "stock.variant_id AS owner, end_at AS happened_at, stock.variant_id AS about, "
        "coalesce(own.units, 0) AS top, coalesce(own.units, 0) + left_units AS bottom "
        "FROM kpi_stock AS stock JOIN kpi_look USING (look) LEFT JOIN ("
        "SELECT look, variant_id, CAST(sum(units) AS BIGINT) AS units FROM kpi_sold "
        "GROUP BY look, variant_id) AS own ON own.look = stock.look AND "
        "own.variant_id = stock.variant_id"
    )


def _no_gaps(room: Workroom) -> Gaps:
    return {}


NO_COUNT = "Not yet: no stock count is known. Import inventory_levels."

RETURN_RATE = Kpi(
    name="return_rate",
    label="Return rate",
    unit="share",
    definition=(
        "Units that came back in the window, by a return or by a refund of units that "
        "no return tells of, over units sold in it."
    ),
    tables=("orders", "order_lines", "returns", "refunds"),
    better="lower",
    kind="share",
    top="units_back",
    bottom="units_sold",
    rows=_return_rows,
    gaps=_return_gaps,
    nothing="Not yet: nothing was sold in these days.",
    owners="customers",
)
STOCK_OUT_RATE = Kpi(
    name="stock_out_rate",
    label="Stock-out rate",
    unit="share",
    definition=(
        "Days of the window at whose end a variant's last count, over all places, was "
        "zero or less, of all days with a count; variants of drafts and archived "
        "products left out."
    ),
    tables=("inventory_levels", "variants", "products"),
    better="lower",
    kind="share",
    top="days_sold_out",
    bottom="days_counted",
    rows=_stock_rows,
    gaps=_no_gaps,
    nothing=NO_COUNT,
    owners="variants",
)
SELL_THROUGH = Kpi(
    name="sell_through",
    label="Sell-through",
    unit="share",
    definition=(
        "Units sold in the window over units sold in it and left at its end, of "
        "variants with a stock count."
    ),
    tables=("orders", "order_lines", "refunds", "inventory_levels"),
    better="higher",
    kind="share",
    top="units_sold",
    bottom="units_sold_or_left",
    rows=_through_rows,
    gaps=partial,
    nothing=NO_COUNT,
    owners="variants",
)
