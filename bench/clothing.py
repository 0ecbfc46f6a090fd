"""What 13,389 reviews of clothing object to, as a page: `python -m bench.clothing`.

The set (Women's E-Commerce Clothing Reviews, CC0) says who would recommend, and holds
no orders, dates or product facts. So a theme's weight is the number of reviewers who
would not recommend beyond what reviewers of the same class without it do, and money is
that number times what a customer who stays away is assumed to be worth (`WORTH_MINOR`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from cartwheel.levers.content import Content
from cartwheel.levers.voice import Voice
from cartwheel.levers.voice.mentions import Mentions, read_mentions
from cartwheel.signals.base import ShopContext, Signal, Signals, When
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.listing import LISTING
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS
from cartwheel.text.claims import check_draft
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES

Array = np.ndarray[Any, Any]

SET = "womens-clothing-reviews"
ON = date(2018, 1, 1)
WORTH_MINOR = 3_000
"""What a customer who would not recommend, and stays away, is assumed to be worth."""
SHOWN, QUOTES, LONGEST, FIXES = 10, 2, 150, 3
LEAST = 30
"""Reviews of a theme from which it is told."""
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One objection in one class of goods.

    Attributes:
        goods: Class of goods.
        objection: Class of objection.
        texts: Reviews that raise it.
        turned: Reviewers who would not recommend beyond the usual of the class.
        low: Lower end of its 95 % interval.
        high: Upper end.
        quotes: Sentences that raise it, masked.
    """

    goods: str
    objection: str
    texts: int
    turned: float
    low: float
    high: float
    quotes: tuple[str, ...]


def main() -> int:
    """Print the page; 1 where the set is absent."""
    data = Path(os.environ.get("CARTWHEEL_DATA", "../shared/data")) / SET
    if not data.is_dir():
        print(f"{SET} is not there: set CARTWHEEL_DATA.", file=sys.stderr)
        return 1
    print("\n".join(page(read_rows(data))))
    return 0


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the reviews with a text, in order."""
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "reviews.parquet").to_pylist()
    said = [row for row in rows if (row["Review Text"] or "").strip()]
    return sorted(said, key=lambda row: int(row["row"]))


def signals(rows: Sequence[dict[str, Any]]) -> Signals:
    """Return the reviews as a shop's signals."""
    goods: dict[str, str] = {}
    said = []
    for row in rows:
        name = str(row["Clothing ID"])
        goods.setdefault(name, row["Class Name"] or "Other")
        said.append(
            {
                "source": "review",
                "feedback_id": f"{int(row['row']):06d}",
                "product_id": name,
                "day": ON,
                "rating": row["Rating"],
                "units": 0,
                "writer": None,
                "text": f"{row['Title'] or ''}\n{row['Review Text']}".strip(),
            }
        )
    listing = [
        {
            "product_id": name,
            "title": f"{kind} {name}",
            "description": f"{kind}.",
            "category": kind,
            "active": True,
        }
        for name, kind in goods.items()
    ]
    sold = [
        {
            "variant_id": row["product_id"],
            "product_id": row["product_id"],
            "title": row["title"],
            "category": row["category"],
            "active": True,
            "pack_units": 1,
            "minimum_order_units": 1,
        }
        for row in listing
    ]
    held: dict[Signal, list[dict[str, Any]]] = {
        FEEDBACK: said,
        LISTING: listing,
        CATALOGUE: sold,
    }
    tables = {one.name: one.empty() for one in (*Voice.reads, *Content.reads)}
    tables |= {one.name: table(one, some) for one, some in held.items()}
    when = When(as_of=ON, cutoff_at="2018-01-02T00:00:00", timezone="UTC")
    context = ShopContext(
        currency="USD",
        minor_digits=2,
        when=when,
        holdout_share=0.0,
        holdout_salt="-",
        options={"content": {"most_a_turn": 1_000}},
    )
    return Signals(tables, context)


def table(signal: Signal, rows: Sequence[dict[str, Any]]) -> Any:
    """Return rows as a signal's table; columns they lack are unknown."""
    import pyarrow as pa

    full = [{name: row.get(name) for name in signal.column_names} for row in rows]
    return signal.conform(pa.Table.from_pylist(full, schema=signal.schema()))


