"""The outline of a buying guide: what is asked, and what divides the products."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cartwheel.levers.base import Autonomy, Decision
from cartwheel.levers.content.outline import (
    LEAST_PRODUCTS,
    LEAST_TEXTS,
    MOST_OUTLINES,
    MOST_PRODUCTS,
    MOST_VALUES,
)
from tests.levers.test_content import LEVER, decide, objection, shop
from tests.levers.test_content_compare import lamp

SOCKETS = ("E27", "E27", "E27", "E14", "E14", "GU10")
VOLTS = ("230 V", "230 V", "230 V", "230 V", "12 V", "12 V")


def lamps(category: str = "Lamps", first: int = 1) -> list[dict[str, Any]]:
    found = []
    for at, (socket, volts) in enumerate(zip(SOCKETS, VOLTS, strict=True)):
        held = {"Socket": socket, "Voltage": volts, "Code": f"X{at}"}
        page = lamp(f"P{first + at}", category=category)
        found.append({**page, "attributes": json.dumps(held)})
    return found


def asked(at: int, question: str, product: str = "P1", **more: Any) -> dict[str, Any]:
    return {
        "question_id": f"q{at}",
        "product_id": product,
        "question": question,
        **more,
    }


LOUD = [objection("P1", "compatibility", mentions=LEAST_TEXTS, stake_minor=7_000)]


def outlines(**given: Any) -> list[Decision]:
    data = shop(**{"objections": LOUD, "pages": lamps(), **given})
    return [one for one in decide(data) if one.kind == "guide_outline"]


def test_an_outline_tells_what_is_asked_and_what_divides_the_products() -> None:
    questions = [
        asked(1, "Which bulb does it take?"),
        asked(2, "which bulb does it take", "P2", answer="An E27."),
        asked(3, "Is it dimmable? Write to me@example.org"),
        asked(4, "Is it heavy?", "elsewhere"),
    ]
    (guide,) = outlines(questions=questions)
    assert guide.subject == "category:Lamps"
    assert guide.worth_minor == 7_000
    assert "20 texts ask or object in Lamps, where 6 products" in guide.reason
    first, second = guide.action["questions"]
    assert first == {
        "question": "which bulb does it take",
        "times": 2,
        "products": 2,
        "answered": True,
        "sources": ["question:q2"],
    }
    assert second["question"] == "Is it dimmable? Write to [e-mail]"
    assert second["answered"] is False
    socket, volts = guide.action["attributes"]
    assert (socket["name"], volts["name"]) == ("Socket", "Voltage")
    assert [(one["value"], one["products"]) for one in socket["values"]] == [
        ("E27", 3),
        ("E14", 2),
        ("GU10", 1),
    ]
    assert socket["values"][1]["first"][0] == {
        "product_id": "P4",
        "title": "Lamp P4",
        "sources": ["product:P4/attribute:Socket"],
    }
    assert guide.evidence["sources"]["product:P4/attribute:Socket"] == (
        "Lamp P4, Socket: E14"
    )
    assert guide.evidence["objections"] == {"compatibility": LEAST_TEXTS}


def test_an_outline_is_suggested_and_goes_nowhere() -> None:
    (kind,) = [one for one in LEVER.kinds if one.name == "guide_outline"]
    assert kind.autonomy is Autonomy.SUGGEST


@pytest.mark.parametrize(
    "given",
    [
        {"pages": [lamps()[at] for at in (0, 1, 3, 4)]},
        {"objections": [{**LOUD[0], "mentions": LEAST_TEXTS - 1}]},
        {"pages": [{**one, "attributes": '{"Socket": "E27"}'} for one in lamps()]},
        {"pages": [{**one, "category": None} for one in lamps()]},
        {"pages": [{**one, "active": False} for one in lamps()]},
    ],
)
def test_without_enough_there_is_no_outline(given: dict[str, Any]) -> None:
    assert LEAST_PRODUCTS == 5  # the first case has one less, and is divided as well
    assert outlines() != []
    assert outlines(**given) == []


def test_questions_alone_are_enough() -> None:
    questions = [asked(at, f"Question {at}?") for at in range(LEAST_TEXTS)]
    quiet = [{**LOUD[0], "mentions": 1}]
    assert outlines(objections=quiet, questions=questions[:-1]) == []
    (guide,) = outlines(objections=quiet, questions=questions)
    assert len(guide.action["questions"]) == 10


def test_sold_out_products_are_not_counted_or_named() -> None:
    variants = [{"variant_id": f"V{at}", "product_id": f"P{at}"} for at in range(1, 7)]
    stock = [{"variant_id": "V4", "on_hand_units": 0}]
    (guide,) = outlines(variants=variants, stock=stock)
    said = json.dumps(guide.action)
    assert "Lamp P4" not in said
    assert guide.evidence["products"] == 5


def test_an_attribute_of_few_products_or_of_as_many_values_divides_nothing() -> None:
    pages = lamps() + lamps(first=7)
    for at, page in enumerate(pages):
        held = json.loads(page["attributes"]) | {"Serial": f"S{at}"}
        rare = {"Shade": ("linen", "paper")[at % 2]} if at < 7 else {}
        page["attributes"] = json.dumps({**held, **rare})
    assert len(pages) > MOST_VALUES
    (guide,) = outlines(pages=pages)
    names = [one["name"] for one in guide.action["attributes"]]
    assert "Serial" not in names
    assert "Shade" not in names  # 7 of 12 have it
    assert all(
        len(value["first"]) <= MOST_PRODUCTS
        for one in guide.action["attributes"]
        for value in one["values"]
    )


def test_the_dearest_categories_come_first_and_few_of_them() -> None:
    names = [f"Kind {at}" for at in range(MOST_OUTLINES + 2)]
    pages = [
        page for at, name in enumerate(names) for page in lamps(name, first=1 + at * 10)
    ]
    rows = [
        objection(
            f"P{1 + at * 10}", "compatibility", mentions=LEAST_TEXTS, stake_minor=at
        )
        for at in range(len(names))
    ]
    found = outlines(pages=pages, objections=rows)
    assert [one.action["category"] for one in found] == names[:1:-1][:MOST_OUTLINES]
    report = LEVER.report(
        LEVER.learn(shop(), None, seed=1), shop(pages=pages, objections=rows)
    )
    titles = {grid.title: grid for grid in report.grids}
    assert len(titles["Buying guides to write"].rows) == MOST_OUTLINES
