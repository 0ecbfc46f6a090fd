"""What stands beside a drop-off in the goods: stock-outs, page fixes, slow parcels."""

from __future__ import annotations

from cartwheel.measure.journey.beside import KPIS, MOST_EACH, STOCK, Beside
from cartwheel.measure.journey.data import JourneyData
from cartwheel.measure.journey.steps import RECENT_DAYS

LONG_DAYS = RECENT_DAYS // 4
"""Days sold out from which a product of a category is told of."""

SLOWER, SLOWER_DAYS = 1.5, 2.0
"""How many times as long, and days longer, a parcel takes to be told of."""

LEAST_DELIVERED = 10
OPEN_STATES = ("proposed", "approved", "applied")


def sold_out(data: JourneyData, product: str) -> list[Beside]:
    """Return on how many days a variant had nothing left, and who met that."""
    recent = f"day > DATE '{data.on}' - {RECENT_DAYS} AND day <= DATE '{data.on}'"
    out, variants, usual = data.rows(
        "WITH out AS (SELECT product_id, day, count(DISTINCT variant_id) AS n FROM "
        f"j_demand JOIN j_catalogue USING (variant_id) WHERE stocked_out AND {recent} "
        "GROUP BY product_id, day) SELECT "
        "(SELECT count(*) FROM out WHERE product_id = $1), "
        "(SELECT count(*) FROM j_catalogue WHERE product_id = $1), "
        "(SELECT count(*) FROM out) / (SELECT greatest(count(DISTINCT product_id), 1) "
        "FROM j_catalogue)",
        [product],
    )[0]
    views, met, failed = data.rows(
        "SELECT coalesce(sum(views), 0), coalesce(sum(views) FILTER (day IN (SELECT "
        "day FROM j_demand JOIN j_catalogue AS c USING (variant_id) WHERE stocked_out "
        "AND c.product_id = $1)), 0), coalesce(sum(failed_carts), 0) FROM j_intent "
        f"WHERE product_id = $1 AND {recent}",
        [product],
    )[0]
    if not out and not failed:
        return []
    one = f"At least one of its {variants} variants" if variants > 1 else "It"
    says = (
        f"{one} was sold out on {out} of {RECENT_DAYS} days"
        if out
        else "No day ended without stock"
    )
    return [
        Beside(
            what="stock",
            says=f"{says} (the shop's products: {usual:.1f} on average); "
            f"{int(met):,} of its {int(views):,} views fell on these days, and "
            f"{int(failed):,} tried to put it into the cart while sold out.",
            numbers={
                "out_days": int(out),
                "usual_out_days": round(float(usual), 2),
                "views_while_out": int(met),
                "views": int(views),
                "failed_carts": int(failed),
            },
            page=STOCK[0],
            page_title=STOCK[1],
        )
    ]


def sold_out_in(data: JourneyData, category: str) -> list[Beside]:
    """Return how many products of a category were sold out for long."""
    out, products = data.rows(
        "WITH mine AS (SELECT variant_id, c.product_id FROM j_catalogue AS c JOIN "
        "j_listing AS l USING (product_id) WHERE l.category = $1), long AS (SELECT "
        "product_id FROM j_demand JOIN mine USING (variant_id) WHERE stocked_out AND "
        f"day > DATE '{data.on}' - {RECENT_DAYS} AND day <= DATE '{data.on}' GROUP BY "
        f"product_id HAVING count(DISTINCT day) >= {LONG_DAYS}) SELECT (SELECT "
        "count(*) FROM long), (SELECT count(DISTINCT product_id) FROM mine)",
        [category],
    )[0]
    if not out:
        return []
    return [
        Beside(
            what="stock",
            says=f"Of its {products:,} products {out:,} had a variant sold out on "
            f"{LONG_DAYS} of {RECENT_DAYS} days or more.",
            numbers={"products_out": int(out), "products": int(products)},
            page=STOCK[0],
            page_title=STOCK[1],
        )
    ]


def page_fixes(data: JourneyData, product: str) -> list[Beside]:
    """Return page fixes that are proposed or in force."""
    mine = [
        one for one in data.fixes if one.product == product and one.state in OPEN_STATES
    ]
    return [
        Beside(
            what="page_fix",
            says=f"A fix of its page is {one.state}.",
            numbers={"decision": one.decision, "state": one.state},
            page=f"/decisions/{one.decision}",
            page_title="Why this fix",
        )
        for one in mine[-MOST_EACH:]
    ]


def slow_parcels(data: JourneyData, product: str) -> list[Beside]:
    """Return how long orders with it took, where notably longer than the shop's."""
    own, orders, shops = data.rows(
        "WITH took AS (SELECT order_id, product_id, epoch(delivered_at - placed_at) / "
        "86400.0 AS days FROM (SELECT DISTINCT order_id, product_id FROM j_lines) JOIN "
        "j_orders USING (order_id) WHERE delivered_at >= placed_at) SELECT median(days)"
        " FILTER (product_id = $1), count(*) FILTER (product_id = $1), median(days) "
        "FROM took",
        [product],
    )[0]
    if orders < LEAST_DELIVERED:
        return []
    if own < shops * SLOWER or own - shops < SLOWER_DAYS:
        return []
    return [
        Beside(
            what="delivery",
            says=f"Orders with it took {own:.1f} days to arrive (median of "
            f"{orders:,}), the shop's {shops:.1f}.",
            numbers={
                "days": round(float(own), 2),
                "orders": int(orders),
                "usual_days": round(float(shops), 2),
            },
            page=KPIS[0],
            page_title=KPIS[1],
        )
    ]
