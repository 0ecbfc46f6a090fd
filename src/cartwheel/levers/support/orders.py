"""What may be told of an order, and to whom: its own facts, to who placed it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.support.words import sentences_in
from cartwheel.signals.base import Signals
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.text.packed import find, hashes, pack, unpack

Array = np.ndarray[Any, Any]

MOST_TOLD = 3
"""Orders told of in one answer where none is named, newest first."""

_NUMBERED = re.compile(r"[A-Za-z]{0,4}-?#?\d{3,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence about an order.

    Attributes:
        order_id: The order.
        text: What is said.
    """

    order_id: str
    text: str


def order_arrays(data: Signals) -> dict[str, Array]:
    """Return customers' orders as arrays, one text for each customer.

    Args:
        data: The lever's signals.
    """
    held: dict[str, list[dict[str, Any]]] = {}
    for row in data.table(ORDER_STATES).to_pylist():
        back = row.pop("refunded_minor")
        row["given_back"] = data.context.money(back) if back else ""
        held.setdefault(str(row["customer_id"]), []).append(row)
    names = sorted(held)
    keys = hashes(names)
    order = np.argsort(keys, kind="stable")
    texts = []
    for at in order.tolist():
        rows = sorted(held[names[at]], key=lambda r: str(r["order_id"]))
        rows.sort(key=lambda r: str(r["placed_on"]), reverse=True)
        texts.append(json.dumps([names[at], rows], default=str, ensure_ascii=False))
    text, start = pack(texts)
    return {"buyer_hash": keys[order], "order_text": text, "order_start": start}


def orders_of(model: Model, customer: str) -> list[dict[str, Any]]:
    """Return a customer's orders, newest first; none of one nobody knows.

    Args:
        model: A published model.
        customer: Customer id, verified by whoever asks.
    """
    arrays = model.arrays
    at = find(arrays["buyer_hash"], customer)
    if at < 0:
        return []
    name, rows = json.loads(unpack(arrays["order_text"], arrays["order_start"], at))
    # Two customers may share a hash once in ages; they never share an answer.
    found: list[dict[str, Any]] = rows if name == customer else []
    return found


def meant(text: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the orders a text is about: those it names, else the newest.

    Args:
        text: What the customer wrote.
        rows: The customer's own orders, newest first.

    Returns:
        None of them where the text names a number that none of them has.
    """
    named = {_plain(one) for one in _NUMBERED.findall(text)}
    mine = [row for row in rows if _plain(str(row["order_id"])) in named]
    if mine:
        return mine
    return [] if named_order(text) else list(rows[:MOST_TOLD])


_SAYS_NUMBER = re.compile(
    r"(?:\border|\bpedido)\s*(?:number|no\.?|nr\.?|n\.?|numero|número|id)?\s*#?\s*"
    r"[A-Za-z]{0,4}-?\d{3,20}\b|#\s?\d{3,20}\b",
    re.IGNORECASE,
)


def named_order(text: str) -> bool:
    """Tell whether a text names an order by its number."""
    return _SAYS_NUMBER.search(text) is not None


def _plain(written: str) -> str:
    return re.sub(r"[^a-z0-9]", "", written.casefold()).lstrip("0")


def tell(row: Mapping[str, Any], as_of: str, language: str) -> tuple[list[Told], bool]:
    """Return what is said of an order, each sentence a fact of it, and if it is late.

    Args:
        row: The order.
        as_of: Day up to which facts are known, ISO.
        language: Language to say it in.
    """
    write = sentences_in(language)
    known = write["as_of"].format(day=as_of)
    state = write.get(str(row["status"] or "unknown"), write["unknown"])
    said = [
        write["order"].format(
            order_id=row["order_id"],
            placed=row["placed_on"],
            state=state,
            as_of=known,
        )
    ]
    units = int(row["units"] or 0)
    if units:
        said.append(write["unit"] if units == 1 else write["units"].format(units=units))
    late = False
    if row["delivered_on"]:
        said.append(write["delivered"].format(day=row["delivered_on"]))
    elif row["status"] not in ("cancelled", "refunded"):
        said.append(write["not_delivered"])
        if row["promised_on"]:
            said.append(write["promised"].format(day=row["promised_on"]))
            late = str(row["promised_on"]) < as_of
            if late:
                said.append(write["late"])
    if row["given_back"]:
        said.append(write["given_back"].format(amount=row["given_back"]))
    order_id = str(row["order_id"])
    return [Told(order_id=order_id, text=one) for one in said], late
