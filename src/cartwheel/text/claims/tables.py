"""The claim check of a table: each cell is a fact about the product of its column.

A column is checked against the facts of its own product and no other's, so that a value
in the wrong column is no fact, however true it is of the product beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cartwheel.text.claims.check import Brand, Checker
from cartwheel.text.claims.source import Source
from cartwheel.text.page_table import Comparison, Row

FactsOf = Callable[[str], Sequence[Source]]


def table_faults(
    table: Comparison, facts_of: FactsOf, brand: Brand | None = None
) -> Iterable[tuple[str, Row | None, str]]:
    """Yield what may not stand in a table: product, row (None: its name), and why.

    Args:
        table: The table.
        facts_of: Returns the facts about one product.
        brand: What the shop does not say.
    """
    for at, (product, title) in enumerate(
        zip(table.products, table.titles, strict=True)
    ):
        facts = facts_of(product)
        checker = Checker(facts, brand)
        why = _name_fault(title, facts, brand)
        if why:
            yield product, None, why
        for row in table.rows:
            why = _cell_fault(row.attribute, row.values[at], facts, checker)
            if why:
                yield product, row, why


def _name_fault(title: str, facts: Iterable[Source], brand: Brand | None) -> str:
    if title not in [one.text for one in facts if one.kind == "title"]:
        return "it is not what the product is called"
    named = Checker([Source(id="title", kind="text", text=title)], brand)
    return _blocked(named, title)


def _cell_fault(
    attribute: str, value: str, facts: Iterable[Source], checker: Checker
) -> str:
    held = {one.name: one.text for one in facts if one.kind == "attribute"}
    if held.get(attribute) != value:
        return "no fact about the product of its column says it"
    return _blocked(checker, f"{attribute}: {value}")


def _blocked(checker: Checker, text: str) -> str:
    return next((one.blocked for one in checker.check(text) if one.blocked), "")
