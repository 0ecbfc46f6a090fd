"""`cartwheel voice`: what the published turn found that customers object to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cartwheel.levers.voice import Voice
from cartwheel.operations import page_data
from cartwheel.text.objections.classes import CLASSES
from cartwheel.voice_command import themes, to_lines
from tests.cli.program import Run, assert_one_line
from tests.levers.new_themes import praise, shop, squeaks
from tests.levers.test_voice_corrections import corrected, tents
from tests.levers.test_voice_corrections import row as said_row
from tests.levers.test_voice_searches import searched
from tests.turned import Turned


def test_objections_by_money_with_words(run: Run, turned: Turned) -> None:
    value = run("voice", "--shop", turned.folder, "--json").json()
    assert value["turn"] == 2
    assert 0 < value["raising"] <= value["texts"]
    stakes = [row["stake_minor"] or 0 for row in value["objections"]]
    assert stakes == sorted(stakes, reverse=True)
    assert {row["objection"] for row in value["objections"]} <= set(CLASSES)
    assert len(value["products"]) <= 20
    for row in value["products"]:
        if row["stake_minor"] is not None:
            assert row["low_minor"] <= row["stake_minor"] <= row["high_minor"]
    said = run("voice", "--shop", turned.folder).out
    assert f"{value['raising']:,} of {value['texts']:,} texts" in said
    assert CLASSES[value["objections"][0]["objection"]] in said


def test_one_product_and_one_objection(run: Run, turned: Turned) -> None:
    value = run("voice", "--shop", turned.folder, "--json").json()
    row = value["products"][0]
    only = ("--product", row["product_id"], "--objection", row["objection"])
    found = run("voice", "--shop", turned.folder, *only, "--json").json()
    assert found["products"] == [row]
    assert [one["objection"] for one in found["objections"]] == [row["objection"]]


def test_wrong_questions_are_answered_in_one_line(
    run: Run, turned: Turned, empty: Path
) -> None:
    done = run("voice", "--shop", turned.folder, "--objection", "taste")
    assert_one_line(done, 2, "size_fit")
    done = run("voice", "--shop", turned.folder, "--product", "no\nsuch")
    assert_one_line(done, 2, "No text")
    assert_one_line(run("voice", "--shop", empty), 2, "cartwheel turn")


def test_the_turn_published_the_page_of_the_same(run: Run, turned: Turned) -> None:
    value = run("voice", "--shop", turned.folder, "--json").json()
    page = page_data(turned.shop.database, "voice", 2)
    names = ("objection", "mentions", "recent", "before", "rising", "stake_minor")
    assert [[one[name] for name in names] for one in page["themes"]] == [
        [one[name] for name in names] for one in value["objections"]
    ]


def test_corrections_and_what_they_taught_are_told() -> None:
    model = Voice().learn(tents(9, into="service"), None, seed=1)
    body = themes(model, product=None, objection=None, top=3)
    said = "\n".join(to_lines(body, "EUR", 2))
    assert (
        'No longer read as size and fit but as service: "tent"; 9 of 9 were corrected.'
        in said
    )
    data = corrected(
        tents(0),
        said_row("a", "merge", "price", into_objection="size_fit"),
        said_row("b", "split", "size_fit", title="Pitched", words="pitched"),
    )
    model = Voice().learn(data, None, seed=1)
    body = themes(model, product=None, objection="size_fit", top=3)
    said = "\n".join(to_lines(body, "EUR", 2))
    assert "Size and fit with price: 10 texts" in said
    assert "0 displeased; " in said or "10 displeased; " in said
    assert "    Pitched: 10 texts" in said
    assert body["objections"][0]["splits"][0]["mentions"] == 10


def test_new_themes_and_own_ones_are_told() -> None:
    data = shop([*praise(), *squeaks()])
    model = Voice().learn(data, None, seed=1)
    body = themes(model, product=None, objection=None, top=3)
    said = "\n".join(to_lines(body, "EUR", 2))
    key = body["fresh"][0]["key"]
    assert f"  New, fits no class: hinge ({key}): 20 texts, 0 in the last" in said
    own = said_row("a", "split", "", title="Loud hinge", words="hinge")
    model = Voice().learn(corrected(data, own), None, seed=1)
    body = themes(model, product=None, objection=None, top=3)
    assert "  Your own, Loud hinge: 20 texts" in "\n".join(to_lines(body, "EUR", 2))


def test_a_model_of_before_corrections_is_still_told() -> None:
    model = Voice().learn(tents(0), None, seed=1)
    late = ("split_", "standing", "merged", "splits", "corrected", "lessons")
    late += ("fresh", "displeased", "mood_texts")
    old = replace(
        model,
        arrays={n: a for n, a in model.arrays.items() if not n.startswith(late)},
        meta={n: v for n, v in model.meta.items() if n not in late},
    )
    body = themes(old, product=None, objection=None, top=3)
    assert body["objections"][0]["splits"] == []
    assert to_lines(body, "EUR", 2)


def test_searches_without_result_are_told_apart_from_themes() -> None:
    data = searched(
        {
            "query": "it runs small",
            "without_result": 9,
            "category": "Shirts",
            "sold_out": 2,
            "missed_minor": 4_500,
        },
        {"query": "tent", "without_result": 3},
    )
    model = Voice().learn(data, None, seed=1)
    body = themes(model, product=None, objection=None, top=1)
    assert [one["query"] for one in body["searches"]] == ["it runs small"]
    said = to_lines(body, "EUR", 2)
    assert "Searched for in 90 days and not found; counted in no theme:" in said
    assert (
        '  "it runs small": 9 of 10 searches, asks for Shirts, 2 products sold out; '
        "EUR 45 missed at most; words of size and fit" in said
    )
    body = themes(model, product=None, objection="price", top=9)
    assert body["searches"] == []
    assert themes(model, product="p", objection=None, top=9)["searches"] == []
