"""Sets of support questions are found by their folders and counted apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.support import lever_answer
from bench.support_fit import FOLDS, fold_of
from bench.support_sets import made_model, parts, says_it

MANUAL = {
    "policies": [
        {
            "policy_id": "post",
            "topic": "shipping",
            "title": "Delivery",
            "body": "Delivery to Malta costs 7.50.",
        }
    ],
    "products": [{"product_id": "cup", "title": "Blue cup", "price_minor": 900}],
    "questions": [],
}
ASKED = {
    "id": "1",
    "text": "How much does delivery to Malta cost?",
    "product_id": None,
    "kind": "policy",
    "answerable": True,
    "source": "post",
    "must_say": ["7.50"],
}


def labels(folder: Path) -> Path:
    for name in ("first", "second"):
        (folder / name).mkdir()
        (folder / name / "manual.json").write_text(json.dumps(MANUAL), "utf-8")
        (folder / name / "held-out.jsonl").write_text(json.dumps(ASKED), "utf-8")
    (folder / "first" / "development.jsonl").write_text("", "utf-8")
    (folder / "others").mkdir()
    (folder / "others" / "held-out.jsonl").write_text("{}", "utf-8")
    return folder


def test_sets_are_folders_with_a_manual(tmp_path: Path) -> None:
    where = labels(tmp_path)
    found = [(one.label, one.held_out) for one in parts(labels=where)]
    assert found == [
        ("first/development", False),
        ("first/held-out", True),
        ("second/held-out", True),
    ]


def test_one_set_or_part_can_be_measured_alone(tmp_path: Path) -> None:
    where = labels(tmp_path)
    assert [one.label for one in parts(["second"], where)] == ["second/held-out"]
    assert [one.label for one in parts(["first/held-out"], where)] == ["first/held-out"]
    with pytest.raises(ValueError, match="no set of questions"):
        parts(["third"], where)


def test_a_manual_with_the_least_it_must_hold_answers(tmp_path: Path) -> None:
    (part,) = parts(["second"], labels(tmp_path))
    model = made_model(part.manual(), "")
    (row,) = part.rows()
    found = lever_answer(model, row, 0.0)
    assert (found.refused, found.right) == (False, True)
    wrong = lever_answer(model, {**row, "must_say": ["8.50"]}, 0.0)
    assert (wrong.refused, wrong.right) == (False, False)


def test_right_needs_all_that_a_label_asks_for() -> None:
    both = {**ASKED, "must_say": ["7.50", "Malta"]}
    assert says_it(both, ["to MALTA", "it costs 7.50"])
    assert not says_it(both, ["it costs 7.50"])
    assert not says_it({**both, "must_say": []}, ["it costs 7.50"])
    assert not says_it({**both, "answerable": False}, ["to Malta 7.50"])


def test_questions_about_one_source_are_in_one_fold() -> None:
    other = {**ASKED, "id": "2", "text": "To Malta?"}
    assert fold_of(ASKED) == fold_of(other)
    rows = [{**ASKED, "source": f"policy-{number}"} for number in range(60)]
    assert {fold_of(row) for row in rows} == set(range(FOLDS))
