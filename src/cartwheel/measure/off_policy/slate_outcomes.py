"""What became of answered slots: seen, clicked, bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.measure.standing import standing

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlateOutcomes:
    """Looks up what became of slots.

    Attributes:
        con: A connection to the fact tables.
        schema: Where they are.
        end: Instant from which facts do not count.
    """

    con: duckdb.DuckDBPyConnection
    schema: str
    end: datetime

    def met(
        self, decision: Array, position: Array, product: Array
    ) -> tuple[Array, Array]:
        """Return which slots were seen and which clicked, by the decision's id."""
        import pyarrow as pa

        slots = pa.table(
            {
                "slot": np.arange(len(product)),
                "decision_id": pa.array(decision.tolist(), pa.string()),
                "place": position,
                "shown": pa.array(product.tolist(), pa.string()),
            }
        )
        self.con.register("off_policy_slots", slots)
        rows = self.con.execute(
            f"""SELECT slot, bool_or(kind = 'exposure'), bool_or(kind = 'click')
            FROM {self.schema}.events JOIN off_policy_slots USING (decision_id)
            WHERE kind IN ('exposure', 'click') AND known_at < $end
                AND (product_id = shown OR (product_id IS NULL AND position = place))
            GROUP BY slot""",
            {"end": self.end},
        ).fetchnumpy()
        self.con.unregister("off_policy_slots")
        found = []
        at, *flags = rows.values()
        for flag in flags:
            happened = np.zeros(len(product), bool)
            happened[np.asarray(at, np.int64)] = np.asarray(flag, bool)
            found.append(happened)
        return found[0], found[1]

    def bought(
        self,
        who: list[str | None],
        at: list[datetime],
        answer: Array,
        product: Array,
        window: timedelta,
    ) -> tuple[Array, Array]:
        """Return which slots' products were bought, and what was paid per answer."""
        wanted = {name for name in who if name is not None}
        lines: dict[str, list[tuple[datetime, str, int]]] = {}
        if wanted:
            rows = self.con.execute(
                f"""{standing(self.schema)}
                SELECT standing.customer_id, standing.placed_at,
                    coalesce(product_id, variant_id, ''),
                    quantity_units * unit_price_minor - coalesce(discount_minor, 0)
                FROM (SELECT * FROM {self.schema}.order_lines WHERE known_at < ?
                    QUALIFY row_number() OVER (PARTITION BY order_id, line_id
                    ORDER BY known_at DESC, imported_at DESC, content_hash DESC) = 1)
                JOIN standing USING (order_id)
                WHERE kind = 'product' AND standing.customer_id IS NOT NULL""",
                [self.end, self.end],
            ).fetchall()
            for customer, placed_at, name, paid in rows:
                if customer in wanted:
                    lines.setdefault(customer, []).append((placed_at, name, paid))
        bought, spent = np.zeros(len(product), bool), np.zeros(len(who))
        first = np.searchsorted(answer, np.arange(len(who) + 1))
        for number, name in enumerate(who):
            since = at[number]
            after = [
                (what, paid)
                for placed_at, what, paid in lines.get(name or "", ())
                if since < placed_at <= since + window
            ]
            if after:
                spent[number] = sum(paid for _, paid in after)
                own = slice(first[number], first[number + 1])
                bought[own] = np.isin(product[own], [what for what, _ in after])
        return bought, spent
