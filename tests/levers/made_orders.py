"""Made orders of known customers: sent, late, cancelled, refunded, of all ages."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from cartwheel.signals.order_states import ORDER_STATES


def made_orders(as_of: date, customers: int = 12) -> pd.DataFrame:
    """Return orders: each customer has four, one of them late and one cancelled."""
    rows = []
    for number in range(customers):
        for place, (status, age, took, promised) in enumerate(
            (
                ("fulfilled", 40, 4, 6),
                ("paid", 1, None, 6),
                ("fulfilled", 20, None, 6),
                ("cancelled", 30, None, None),
            )
        ):
            placed = as_of - timedelta(days=age + number)
            rows.append(
                {
                    "order_id": f"o{number:03d}{place}",
                    "customer_id": f"c{number:04d}",
                    "status": status,
                    "placed_on": placed,
                    "promised_on": placed + timedelta(days=promised)
                    if promised
                    else None,
                    "delivered_on": placed + timedelta(days=took) if took else None,
                    "units": 1 + place,
                    "refunded_minor": 500 if place == 3 else 0,
                }
            )
    # Enough deliveries for a usual time.
    for number in range(30):
        placed = as_of - timedelta(days=60 + number)
        rows.append(
            {
                "order_id": f"d{number:03d}",
                "customer_id": f"c{number % customers:04d}",
                "status": "fulfilled",
                "placed_on": placed,
                "promised_on": None,
                "delivered_on": placed + timedelta(days=3 + number % 3),
                "units": 1,
                "refunded_minor": 0,
            }
        )
    return pd.DataFrame(rows, columns=list(ORDER_STATES.column_names))
