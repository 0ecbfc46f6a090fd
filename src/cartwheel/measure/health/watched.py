"""The shares that are watched, each one fact about records that agree with each other.

Most compare two records of the same happening (a click and its exposure, a refund and
its return), so that trade may double or halve without an alarm. What a lost share costs
is assumed, low on purpose, and said beside the figure.
"""

from __future__ import annotations

from cartwheel.measure.health.shares import Loss, ShareRule

SEEN = "(SELECT DISTINCT visitor_id, product_id, ago FROM h_events WHERE kind = '{}')"
COUNT_UNITS = 3
"""Least rise of a count that is a delivery and not a return put back."""

CLICKS = (
    "SELECT e.ago, s.visitor_id IS NOT NULL AS good, NULL AS touched, e.event_id AS id "
    "FROM h_events AS e LEFT JOIN {seen} AS s ON s.visitor_id = e.visitor_id "
    "AND s.product_id = e.product_id AND s.ago = e.ago "
    "WHERE e.kind IN ({kinds}) AND e.visitor_id IS NOT NULL "
    "AND e.product_id IS NOT NULL"
)

SHARES: tuple[ShareRule, ...] = (
    ShareRule(
        check="events_whole",
        spoke="events",
        needs=("events",),
        query=CLICKS.format(
            seen=SEEN.format("view"), kinds="'click', 'add_to_cart', 'failed_add'"
        ),
        counted="clicks and carts came with a view of the same product",
        fall=0.05,
        loss=Loss(
            of="revenue",
            low=0.005,
            guess=0.02,
            high=0.05,
            why="what looks and carts add to slots and forecasts",
        ),
        next_step="Events get lost on their way. Look at the storefront's script, at "
        "blocked requests and at the inbox's answers, by device.",
    ),
    ShareRule(
        check="events_once",
        spoke="events",
        needs=("events",),
        query="SELECT ago, n = 1 AS good, NULL AS touched, id FROM (SELECT ago, "
        "event_id AS id, row_number() OVER (PARTITION BY visitor_id, kind, "
        "product_id, variant_id, query, position, placement, "
        "date_trunc('second', occurred_at) ORDER BY event_id) AS n FROM h_events)",
        counted="events were sent once",
        fall=0.02,
        loss=Loss(
            of="revenue",
            low=0.005,
            guess=0.02,
            high=0.05,
            why="what looks and carts add to slots and forecasts",
        ),
        next_step="The same happening arrives under two ids. Load the script once a "
        "page, and send the same event_id again when a request is repeated.",
    ),
    ShareRule(
        check="exposures_seen",
        spoke="exposures",
        needs=("events",),
        query=CLICKS.format(seen=SEEN.format("exposure"), kinds="'click'"),
        counted="clicks on a slot came with its exposure",
        fall=0.10,
        loss=Loss(
            of="revenue",
            low=0.01,
            guess=0.05,
            high=0.10,
            why="what slots bring; without exposures nobody learns from them",
        ),
        next_step="Send an exposure when a slot is seen, with the decision_id of the "
        "answer that filled it.",
        after=("events_whole",),
    ),
    ShareRule(
        check="exposures_named",
        spoke="exposures",
        needs=("events", "answers"),
        query="SELECT e.ago, a.decision_id IS NOT NULL AS good, NULL AS touched, "
        "e.event_id AS id FROM h_events AS e LEFT JOIN (SELECT DISTINCT decision_id "
        "FROM h_answers) AS a USING (decision_id) WHERE e.kind = 'exposure'",
        counted="exposures named a decision that was answered",
        fall=0.10,
        loss=Loss(
            of="revenue",
            low=0.01,
            guess=0.05,
            high=0.10,
            why="what slots bring; without decision ids nothing is measured",
        ),
        next_step="Pass the answer's decision id on with each exposure and click.",
    ),
    ShareRule(
        check="visitors_known",
        spoke="identity",
        needs=("events",),
        query="SELECT ago, bool_or(customer_id IS NOT NULL) AS good, NULL AS touched, "
        "visitor_id AS id FROM h_events WHERE visitor_id IS NOT NULL "
        "GROUP BY ago, visitor_id",
        counted="visitors of a day were signed in",
        fall=0.40,
        relative=True,
        silent_below=0.01,
        loss=Loss(
            of="revenue",
            low=0.005,
            guess=0.02,
            high=0.05,
            why="what knowing a visitor adds; the holdout leaks on unknown devices",
        ),
        next_step="Send the customer id of a signed-in visitor with every event.",
    ),
    ShareRule(
        check="orders_known",
        spoke="identity",
        needs=("orders",),
        query="SELECT o.ago, o.customer_id IS NOT NULL AS good, l.paid AS touched, "
        "o.order_id AS id FROM h_orders AS o LEFT JOIN (SELECT order_id, "
        "sum(paid) AS paid FROM h_order_lines GROUP BY order_id) AS l USING (order_id)",
        counted="orders named a customer",
        fall=0.30,
        relative=True,
        loss=Loss(
            of="rows",
            low=0.005,
            guess=0.03,
            high=0.08,
            why="what repeat buyers' offers and slots bring",
        ),
        next_step="Export the customer id with each order.",
    ),
    ShareRule(
        check="stock_counted",
        spoke="stock",
        needs=("inventory_levels", "order_lines"),
        # A sale changes a count, so a count of the variant follows it within days.
        query="SELECT l.ago, c.variant_id IS NOT NULL AND "
        "c.counted_at <= l.placed_at + INTERVAL 3 DAY AS good, l.paid AS touched, "
        "l.order_id AS id FROM (SELECT * FROM h_order_lines WHERE ago >= 3) AS l "
        "ASOF LEFT JOIN (SELECT variant_id, counted_at FROM h_inventory_levels) AS c "
        "ON l.variant_id = c.variant_id AND l.placed_at <= c.counted_at",
        counted="sales were followed by a new count within three days",
        fall=0.15,
        silent_below=0.3,
        loss=Loss(
            of="rows",
            low=0.01,
            guess=0.05,
            high=0.10,
            why="sold twice, hidden although there, or reordered wrongly",
        ),
        next_step="Stock counts are stale. Restart their export or import; until then "
        "reorders and slots go by old counts.",
    ),
    ShareRule(
        check="stock_agrees",
        spoke="stock",
        needs=("inventory_levels", "order_lines"),
        query="WITH held AS (SELECT variant_id, counted_at, sum(change) OVER "
        "(PARTITION BY variant_id ORDER BY counted_at RANGE UNBOUNDED PRECEDING) "
        "AS units FROM (SELECT variant_id, counted_at, "
        "available_units - coalesce(before_units, 0) AS change "
        "FROM h_inventory_levels)) "
        "SELECT l.ago, h.units > 0 AS good, l.paid AS touched, l.order_id AS id "
        "FROM h_order_lines AS l ASOF JOIN held AS h "
        "ON l.variant_id = h.variant_id AND l.placed_at >= h.counted_at",
        counted="sales were of goods counted as there",
        fall=0.05,
        loss=Loss(
            of="rows",
            low=0.01,
            guess=0.05,
            high=0.20,
            why="goods sold while counted at zero are hidden from others",
        ),
        next_step="Goods are sold that are counted at zero: the counts are late or of "
        "another place. Compare one of the orders with its count.",
        after=("stock_counted",),
    ),
    ShareRule(
        check="costs_known",
        spoke="costs",
        needs=("order_lines",),
        # Before: as the shop knew it then, by an earlier turn or else by the dates.
        query="SELECT l.ago, CASE WHEN l.ago < 28 THEN c.variant_id IS NOT NULL "
        "ELSE c.variant_id IS NOT NULL OR s.variant_id IS NOT NULL END AS good, "
        "l.paid AS touched, l.variant_id AS id FROM h_order_lines AS l "
        "LEFT JOIN (SELECT DISTINCT variant_id FROM h_costs) AS c USING (variant_id) "
        "LEFT JOIN h_costs_seen AS s USING (variant_id)",
        counted="sales were of goods with a known cost",
        fall=0.10,
        loss=Loss(
            of="rows",
            low=0.01,
            guess=0.04,
            high=0.10,
            why="prices, reorders and slots decide without their margin",
        ),
        next_step="Import the unit costs of these variants.",
    ),
    ShareRule(
        check="costs_plausible",
        spoke="costs",
        needs=("order_lines", "costs"),
        query="SELECT l.ago, c.cost_minor > 0 AND c.cost_minor * l.units <= "
        "2 * greatest(l.paid, 1) AS good, l.paid AS touched, l.variant_id AS id "
        "FROM h_order_lines AS l ASOF JOIN h_costs AS c "
        "ON l.variant_id = c.variant_id AND l.placed_at >= c.valid_from_at",
        counted="sales had a cost above zero and below twice what was paid",
        fall=0.05,
        loss=Loss(
            of="rows",
            low=0.01,
            guess=0.04,
            high=0.10,
            why="prices, reorders and slots decide by a wrong margin",
        ),
        next_step="Correct the costs of these variants; an empty cell is no zero.",
    ),
    ShareRule(
        check="prices_agree",
        spoke="prices",
        needs=("order_lines", "prices"),
        query="SELECT l.ago, l.unit_price_minor = p.price_minor AS good, abs("
        "l.unit_price_minor - coalesce(p.price_minor, l.unit_price_minor)) * l.units "
        "AS touched, l.order_id AS id FROM h_order_lines AS l "
        "ASOF LEFT JOIN h_prices AS p ON l.variant_id = p.variant_id "
        "AND l.placed_at >= p.valid_from_at",
        counted="sales were at the list price in force",
        fall=0.05,
        loss=Loss(
            of="rows",
            low=0.2,
            guess=0.5,
            high=1.0,
            why="of what was paid above or below the list price",
        ),
        next_step="The catalogue's prices are not those of the till. Import prices "
        "again; a discount belongs into discount_minor.",
    ),
    ShareRule(
        check="receipts_recorded",
        spoke="receipts",
        needs=("inventory_levels", "purchase_orders"),
        query="WITH rises AS (SELECT c.ago, c.variant_id, c.counted_at, "
        "greatest(c.before_at, c.counted_at - INTERVAL 3 DAY) AS since, "
        "c.available_units - c.before_units AS units FROM h_inventory_levels AS c "
        "WHERE c.before_units IS NOT NULL "
        f"AND c.available_units - c.before_units >= {COUNT_UNITS}), "
        "sold AS (SELECT variant_id, median(unit_price_minor) AS price "
        "FROM h_order_lines GROUP BY variant_id) "
        "SELECT r.ago, EXISTS (SELECT 1 FROM h_receipts AS g "
        "WHERE g.variant_id = r.variant_id AND g.received_at > r.since "
        "AND g.received_at <= r.counted_at + INTERVAL 1 DAY) AS good, "
        "r.units * sold.price AS touched, r.variant_id AS id "
        "FROM rises AS r LEFT JOIN sold USING (variant_id)",
        counted=f"counts that rose by {COUNT_UNITS} units or more had a receipt",
        fall=0.20,
        silent_below=0.2,
        loss=Loss(
            of="rows",
            low=0.005,
            guess=0.03,
            high=0.08,
            why="goods here seem on their way: too little or too late is reordered",
        ),
        next_step="Goods arrive without a receipt. Record receipts with their purchase "
        "order; lead times are learned from them.",
        after=("stock_counted",),
    ),
    ShareRule(
        check="returns_recorded",
        spoke="returns",
        needs=("refunds", "returns"),
        query="SELECT f.ago, EXISTS (SELECT 1 FROM h_returns AS r WHERE "
        "r.product_id = f.product_id AND (r.order_id = f.order_id OR "
        "(f.order_id IS NULL AND r.customer_id = f.customer_id))) AS good, "
        "f.amount_minor AS touched, f.refund_id AS id FROM h_refunds AS f "
        "WHERE f.quantity_units > 0 AND f.product_id IS NOT NULL "
        "AND coalesce(f.reason, '') <> 'cancellation'",
        counted="refunds of goods had a return",
        fall=0.20,
        silent_below=0.2,
        loss=Loss(
            of="rows",
            low=0.05,
            guess=0.20,
            high=0.50,
            why="handling and loss of value that no margin counts",
        ),
        next_step="Refunds go out and no return comes in. Record returns with order, "
        "product, grade and cost.",
    ),
    ShareRule(
        check="deliveries_recorded",
        spoke="deliveries",
        needs=("orders",),
        query="SELECT ago - 14 AS ago, coalesce(delivered_at <= placed_at + "
        "INTERVAL 14 DAY, FALSE) AS good, NULL AS touched, order_id AS id "
        "FROM h_orders WHERE ago >= 14",
        counted="orders were recorded as delivered within 14 days",
        fall=0.20,
        silent_below=0.2,
        loss=Loss(
            of="revenue",
            low=0.002,
            guess=0.01,
            high=0.03,
            why="buyers who leave after a late parcel",
        ),
        next_step="Parcels are late, or their delivery is not recorded. Ask the "
        "carrier, and import orders with delivered_at.",
    ),
    ShareRule(
        check="offers_sent",
        spoke="mail",
        needs=(),
        query="SELECT d.ago - 7 AS ago, EXISTS (SELECT 1 FROM h_messages AS s "
        "WHERE s.customer_id = d.customer_id AND s.sent_at >= d.at "
        "AND s.sent_at < d.at + INTERVAL 7 DAY) AS good, NULL AS touched, d.id "
        "FROM h_decided AS d WHERE d.message AND d.ago >= 7 "
        "AND d.state IN ('approved', 'applied')",
        counted="approved messages went out within seven days",
        fall=0.30,
        silent_below=0.2,
        loss=Loss(
            of="revenue",
            low=0.005,
            guess=0.02,
            high=0.05,
            why="what mailings bring",
        ),
        next_step="Approved messages do not go out. Check that the mail tool picks up "
        "the outbox file, and that its log is imported as messages.",
    ),
)
