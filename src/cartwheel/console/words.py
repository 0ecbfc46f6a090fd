"""A decision in a merchant's words: what it is about, and what would be done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cartwheel.console.formatting import Formatter, title_of, unit_of
from cartwheel.errors import Failure
from cartwheel.ledger.entry import Entry
from cartwheel.wheel import find_kinds, find_levers

STATE_WORDS = {
    "proposed": "Proposed",
    "approved": "Approved",
    "applied": "Applied",
    "rejected": "Rejected",
    "reverted": "Reverted",
    "expired": "Lapsed",
    "refused": "Refused by the gate",
    "held_out": "Held out",
}
TITLE_KEYS = ("title", "product_title", "product", "name")
OLD_PRICE_KEYS = ("from_minor", "current_price_minor")
SHOWN_FIELDS = 3


@cache
def kind_titles() -> Mapping[str, str]:
    """Return what a merchant calls each kind of decision, by name."""
    try:
        return {name: kind.title for name, kind in find_kinds(find_levers()).items()}
    except Failure:
        # A broken plug-in is the turn's to report; pages stay readable without it.
        return {}


def kind_title(kind: str) -> str:
    """Return what a merchant calls a kind of decision."""
    return kind_titles().get(kind) or title_of(kind)


def lever_title(name: str) -> str:
    """Return what a merchant calls a lever."""
    try:
        lever = find_levers().get(name)
    except Failure:
        lever = None
    return title_of(name) if lever is None else lever.title


def subject_title(entry: Entry, titles: Mapping[str, str] | None = None) -> str:
    """Return what a decision is about: a product's title where it is known.

    Args:
        entry: The decision.
        titles: Titles by subject, as the turn published them.
    """
    if titles and entry.subject in titles:
        return titles[entry.subject]
    for source in (entry.evidence, entry.body.get("action") or {}):
        for key in TITLE_KEYS:
            value = source.get(key)
            if isinstance(value, str) and value.strip():
                return value
    sort, _, name = entry.subject.partition(":")
    return f"{title_of(sort)} {name}" if name else entry.subject


def action_text(entry: Entry, fmt: Formatter) -> str:
    """Return the action in force in one short sentence."""
    action = entry.action
    units = action.get("units")
    if entry.kind == "reorder" and isinstance(units, int | float):
        return f"Order {fmt.value(units, 'units')}"
    if entry.kind == "page_fix":
        form = str(action.get("form", ""))
        return f"Add to the page: {form}, {str(action.get('heading', ''))!r}"
    if entry.kind == "mail_paragraph":
        return f"Add to order mails: {str(action.get('heading', ''))!r}"
    new = action.get("price_minor")
    if isinstance(new, int | float):
        old = next(
            (
                v
                for source in (action, entry.evidence)
                for k in OLD_PRICE_KEYS
                if isinstance(v := source.get(k), int | float)
            ),
            None,
        )
        before = "" if old is None else f"{fmt.money(old, exact=True)} → "
        return f"Price {before}{fmt.money(new, exact=True)}"
    text = ", ".join(
        f"{title_of(name).lower()} {fmt.named(name, value)}"
        for name, value in list(_simple(action).items())[:SHOWN_FIELDS]
    )
    return text[:1].upper() + text[1:]


def field_rows(values: Mapping[str, Any], fmt: Formatter) -> list[tuple[str, str]]:
    """Return every value of a JSON object as a name and a text, nested ones flat."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += [
                (f"{title_of(name)}: {inner.lower()}", text)
                for inner, text in field_rows(value, fmt)
            ]
        elif isinstance(value, list | tuple):
            rows.append((title_of(name), list_text(name, value, fmt)))
        else:
            rows.append((title_of(name), _scalar(name, value, fmt)))
    return rows


def list_text(name: str, values: list[Any] | tuple[Any, ...], fmt: Formatter) -> str:
    """Return a list as one text, long ones shortened with their length."""
    shown = [
        ", ".join(f"{k}: {t}" for k, t in field_rows(v, fmt))
        if isinstance(v, Mapping)
        else _scalar(name, v, fmt)
        for v in values[:24]
    ]
    more = f", … ({len(values)} in all)" if len(values) > len(shown) else ""
    joint = "; " if any(isinstance(v, Mapping) for v in values) else ", "
    return (joint.join(shown) + more) or "none"


def option_table(
    entry: Entry, fmt: Formatter
) -> tuple[list[str], list[tuple[bool, list[str]]]]:
    """Return the headings and rows of the options weighed; the chosen is marked."""
    names = list(dict.fromkeys(name for option in entry.options for name in option))
    names = [name for name in names if name != "chosen"]
    original = entry.body.get("action") or {}
    rows = []
    for option in entry.options:
        shared = {k: v for k, v in option.items() if k in original}
        chosen = option.get("chosen")
        is_chosen = (
            bool(chosen)
            if chosen is not None
            else bool(shared) and all(original[k] == v for k, v in shared.items())
        )
        cells = [
            list_text(name, option[name], fmt)
            if isinstance(option.get(name), list | tuple)
            else _scalar(name, option[name], fmt)
            if name in option
            else "–"
            for name in names
        ]
        rows.append((is_chosen, cells))
    return [title_of(name) for name in names], rows


def _scalar(name: str, value: Any, fmt: Formatter) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {t}" for k, t in field_rows(value, fmt))
    if isinstance(value, str):
        return fmt.cell(value, "") or "–"
    if value is not None and unit_of(name) == "minor":
        return fmt.money(value, exact=True)
    if value is None:
        return "unknown"
    return fmt.named(name, value)


def _simple(action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in action.items()
        if isinstance(value, str | int | float | bool) and not name.endswith("_id")
    }
