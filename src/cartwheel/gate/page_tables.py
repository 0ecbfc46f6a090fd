"""Products beside one another on a page: each cell a fact, and none that cannot be had.

What may not be put before shoppers is cut out of a table here, and not by `promotes`:
the rest of the fix is about the page's own product, and still stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cartwheel.gate.base import Candidate, GateContext
from cartwheel.gate.conflicts import below_cover, under_floor
from cartwheel.gate.eligible import unpromotable
from cartwheel.text.claims import Brand
from cartwheel.text.claims.tables import table_faults
from cartwheel.text.page_block import block_of
from cartwheel.text.page_table import Comparison


def table_of(action: Mapping[str, Any]) -> Comparison | None:
    """Return the table of a page fix, None where it has none.

    Raises:
        ValueError: If what it holds is no table.
    """
    held = action.get("table")
    return None if held is None else Comparison.from_json(held)


def table_fault(table: Comparison, product: str, context: GateContext) -> str:
    """Return why a table may not stand on a product's page, "" where it may.

    Args:
        table: The table.
        product: Product of the page.
        context: What the rules may look at.
    """
    if table.products[0] != product:
        return "its table begins with another product"
    facts = context.facts
    if facts is None:
        return "nothing is known of the products in its table"
    for name, row, why in table_faults(table, facts.of_product, brand_of(context)):
        what = f"{name} in its table"
        return f"{what}: {why}" if row is None else f"{what}, {row.attribute}: {why}"
    return ""


def brand_of(context: GateContext) -> Brand:
    """Return what drafts of this shop may not say."""
    guardrails = context.settings.guardrails
    return Brand(
        forbidden=guardrails.forbidden_words,
        quoted_terms=not guardrails.terms_in_other_words,
    )


def gone_from_tables(context: GateContext) -> dict[str, str]:
    """Return the reason for every product that no table may show.

    A slot may show what is inbound; a page stands for weeks, so a table may not.
    """
    sold_out = {
        product: "sold out"
        for product, variants in context.variants_of().items()
        if all(v.on_hand_units is not None and v.on_hand_units <= 0 for v in variants)
    }
    return {
        **sold_out,
        **unpromotable(context),
        **under_floor(context),
        **below_cover(context),
        **dict.fromkeys(context.hidden, "excluded by the merchant"),
    }


def cut_table(
    candidate: Candidate, table: Comparison, gone: Mapping[str, str]
) -> Candidate:
    """Return a page fix whose table shows only what can be had.

    Where no table is left, what it told of the page's own product stands as lines.

    Args:
        candidate: A page fix with a table whose block is made of what it declares.
        table: Its table.
        gone: Reason by product id that must not be shown.
    """
    out = [name for name in table.products[1:] if name in gone]
    if not out:
        return candidate
    action = dict(candidate.decision.action)
    left = table.without(out)
    action["left_out"] = {name: gone[name] for name in out}
    if left is None:
        del action["table"]
        said = {str(one["text"]) for one in action["said"]}
        own = [one for one in _as_lines(table) if one["text"] not in said]
        action["said"] = [*action["said"], *own]
    else:
        action["table"] = left.to_json()
    action["block"] = block_of(
        str(action["heading"]), action["said"], action["markup"], left
    )
    return replace(candidate, decision=replace(candidate.decision, action=action))


def _as_lines(table: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "text": f"{row.attribute}: {row.values[0]}",
            "question": "",
            "sources": [f"attribute:{row.attribute}"],
        }
        for row in table.rows
    ]
