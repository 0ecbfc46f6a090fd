"""`cartwheel voice`: what the published turn found that customers object to."""

from __future__ import annotations

from pathlib import Path

from cartwheel.text.objections.classes import CLASSES
from tests.cli.program import Run, assert_one_line
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