def themes(rows: Sequence[dict[str, Any]], mentions: Mentions) -> list[Theme]:
    """Return objections by class of goods, the weightiest first.

    The interval is Newcombe's for a difference of shares, times the reviews.
    """
    goods = np.array([row["Class Name"] or "Other" for row in rows])
    turned = np.array([not row["Recommended IND"] for row in rows])
    found = []
    for kind in np.unique(goods):
        here = goods == kind
        for place, name in enumerate(CLASSES):
            raised = here & mentions.raised[:, place]
            rest = here & ~mentions.raised[:, place]
            count = int(raised.sum())
            if count < LEAST or not rest.any():
                continue
            point, low, high = newcombe(turned[raised], turned[rest])
            said = [
                mentions.quotes[at, place]
                for at in np.flatnonzero(raised & turned).tolist()
                if (at, place) in mentions.quotes
            ]
            fitting = [one for one in said if 40 <= len(one) <= LONGEST]
            found.append(
                Theme(
                    goods=str(kind),
                    objection=name,
                    texts=count,
                    turned=count * point,
                    low=count * low,
                    high=count * high,
                    quotes=tuple(fitting[:QUOTES]),
                )
            )
    return sorted(found, key=lambda one: (-one.turned, one.goods, one.objection))


def newcombe(one: Array, other: Array) -> tuple[float, float, float]:
    """Return a difference of two shares with Newcombe's 95 % interval (method 10)."""
    from cartwheel.measure.kpi.intervals import wilson

    p, q = float(one.mean()), float(other.mean())
    low_p, high_p = wilson(float(one.sum()), len(one))
    low_q, high_q = wilson(float(other.sum()), len(other))
    low = p - q - float(np.hypot(p - low_p, high_q - q))
    high = p - q + float(np.hypot(high_p - p, q - low_q))
    return p - q, low, high


def page(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the page's lines."""
    data = signals(rows)
    mentions = read_mentions(data)
    raising = int(mentions.raised.any(axis=1).sum())
    yield "# What reviews of clothing object to"
    yield ""
    yield (
        f"{len(rows):,} reviews of {len({row['Clothing ID'] for row in rows}):,} "
        "products (Women's E-Commerce Clothing Reviews, CC0), read by the lever "
        f"[voice](voice.md): {raising:,} raise an objection. Printed by `python -m "
        "bench.clothing`."
    )
    yield ""
    yield (
        "The set has no orders. Turned away are reviewers who would not recommend, "
        "beyond the share among reviews of the same class of goods without the "
        "objection, with Newcombe's 95 % interval. It is an association. Money is that "
        f"number at an assumed {WORTH_MINOR / 100:.2f} USD for a customer who stays "
        "away: an assumption, not a finding."
    )
    yield ""
    yield "## The ten weightiest themes"
    yield ""
    yield "| class | objection | reviews | turned away | at stake, USD |"
    yield "|---|---|---:|---|---|"
    top = themes(rows, mentions)[:SHOWN]
    for one in top:
        ends = f"[{one.low:,.0f}, {one.high:,.0f}]"
        money = [x * WORTH_MINOR / 100 for x in (one.turned, one.low, one.high)]
        yield (
            f"| {one.goods} | {CLASSES[one.objection].lower()} | {one.texts:,} | "
            f"{one.turned:,.0f} {ends} | {money[0]:,.0f} [{money[1]:,.0f}, "
            f"{money[2]:,.0f}] |"
        )
    yield ""
    yield "In reviewers' words:"
    yield ""
    for one in top:
        for quote in one.quotes:
            yield f"- {one.goods}, {CLASSES[one.objection].lower()}: “{quote}”"
    yield ""
    yield from fixes(data)


def fixes(data: Signals) -> Iterator[str]:
    """Yield the page fixes that the facts can carry, and how their claims were told."""
    voice, content = Voice(), Content()
    learned = voice.learn(data, None, seed=SEED)
    told = data.with_tables(dict(voice.emit(learned, data)))
    model = content.learn(told, None, seed=SEED)
    drafts = [
        one for one in content.decide(model, told, seed=SEED) if one.kind == "page_fix"
    ]
    facts = ShopFacts({name: told.table(one) for name, one in READ.items()})
    lines = blocked = 0
    for one in drafts:
        known = facts.of(one.subject.partition(":")[2])
        text = "\n".join(str(line["text"]) for line in one.action["said"])
        checked = check_draft(text, known)
        lines += len(checked)
        blocked += sum(bool(claim.blocked) for claim in checked)
    yield "## Page fixes"
    yield ""
    yield (
        f"{len(drafts):,} products have a page fix: the set holds no facts of "
        "products, so a fix is what customers found of the size, where it is told from "
        f"chance. The claim check read {lines:,} lines and blocked {blocked:,}. The "
        "first three:"
    )
    yield ""
    for one in drafts[:FIXES]:
        name = one.subject.partition(":")[2]
        yield f"- **{facts.listing(name)['title']}** ({one.action['form']})"
        for line in one.action["said"]:
            yield f"  - {line['text']} *Source: {', '.join(line['sources'])}.*"
        for quote in one.evidence["quotes"][:1]:
            yield f"  - A reviewer: “{quote}”"


READ = {
    one.name: one
    for one in (LISTING, CATALOGUE, QUESTIONS, POLICIES, FEEDBACK, OBJECTIONS)
}


if __name__ == "__main__":
    sys.exit(main())
