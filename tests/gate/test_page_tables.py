"""A cell is a fact about the product of its column, and every product can be had."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from cartwheel.gate.base import GateContext, VariantFacts
from cartwheel.gate.order import pass_gate
from cartwheel.gate.page_changes import page_changes
from cartwheel.levers.base import Autonomy, Decision, Kind
from cartwheel.settings import Guardrails, Settings
from cartwheel.signals.listing import LISTING
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.page_block import block_of
from cartwheel.text.page_table import Comparison, Row
from tests.gate.test_page_changes import candidate, context, line
from tests.page_fixes import fix

HELD = {
    "P1": {"Socket": "E27", "Voltage": "230 V"},
    "P2": {"Socket": "E14", "Voltage": "230 V"},
    "P3": {"Socket": "GU10", "Voltage": "12 V", "Note": "the best there is"},
}
TABLE = Comparison(
    caption="Side by side",
    products=("P1", "P2", "P3"),
    titles=("Lamp P1", "Lamp P2", "Lamp P3"),
    rows=(
        Row(attribute="Socket", values=("E27", "E14", "GU10")),
        Row(attribute="Voltage", values=("230 V", "230 V", "12 V")),
    ),
)


def lamps(**changes: Any) -> GateContext:
    rows = [
        dict.fromkeys(LISTING.column_names)
        | {
            "product_id": name,
            "title": f"Lamp {name}",
            "category": "Lamps",
            "attributes": json.dumps(held),
        }
        for name, held in HELD.items()
    ]
    listing = pa.Table.from_pylist(rows, schema=LISTING.schema())
    return context(facts=ShopFacts({"listing": listing}), **changes)


def shown(
    table: Comparison | dict[str, Any], *said: dict[str, Any], markup: str = "html"
) -> Decision:
    made = fix(said=said or ())
    held = table.to_json() if isinstance(table, Comparison) else table
    drawn = table if isinstance(table, Comparison) else TABLE
    block = block_of("What it fits", said, "html", drawn)
    action = {**made.action, "heading": "What it fits", "said": list(said)}
    return replace(made, action={**action, "table": held, "block": block})


def why(decision: Decision, **changes: Any) -> str:
    verdict = page_changes([candidate(decision)], lamps(**changes))
    return "" if verdict.passed else verdict.refused[0].reason


def with_values(attribute: str, *values: str) -> Comparison:
    rows = [row for row in TABLE.rows if row.attribute != attribute]
    return replace(TABLE, rows=(Row(attribute=attribute, values=values), *rows))


def test_a_table_of_facts_passes_with_or_without_sentences() -> None:
    assert why(shown(TABLE)) == ""
    assert why(shown(TABLE, line("Voltage: 230 V"))) == ""


@pytest.mark.parametrize(
    ("values", "product"),
    [
        (("E14", "E27", "GU10"), "P1"),  # both are facts, of the other product
        (("E27", "GU10", "E14"), "P2"),
        (("GU10", "E14", "E27"), "P1"),
        (("E27", "E14", "E14"), "P3"),
        (("E27", "E14", "GU10 and E14"), "P3"),
        (("E27", "E14", ""), "P3"),
        (("E27", "E14", "<b>GU10</b>"), "P3"),
    ],
)
def test_a_value_in_the_wrong_column_is_blocked(
    values: tuple[str, ...], product: str
) -> None:
    said = why(shown(with_values("Socket", *values)))
    assert said == (
        f"{product} in its table, Socket: no fact about the product of its column "
        "says it"
    )


def test_swapped_columns_are_blocked() -> None:
    swapped = replace(TABLE, titles=("Lamp P1", "Lamp P3", "Lamp P2"))
    assert "P2 in its table: it is not what the product is called" in why(
        shown(swapped)
    )
    renamed = replace(TABLE, products=("P1", "P3", "P2"))
    assert "P3 in its table" in why(shown(renamed))


def test_a_value_under_another_attributes_name_is_blocked() -> None:
    wrong = with_values("Voltage", "E27", "E14", "GU10")
    assert "P1 in its table, Voltage" in why(shown(wrong))


def test_a_table_of_another_page_is_blocked() -> None:
    turned = Comparison(
        caption=TABLE.caption,
        products=("P2", "P1"),
        titles=("Lamp P2", "Lamp P1"),
        rows=(Row(attribute="Socket", values=("E14", "E27")),),
    )
    assert "begins with another product" in why(shown(turned))


def test_what_no_page_may_say_is_no_cell_and_no_caption() -> None:
    loud = Comparison(
        caption="Side by side",
        products=("P1", "P3"),
        titles=("Lamp P1", "Lamp P3"),
        rows=(
            Row(attribute="Note", values=("the best there is", "the best there is")),
        ),
    )
    assert "in its table, Note" in why(shown(loud))
    assert "superlative" in why(shown(replace(TABLE, caption="The best of all")))
    words = Settings(currency="EUR", guardrails=Guardrails(forbidden_words=("gu10",)))
    assert "does not say 'gu10'" in why(shown(TABLE), settings=words)


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"caption": "c", "products": [], "rows": []},
        {**TABLE.to_json(), "rows": []},
        {**TABLE.to_json(), "products": TABLE.to_json()["products"][:1]},
        {**TABLE.to_json(), "products": TABLE.to_json()["products"][:2]},
        {**TABLE.to_json(), "products": [TABLE.to_json()["products"][0]] * 3},
        "a table",
    ],
)
def test_what_is_no_table_is_refused(held: Any) -> None:
    assert "sentence by sentence" in why(shown(held))


def test_a_block_with_another_table_is_refused() -> None:
    honest = shown(TABLE)
    other = replace(TABLE, rows=TABLE.rows[:1])
    action = {**honest.action, "table": other.to_json()}
    assert "not made of the sentences" in why(replace(honest, action=action))


def stocked(**units: int) -> dict[str, VariantFacts]:
    return {
        name: VariantFacts(
            product_id=name,
            price_minor=1000,
            cost_minor=500,
            on_hand_units=units.get(name, 5),
            inbound_units=3,
            cover_days=None,
        )
        for name in HELD
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"variants": stocked(P3=0)}, "sold out"),
        ({"inactive_products": frozenset({"P3"})}, "not active"),
        ({"hidden": frozenset({"P3"})}, "excluded by the merchant"),
        (
            {
                "settings": Settings(
                    currency="EUR", guardrails=Guardrails(blocked_products=("P3",))
                )
            },
            "blocked in the settings",
        ),
    ],
)
def test_what_cannot_be_had_is_cut_out_of_the_table(
    changes: dict[str, Any], reason: str
) -> None:
    verdict = page_changes([candidate(shown(TABLE))], lamps(**changes))
    (passed,) = verdict.passed
    action = passed.decision.action
    left = Comparison.from_json(action["table"])
    assert left.products == ("P1", "P2")
    assert [row.attribute for row in left.rows] == ["Socket"]  # 230 V for both
    assert "Lamp P3" not in action["block"]
    assert action["left_out"] == {"P3": reason}
    assert action["block"] == block_of(
        "What it fits", action["said"], action["markup"], left
    )


def test_where_no_table_is_left_the_products_own_facts_stand() -> None:
    gone = frozenset({"P2", "P3"})
    made = shown(TABLE, line("Socket: E27"))
    verdict = page_changes([candidate(made)], lamps(inactive_products=gone))
    (passed,) = verdict.passed
    action = passed.decision.action
    assert "table" not in action
    texts = [one["text"] for one in action["said"]]
    assert texts == ["Socket: E27", "Voltage: 230 V"]
    assert "<table>" not in action["block"]


def test_a_fix_with_a_table_passes_the_whole_gate() -> None:
    kinds = {"page_fix": Kind(name="page_fix", title="Fix", autonomy=Autonomy.APPROVE)}
    verdict = pass_gate(
        [candidate(shown(TABLE))], lamps(kinds=kinds, variants=stocked(P2=0))
    )
    (passed,) = verdict.passed
    assert passed.state == "proposed"
    assert Comparison.from_json(passed.decision.action["table"]).products == (
        "P1",
        "P3",
    )
