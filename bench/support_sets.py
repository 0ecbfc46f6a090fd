"""Sets of support questions: a shop's manual and questions of its shoppers.

A set is a folder under `bench/labels` with a `manual.json` and questions. Each
file `*.jsonl` beside the manual is a part of the set; only one whose name begins with
`development` may be read or fitted on, all others are counted alone. What stands in
them is told in `bench/labels/support/README.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cartwheel.levers.base import Model, Request
from cartwheel.levers.support.learn import learn_model
from cartwheel.signals.base import ShopContext, Signal, Signals, When
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS

LABELS = Path(__file__).parent / "labels"
FITTED = "development"
ON = date(2026, 3, 1)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Questions about one shop.

    Attributes:
        folder: Folder of the set, with the manual.
        name: Name of the file of questions, without its ending.
    """

    folder: Path
    name: str

    @property
    def label(self) -> str:
        """What it is called in tables."""
        return f"{self.folder.name}/{self.name}"

    @property
    def held_out(self) -> bool:
        """It may be counted and never read."""
        return not self.name.startswith(FITTED)

    def manual(self) -> Mapping[str, Any]:
        """Return the shop's manual."""
        return read_manual(self.folder)

    def rows(self) -> list[Row]:
        """Return the questions."""
        text = (self.folder / f"{self.name}.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def parts(wanted: Sequence[str] = (), labels: Path = LABELS) -> list[Part]:
    """Return the parts of all sets, or those wanted, in the order of their names.

    Args:
        wanted: Names of sets (`support`) or of their parts (`support/development`).
        labels: Folder of the sets.

    Raises:
        ValueError: If one that is wanted is not there.
    """
    found = [
        Part(folder=manual.parent, name=file.stem)
        for manual in sorted(labels.rglob("manual.json"))
        for file in sorted(manual.parent.glob("*.jsonl"))
    ]
    known = {one.label for one in found} | {one.folder.name for one in found}
    for name in wanted:
        if name not in known:
            raise ValueError(f"{name} is no set of questions; {sorted(known)} are.")
    if not wanted:
        return found
    return [one for one in found if {one.label, one.folder.name} & set(wanted)]


@cache
def read_manual(folder: Path) -> Mapping[str, Any]:
    """Return the manual of a set's folder."""
    held: dict[str, Any] = json.loads((folder / "manual.json").read_text("utf-8"))
    return held


def made_model(held: Mapping[str, Any], sentence_model: str) -> Model:
    """Return the lever's model of a shop.

    Args:
        held: The shop's manual.
        sentence_model: The sentence model, "" for none.
    """
    import pyarrow as pa

    rows = signal_rows(held)
    tables = {}
    for signal, some in rows.items():
        names = signal.column_names
        full = [{name: row.get(name) for name in names} for row in some]
        table = pa.Table.from_pylist(full, schema=signal.schema())
        tables[signal.name] = signal.conform(table)
    when = When(as_of=ON, cutoff_at="2026-03-02T00:00:00", timezone="UTC")
    context = ShopContext(
        options={"support": {"model_folder": sentence_model}},
        currency="EUR",
        minor_digits=2,
        when=when,
        holdout_share=0.0,
        holdout_salt="-",
    )
    return learn_model(Signals(tables, context))


def signal_rows(held: Mapping[str, Any]) -> dict[Signal, list[dict[str, Any]]]:
    """Return the rows of the lever's signals that a manual makes."""
    listing = [
        {
            **{
                name: row.get(name) or ""
                for name in ("title", "description", "category", "brand")
            },
            "product_id": row["product_id"],
            "attributes": json.dumps(row.get("attributes") or {}),
            "active": True,
        }
        for row in held["products"]
    ]
    prices = [
        {
            "variant_id": row["product_id"],
            "product_id": row["product_id"],
            "title": row["title"],
            "active": True,
            "price_minor": row.get("price_minor"),
            "pack_units": 1,
            "minimum_order_units": 1,
        }
        for row in held["products"]
    ]
    return {
        POLICIES: held["policies"],
        LISTING: listing,
        QUESTIONS: [{**row, "day": ON} for row in held["questions"]],
        CATALOGUE: prices,
        ORDER_STATES: [],
    }


def request_of(row: Row) -> Request:
    """Return the request a question makes."""
    seen = row["product_id"]
    return Request(
        placement="support", query=row["text"], context=(seen,) if seen else ()
    )


def says_it(row: Row, texts: Sequence[str]) -> bool:
    """Tell whether texts together say all that a label asks for."""
    if not row["answerable"]:
        return False
    text = " ".join(texts).casefold()
    wanted = [str(one).casefold() for one in row["must_say"]]
    return bool(wanted) and all(one in text for one in wanted)
