"""A small published shop for console tests: rows in the operational database."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cartwheel.api.security import create_user, make_sign_in_link
from cartwheel.levers.base import Decision, Prediction
from cartwheel.levers.report import Bars, Figure, Grid, Line, Report
from cartwheel.operations import decisions, pages, transitions, turns
from cartwheel.settings import FILE_NAME
from cartwheel.shop import Shop, make_shop, open_shop

AT = "2026-11-20T09:30:00.000000Z"
HOSTILE = (
    "<script>alert(1)</script>\u202eabc\u202c مرحبا <img src=x onerror=alert(2)> "
    + "W" * 10_000
)
ITEMS = (
    "Oak side table, small",
    "Linen cushion cover, sand",
    "Enamel mug 350 ml, blue rim",
    "Beeswax candle, tall",
    "Wool throw 130 × 180, moss",
    "Terracotta planter 18 cm",
    "Recycled glass carafe",
    "Cotton tea towel, set of 3",
)


def reorder(i: int, title: str, *, units: int = 48) -> Decision:
    worth = 124_000 // (i + 1)
    return Decision(
        kind="reorder",
        subject=f"variant:V{i:03d}",
        action={
            "variant_id": f"V{i:03d}",
            "supplier_id": f"S{i % 2 + 1}",
            "units": units,
            "packs": units // 12,
            "cost_minor": units * 640,
        },
        reason=(
            f"{12 + i} on hand, {70 + i} expected in the next 21 days, up to "
            f"{96 + i} at 95% service; the supplier takes 14 days. Ordering saves "
            f"about £{worth / 100:,.0f} of margin."
        ),
        options=({"units": 0}, {"units": units}),
        predicted=Prediction(
            metric="lost_margin_avoided_minor",
            value=float(worth),
            low=worth * 0.6,
            high=worth * 1.5,
        ),
        worth_minor=worth,
        cost_minor=units * 640,
        evidence={
            "title": title,
            "on_hand_units": 12 + i,
            "inbound_units": 0,
            "lead_days": 14.0,
            "lead_time_known": True,
            "service_level": 0.95,
            "expected_28d_units": 93.5,
        },
    )


def price(i: int, title: str) -> Decision:
    return Decision(
        kind="price",
        subject=f"variant:V{i:03d}",
        action={"variant_id": f"V{i:03d}", "price_minor": 2_190},
        reason="Each 1% less brings about 2.1% more units; £21.90 earns most margin.",
        options=({"price_minor": 2_390}, {"price_minor": 2_190}),
        predicted=Prediction(
            metric="margin_minor_28d", value=8_300.0, low=1_200.0, high=15_500.0
        ),
        worth_minor=8_300 + i,
        evidence={
            "title": title,
            "current_price_minor": 2_390,
            "elasticity": {"value": -2.1, "low": -3.0, "high": -1.2},
        },
    )


def winback(i: int) -> Decision:
    return Decision(
        kind="winback",
        subject=f"customer:C{i:04d}",
        action={"customer_id": f"C{i:04d}", "offer_bps": 1000},
        reason="Orders every 31 days, silent for 88; a reminder is worth more than it "
        "costs.",
        propensity=0.5,
        predicted=Prediction(metric="margin_minor", value=940, low=-200, high=2_400),
        worth_minor=940 + i,
        cost_minor=120,
        evidence={"gap_days": 31.0, "recency_days": 88},
    )


def made_decisions() -> list[tuple[str, str, Decision]]:
    """Return lever, state and decision of every seeded row."""
    found = [
        ("replenish", "proposed", reorder(i, title)) for i, title in enumerate(ITEMS)
    ]
    found += [("replenish", "approved", reorder(20, '=HYPERLINK("x")', units=24))]
    found += [
        ("price", "proposed", price(i, title)) for i, title in enumerate(ITEMS[:4])
    ]
    found += [("price", "refused", price(30, "Slate coaster"))]
    found += [("lifecycle", "proposed", winback(i)) for i in range(60)]
    found += [("lifecycle", "held_out", winback(900))]
    return found


def decision_id(place: int) -> str:
    return f"2-{place:016x}"


def insert(shop: Shop, made: list[tuple[str, str, Decision]], first: int = 0) -> None:
    rows = []
    for place, (lever, state, decision) in enumerate(made, first):
        body = json.loads(decision.canonical())
        refusal = {
            "rule": "price_limits",
            "reason": "The change of −24 % is larger than the allowed 15 %.",
        }
        rows.append(
            {
                "id": decision_id(place),
                "turn": 2,
                "position": place,
                "lever": lever,
                "kind": decision.kind,
                "subject": decision.subject,
                "state": state,
                "worth_minor": decision.worth_minor,
                "cost_minor": decision.cost_minor,
                "body": decision.canonical(),
                "action": json.dumps(body["action"]),
                "model": "5f0c9be2a7d14e6688aa01bc",
                "refusal": json.dumps(refusal) if state == "refused" else None,
                "expires_on": "2026-12-04",
            }
        )
    with shop.database.begin() as con:
        con.execute(decisions.insert(), rows)
        con.execute(
            transitions.insert(),
            [
                {
                    "decision_id": row["id"],
                    "from_state": "",
                    "to_state": row["state"],
                    "actor": "turn",
                    "at": AT,
                    "note": "",
                }
                for row in rows
            ],
        )


SOURCES = {
    "catalogue": "312 variants, 92% known",
    "stock": "312 variants",
    "margin": "312 variants, 97% known",
    "demand": "300 variants, 61,204 rows",
    "intent": "300 products, 88,410 rows",
    "baskets": "2,914 product as, 14,020 rows",
    "purchases": "4,871 customers, 19,203 rows",
    "lead_time": "6 suppliers",
    "price_history": "312 variants, 1,204 rows",
    "rhythm": "4,871 customers",
    "returns": "300 products",
    "consent": "4,871 customers",
}
LINKS = (
    ("stock", "lake", "recommend"),
    ("margin", "lake", "recommend"),
    ("purchases", "lake", "recommend"),
    ("baskets", "lake", "recommend"),
    ("catalogue", "lake", "recommend"),
    ("demand", "lake", "forecast"),
    ("intent", "lake", "forecast"),
    ("catalogue", "lake", "forecast"),
    ("price_plan", "price", "forecast"),
    ("forecast", "forecast", "replenish"),
    ("stock", "lake", "replenish"),
    ("lead_time", "lake", "replenish"),
    ("margin", "lake", "replenish"),
    ("catalogue", "lake", "replenish"),
    ("forecast", "forecast", "price"),
    ("stock", "lake", "price"),
    ("margin", "lake", "price"),
    ("price_history", "lake", "price"),
    ("rhythm", "lake", "lifecycle"),
    ("stock", "lake", "lifecycle"),
    ("consent", "lake", "lifecycle"),
    ("lifetime_value", "lifecycle", "lifecycle"),
    ("segment", "lifecycle", "recommend"),
    ("returns", "lake", "margin"),
)
WRITTEN = {
    "price_plan": "12 variants",
    "forecast": "300 variants, 1,200 rows",
    "lifetime_value": "4,871 customers",
    "segment": "4,871 customers",
}


FIGURES: list[dict[str, Any]] = [
    {
        "label": "Revenue, last 28 days",
        "value": 4_812_300,
        "unit": "minor",
        "definition": "Paid order lines minus refunds, by day of order.",
        "low": None,
        "high": None,
        "not_yet": "",
    },
    {
        "label": "Earned by the wheel",
        "value": 214_500,
        "unit": "minor",
        "definition": "Revenue a customer, reached minus holdout, times reach.",
        "low": -42_000,
        "high": 471_000,
        "not_yet": "",
    },
    {
        "label": "Sold-out demand",
        "value": 0.034,
        "unit": "share",
        "definition": "Add-to-carts that failed, of all.",
        "low": 0.028,
        "high": 0.041,
        "not_yet": "",
    },
    {
        "label": "Effect of win-back offers",
        "value": None,
        "unit": "minor",
        "definition": "Margin a customer, offered minus not offered.",
        "low": None,
        "high": None,
        "not_yet": "About 12 Dec 2026, when 400 customers were assigned.",
    },
]


def overview() -> dict[str, Any]:
    levers = (
        ("forecast", "Demand forecast", "productivity", "healthy", 300, "gradient"),
        ("lifecycle", "Customers", "growth", "healthy", 61, "bgnbd"),
        ("price", "Prices", "profitability", "fallback", 5, "markdown only"),
        ("recommend", "Recommendations", "growth", "healthy", 0, "ease"),
        ("replenish", "Reorders", "value chain", "healthy", 9, "quantiles"),
    )
    return {
        "as_of": "2026-11-19",
        "shop": "Fern & Foxglove",
        "currency": "GBP",
        "minor_digits": 2,
        "figures": FIGURES,
        "freshness": [
            {
                "table": name,
                "rows": rows,
                "newest": newest,
                "age_days": age,
                "stale": age > 3,
            }
            for name, rows, newest, age in (
                ("orders", 18_402, "2026-11-19", 0),
                ("events", 412_093, "2026-11-19", 0),
                ("inventory_levels", 624, "2026-11-19", 0),
                ("costs", 298, "2026-10-01", 49),
                ("reviews", 2_210, "2026-11-18", 1),
            )
        ],
        "missing": ["campaigns", "messages"],
        "links": [
            {
                "name": f"{signal}→{reader}",
                "signal": signal,
                "from": writer,
                "to": reader,
                "cut": (signal, reader) == ("stock", "lifecycle"),
                "rows": 10,
                "value": {**SOURCES, **WRITTEN}[signal],
                "state": "neutral" if signal == "price_plan" else "live",
                "doc": f"What {signal.replace('_', ' ')} says, by key.",
            }
            for signal, writer, reader in LINKS
        ],
        "levers": [
            {
                "name": name,
                "title": title,
                "group": group,
                "state": state,
                "decisions": count,
                "reason": (
                    "needs 30 price changes, has 11. Meanwhile: marks down dead stock"
                    if state == "fallback"
                    else f"{count} decisions, most money first."
                ),
                "rule": rule,
            }
            for name, title, group, state, count, rule in levers
        ],
        "holdout": {"share": 0.05, "customers": 243, "of": 4_871},
    }


def reports() -> dict[str, Report]:
    start = date(2026, 8, 22)
    days = tuple((start + timedelta(days=i)).isoformat() for i in range(118))
    wave = [round(9 + 4 * math.sin(i / 7 * math.tau) + i / 30, 1) for i in range(118)]
    lines = tuple(
        Line(
            title=title,
            subject=f"variant:V{k:03d}",
            unit="units",
            x=days,
            actual=tuple(
                None if i >= 90 or i in (40, 41) else w + k * ((i * 7) % 5)
                for i, w in enumerate(wave)
            ),
            predicted=tuple(w if i >= 90 else None for i, w in enumerate(wave)),
            low=tuple(w * 0.6 if i >= 90 else None for i, w in enumerate(wave)),
            high=tuple(w * 1.5 if i >= 90 else None for i, w in enumerate(wave)),
            note="80 of 100 days should fall inside the band.",
        )
        for k, title in enumerate(ITEMS[:6])
    )
    wape = Figure(
        label="Error, last 4 weeks",
        value=0.31,
        unit="share",
        definition="Sum of absolute errors over sum of units, rolling backtest.",
        low=0.27,
        high=0.35,
    )
    bars = Bars(
        title="Customers by segment",
        unit="",
        labels=("one-time", "regular", "loyal", "vip", "slipping", "lapsed"),
        values=(2_113.0, 1_020.0, 640.0, 122.0, 410.0, 566.0),
        note="By the customer's own rhythm.",
    )
    grid = Grid(
        title="Backtest by class",
        columns=("Class", "Series", "Error", "Seasonal naive"),
        units=("", "", "share", "share"),
        rows=(("smooth", 120, 0.28, 0.36), ("lumpy", 180, 0.52, 0.55)),
        note="Lower is better.",
    )
    return {
        "forecast": Report(
            summary="300 variants forecast; error 31 % against 38 % of seasonal naive.",
            figures=(wape, wape),
            lines=lines,
            grids=(grid,),
        ),
        "lifecycle": Report(summary="4,871 customers in 6 segments.", bars=(bars,)),
        "price": Report(summary="5 proposals."),
        "recommend": Report(summary="Answers 300 products.", figures=(wape,)),
        "replenish": Report(summary="8 of 312 variants need a reorder.", figures=()),
    }


def imports_page() -> dict[str, Any]:
    return {
        "imports": [
            {
                "batch": "b2",
                "kind": "csv",
                "path": "exports/november",
                "started_at": AT,
                "rows_read": 20_410,
                "rows_kept": 20_100,
                "rows_duplicate": 307,
                "rows_rejected": 3,
                "facts_added": 20_100,
                "notes": "encoding cp1252; delimiter ;; decimal comma",
            }
        ],
        "rejects": [
            {
                "batch": "b2",
                "file": "orders.csv",
                "line": 118 + i,
                "field": "total",
                "value": value,
                "reason": "is not an amount; expected a number such as 12,50",
            }
            for i, value in enumerate(("=1+1", "twelve", "−"))
        ],
        "rejects_total": 3,
    }


def health_page() -> dict[str, Any]:
    """Return a health page: a fault, one that follows, a weak link, and the rest."""
    fault = {
        "check": "receipts_recorded",
        "spoke": "receipts",
        "part": "input",
        "state": "broken",
        "says": "0% of counts that rose had a receipt in the last 28 days, 94% before.",
        "evidence": {"before_share": 0.94, "recent_share": 0.0, "recent_count": 33},
        "rows": ["V001", '=HYPERLINK("x")'],
        "p_value": 1e-9,
        "adjusted": 2e-8,
        "stake": {
            "value": 41_200.0,
            "low": 6_900.0,
            "high": 110_000.0,
            "basis": "money on the rows, 30 days; assumed lost: 0.5% to 8%",
        },
        "lacks": "",
        "next_step": "Record receipts with their purchase order.",
        "after": ["stock_counted"],
        "explained_by": "",
    }
    unknown = {"value": None, "low": None, "high": None, "basis": "unknown: no sales"}
    follows = {
        **fault,
        "check": "lead_times",
        "spoke": f"supplier {HOSTILE}",
        "says": HOSTILE,
        "explained_by": "receipts_recorded",
    }
    link = {
        **fault,
        "check": "link_stock→lifecycle",
        "spoke": "stock→lifecycle",
        "part": "link",
        "state": "weak",
        "stake": unknown,
        "rows": [],
        "adjusted": None,
        "evidence": {"cut": True, "rows": 10},
    }
    return {
        "says": "Broken: receipts.",
        "as_of_recent_days": 28,
        "as_of_before_days": 98,
        "alpha": 0.01,
        "faults": [fault, follows, link],
        "well": [{**fault, "state": "well", "check": "prices_agree", "stake": unknown}],
        "unknown": [
            {**link, "state": "unknown", "check": "mail_rhythm", "lacks": "no mailings"}
        ],
        "calibration": [
            {
                "lever": "forecast",
                "metric": "units_28d",
                "outcomes": 300,
                "held": 231,
                "share": 0.77,
                "low": 0.719,
                "high": 0.814,
                "verdict": "Calibrated: its 80% intervals held 77% (72% to 81%).",
            }
        ],
        "errors": [
            {
                "turn": 1,
                "lever": "forecast",
                "metric": "units_28d",
                "outcomes": 300,
                "predicted": 2_040.5,
                "actual": 1_911.0,
                "relative": 0.41,
                "bias": 0.0678,
            },
            {
                "turn": 2,
                "lever": "forecast",
                "metric": "units_28d",
                "outcomes": 4,
                "predicted": 2.5,
                "actual": 0.0,
                "relative": None,
                "bias": None,
            },
        ],
        "drift": [
            {
                "name": "prices paid",
                "side": "input",
                "measure": "psi",
                "value": 0.31,
                "p_value": 0.0004,
                "limit": 0.1,
                "alarm": True,
                "recent": 400,
                "before": 1_300,
                "lacks": "",
            },
            {
                "name": "decisions by kind",
                "side": "output",
                "measure": "psi",
                "value": None,
                "p_value": None,
                "limit": 0.25,
                "alarm": False,
                "recent": 0,
                "before": 0,
                "lacks": "3 turns before this are needed",
            },
        ],
        "reliance": [
            {
                "what": "revenue by product",
                "top": HOSTILE,
                "share": 0.61,
                "low": 0.55,
                "high": 0.66,
                "hhi": 0.4,
                "gini": 0.71,
                "of": 80,
                "money_minor": 2_900_000.0,
                "over": True,
                "says": "One holds 61%.",
            },
            {
                "what": "expected earnings by lever",
                "top": "",
                "share": None,
                "low": None,
                "high": None,
                "hhi": None,
                "gini": None,
                "of": 0,
                "money_minor": None,
                "over": False,
                "says": "Not yet: there is nothing to share out.",
            },
        ],
    }


def make_published(folder: Path) -> Shop:
    """Make a shop with one published turn."""
    shop = make_shop(folder, currency="GBP", name="Fern & Foxglove")
    with shop.database.begin() as con:
        con.execute(
            turns.insert().values(
                number=2,
                as_of="2026-11-19",
                state="published",
                seed=1,
                settings="{}",
                started_at=AT,
                published_at=AT,
            )
        )
        bodies: dict[str, Any] = {"overview": overview(), "health": health_page()}
        for name, report in reports().items():
            bodies[f"lever:{name}"] = report.to_json()
        rows = [
            {"turn": 2, "name": n, "body": json.dumps(b)} for n, b in bodies.items()
        ]
        rows.append({"turn": 0, "name": "imports", "body": json.dumps(imports_page())})
        con.execute(pages.insert(), rows)
    insert(shop, made_decisions())
    return shop


def world_page() -> dict[str, Any]:
    """Return what a living shop publishes, two weeks after its wheel began."""

    def week(first: str, last: str, more: float) -> dict[str, Any]:
        return {
            "from": first,
            "to": last,
            "worlds": {
                "wheel": {"profit_minor": round(10_000 * more), "visits": 300},
                "alone": {"profit_minor": 9_000, "visits": 300},
                "plain": {"profit_minor": 8_000, "visits": 298},
            },
            "true_minor": 174.0 * more,
            "measured": {
                "basis": "margin",
                "reached": 251,
                "held_out": 56,
                "value": -642.0 * more,
                "low": -2_151.0 * more,
                "high": 867.0 * more,
                "not_yet": "",
                "holds_zero": True,
            },
        }

    return {
        "today": "2026-11-19",
        "name": "apparel",
        "weeks": [
            week("2026-11-06", "2026-11-12", 0.56),
            week("2026-11-13", "2026-11-19", 2.0),
        ],
        "followed": 248,
        "holdout_share": 0.2,
        "over": False,
    }


def add_world(shop: Shop, *, demo: bool = True) -> Shop:
    """Publish a world's page, by default in a shop made a demo by its settings."""
    if demo:
        path = shop.folder / FILE_NAME
        path.write_text(path.read_text("utf-8") + "demo = true\n", encoding="utf-8")
    with shop.database.begin() as con:
        body = json.dumps(world_page())
        con.execute(pages.insert().values(turn=0, name="world", body=body))
    return open_shop(shop.folder)


def link_for(shop: Shop, name: str, role: str) -> str:
    """Create a user and return the path of a link that signs them in."""
    create_user(shop.database, name, "owner" if role == "owner" else "viewer")
    return f"/sign-in?token={make_sign_in_link(shop.database, name)}"
