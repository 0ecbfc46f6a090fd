"""A product beside others: shared attributes that differ, of what can be had now."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.gate.page_changes import page_changes
from cartwheel.levers.base import Decision
from cartwheel.levers.content.compare import ANSWERED, LONGEST_VALUE, MOST_ROWS
from cartwheel.signals.base import Signals
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES
from cartwheel.text.page_table import MOST_PRODUCTS
from tests.gate.test_page_changes import candidate, context
from tests.levers.made import made_context
from tests.levers.test_content import LEVER, decide, objection, shop


def lamp(name: str, **more: Any) -> dict[str, Any]:
    held = {"Voltage": "230 V", "Socket": "E27", "Material": "brass"}
    return {
        "product_id": name,
        "title": f"Lamp {name}",
        "category": "Lamps",
        "description": f"A lamp for the desk, called {name}, with a long arm.",
        "attributes": json.dumps({**held, **more.pop("attributes", {})}),
        **more,
    }


SOCKETS = [
    lamp("P1"),
    lamp("P2", attributes={"Socket": "E14"}),
    lamp("P3", attributes={"Socket": "GU10", "Voltage": "12 V"}),
]
FIT = [objection(kind="compatibility")]


def table(*decisions: Decision) -> dict[str, Any]:
    (fix,) = [one for one in decisions if one.kind == "page_fix"]
    found: dict[str, Any] = fix.action.get("table") or {}
    return found


def columns(found: dict[str, Any]) -> list[str]:
    return [one["product_id"] for one in found.get("products", ())]


def cells(found: dict[str, Any]) -> dict[str, list[str]]:
    return {
        row["attribute"]: [cell["text"] for cell in row["cells"]]
        for row in found.get("rows", ())
    }


def test_shared_attributes_that_differ_stand_side_by_side() -> None:
    (fix,) = decide(shop(objections=FIT, pages=SOCKETS))
    found = table(fix)
    assert columns(found) == ["P1", "P3", "P2"]
    assert cells(found) == {
        "Socket": ["E27", "GU10", "E14"],
        "Voltage": ["230 V", "12 V", "230 V"],
    }
    assert found["rows"][0]["cells"][1]["sources"] == ["product:P3/attribute:Socket"]
    assert fix.evidence["sources"]["product:P3/attribute:Socket"] == (
        "Lamp P3, Socket: GU10"
    )
    # What the table tells of the product is not told a second time.
    assert fix.action["said"] == []
    assert fix.action["form"] == "comparison table"
    assert "  Lamp P3: GU10" in fix.action["block"]
    for word in ("better", "best", "more", "than"):
        assert word not in fix.action["block"]


def test_a_page_with_mark_up_gets_a_table() -> None:
    pages = [{**one, "page_html": "<p>A lamp.</p>"} for one in SOCKETS]
    (fix,) = decide(shop(objections=FIT, pages=pages))
    assert '<th scope="col">Lamp P3</th>' in fix.action["block"]
    assert '<th scope="row">Socket</th><td>E27</td><td>GU10</td>' in fix.action["block"]


def test_a_table_answers_where_the_page_says_all_the_product_has() -> None:
    told = "A lamp. Voltage: 230 V. Socket: E27. Material: brass."
    pages = [lamp("P1", description=told), *SOCKETS[1:]]
    (fix,) = decide(shop(objections=FIT, pages=pages))
    assert fix.action["heading"] == "What it fits"
    assert columns(table(fix)) == ["P1", "P3", "P2"]


@pytest.mark.parametrize(
    "gone",
    [
        {"stock": [{"variant_id": "V3", "on_hand_units": 0, "inbound_units": 0}]},
        {"stock": [{"variant_id": "V3", "on_hand_units": 0, "inbound_units": 9}]},
        {"pages": [*SOCKETS[:2], {**SOCKETS[2], "active": False}]},
        {"pages": [*SOCKETS[:2], {**SOCKETS[2], "category": "Bulbs"}]},
        {"pages": [*SOCKETS[:2], {**SOCKETS[2], "title": ""}]},
        {"pages": [*SOCKETS[:2], {**SOCKETS[2], "title": "The best lamp ever"}]},
    ],
)
def test_what_cannot_be_had_or_named_is_not_shown(gone: dict[str, Any]) -> None:
    variants = [{"variant_id": f"V{at}", "product_id": f"P{at}"} for at in (1, 2, 3)]
    given = {"objections": FIT, "pages": SOCKETS, "variants": variants, **gone}
    assert columns(table(*decide(shop(**given)))) == ["P1", "P2"]


def test_what_the_merchant_blocked_is_not_shown() -> None:
    data = shop(objections=FIT, pages=SOCKETS)
    options = {"guardrails": {"blocked_products": ["P3"]}}
    names = [signal.name for signal in LEVER.reads]
    tables = {signal.name: data.table(signal) for signal in LEVER.reads}
    blocked = Signals(tables, made_context(options=options), names)
    assert columns(table(*decide(blocked))) == ["P1", "P2"]


def test_products_alike_in_all_are_not_compared() -> None:
    same = [
        lamp("P1", attributes={"Size": "1.5 m"}),
        lamp("P2", attributes={"Size": "150 cm"}),
    ]
    assert table(*decide(shop(objections=FIT, pages=same))) == {}


def test_a_table_has_few_columns_and_rows_and_no_empty_cell() -> None:
    many = {f"Part {at}": f"a {at}" for at in range(20)}
    pages = [
        lamp(f"P{at}", attributes={name: f"{at} {name}" for name in many})
        for at in range(9)
    ]
    pages.append(lamp("Q", attributes={"Part 0": "nine"}))
    pages[3]["attributes"] = json.dumps({"Part 1": "x" * (LONGEST_VALUE + 1)})
    ask = [objection("P1", kind="missing_information")]
    found = table(*decide(shop(objections=ask, pages=pages)))
    assert len(columns(found)) == MOST_PRODUCTS
    assert len(found["rows"]) == MOST_ROWS
    assert {len(row["cells"]) for row in found["rows"]} == {MOST_PRODUCTS}
    assert "Q" not in columns(found)


def test_a_product_that_lacks_an_attribute_costs_no_row() -> None:
    lacking = {**lamp("P9"), "attributes": '{"Socket": "G9"}'}
    found = table(*decide(shop(objections=FIT, pages=[*SOCKETS, lacking])))
    assert columns(found) == ["P1", "P3", "P2"]
    assert set(cells(found)) == {"Socket", "Voltage"}


def test_what_is_described_otherwise_is_another_thing() -> None:
    """A lamp and a blanket of one category, both of which have a weight."""
    pages = [
        {**lamp("P1"), "attributes": '{"Weight": "2 kg", "Socket": "E27", "Arm": "a"}'},
        {**lamp("P2"), "attributes": '{"Weight": "1 kg", "Weave": "b", "Care": "c"}'},
        {
            **lamp("P3"),
            "attributes": '{"Weight": "3 kg", "Socket": "E14", "Foot": "d"}',
        },
    ]
    ask = [objection(kind="missing_information")]
    found = table(*decide(shop(objections=ask, pages=pages)))
    assert columns(found) == ["P1", "P3"]
    assert set(cells(found)) == {"Socket", "Weight"}


def test_sizes_are_compared_only_where_there_is_one() -> None:
    pages = [
        {**lamp("P1"), "attributes": '{"Height": "40 cm"}'},
        {**lamp("P2"), "attributes": '{"Height": "60 cm"}'},
    ]
    ask = [objection(kind="size_fit")]
    assert cells(table(*decide(shop(objections=ask, pages=pages)))) == {
        "Height": ["40 cm", "60 cm"]
    }
    sizes = [
        {"variant_id": f"V{size}", "product_id": "P1", "title": f"Lamp P1, {size}"}
        for size in "SM"
    ]
    data = shop(objections=ask, pages=pages, variants=sizes)
    assert table(*decide(data)) == {}


@pytest.mark.parametrize("kind", sorted(set(CLASSES) - ANSWERED))
def test_other_objections_get_no_table(kind: str) -> None:
    more = {"Delivery": "2 days", "Colour": "red", "Care": "wipe it"}
    other = {"Delivery": "3 days", "Colour": "blue", "Care": "wash it"}
    pages = [lamp("P1", attributes=more), lamp("P2", attributes=other)]
    for one in decide(shop(objections=[objection(kind=kind)], pages=pages)):
        assert "table" not in one.action


def test_a_page_with_a_table_of_ours_gets_no_second() -> None:
    shown = SOCKETS[0]["description"] + " Side by side. Lamp P1, Lamp P2."
    pages = [{**SOCKETS[0], "description": shown}, *SOCKETS[1:]]
    assert table(*decide(shop(objections=FIT, pages=pages))) == {}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["Socket", "Voltage", "Fits", "System"]),
            st.one_of(
                st.sampled_from(
                    ["E27", "E14", "the best", "only 3 left", "no", "12 V"]
                ),
                st.text(max_size=12),
            ),
            max_size=4,
        ),
        min_size=2,
        max_size=6,
    )
)
def test_every_table_passes_the_gate_and_each_cell_is_its_products_own(
    held: list[dict[str, str]],
) -> None:
    pages = [
        lamp(f"P{at + 1}", attributes=one) | {"attributes": json.dumps(one)}
        for at, one in enumerate(held)
    ]
    data = shop(objections=FIT, pages=pages)
    facts = ShopFacts({s.name: data.table(s) for s in LEVER.reads})
    for fix in decide(data):
        if fix.kind != "page_fix":
            continue
        verdict = page_changes([candidate(fix)], context(facts=facts))
        assert not verdict.refused
        found = table(fix)
        for row in found.get("rows", ()):
            for product, cell in zip(columns(found), row["cells"], strict=True):
                name = f"attribute:{row['attribute']}"
                own = {s.id: s.text for s in facts.of_product(product)}
                assert own[name] == cell["text"]
