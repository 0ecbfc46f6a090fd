"""Exports of survey tools: scores 0 to 10, comments masked, who answered."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.connectors.intake import append_harvest
from cartwheel.connectors.nps_survey import NpsSurvey
from cartwheel.connectors.shopify_csv.customers import customer_id
from cartwheel.errors import Misuse
from cartwheel.shop import make_shop
from tests.connectors.tickets.made import (
    ANN,
    CONTEXT,
    as_csv,
    read,
    reasons,
    rows,
)

DELIGHTED = (
    *("Survey Response ID", "Email", "Name", "Score", "Comment"),
    *("Survey Response Time", "Order ID"),
)


def answer(**cells: str) -> tuple[str, ...]:
    plain = {
        "Survey Response ID": "1",
        "Email": ANN,
        "Name": "Ann Lee",
        "Score": "9",
        "Comment": "Lovely, but it runs small. Call +49 30 1234567",
        "Survey Response Time": "2026-03-01T10:00:00+01:00",
        "Order ID": "#1001",
    }
    return tuple((plain | cells)[name] for name in DELIGHTED)


def test_a_score_and_a_comment_become_two_messages(tmp_path: Path) -> None:
    quiet = answer(**{"Survey Response ID": "2", "Score": "10/10", "Comment": ""})
    nobody = answer(**{"Survey Response ID": "3", "Score": "0.0", "Email": "x"})
    path = as_csv(tmp_path / "d.csv", DELIGHTED, answer(), quiet, nobody, answer())
    found = read(NpsSurvey(), path)
    score, comment, second, third, _ = rows(found)
    assert (score["medium"], score["body"], score["direction"]) == ("nps", "9", "in")
    assert (comment["medium"], comment["message_id"]) == ("survey", "nps-1/comment")
    assert comment["body"] == "Lovely, but it runs small. Call [phone]"
    assert {score["customer_id"], comment["customer_id"]} == {
        customer_id("ann@mail.example", None, None)
    }
    assert score["sent_at"] == comment["sent_at"] == datetime(2026, 3, 1, 9)
    assert (score["order_id"], score["address"]) == ("1001", None)
    assert (second["body"], third["body"], third["customer_id"]) == ("10", "0", None)
    assert found.duplicates == (3,)
    assert "ann" not in str(rows(found)).lower()


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("", "no score; expected a whole number from 0 to 10"),
        ("11", "expected a whole number"),
        ("-1", "expected a whole number"),
        ("8.5", "expected a whole number"),
        ("call +49 30 1234567", "expected a whole number"),
    ],
)
def test_what_is_no_score_is_kept_aside(tmp_path: Path, score: str, said: str) -> None:
    path = as_csv(tmp_path / "d.csv", DELIGHTED, answer(Score=score))
    found = read(NpsSurvey(), path)
    assert [one[: len(said)] for one in reasons(found)] == [said]
    assert "1234567" not in str(found.rejects)
    assert rows(found) == []


def test_other_names_and_a_customer_of_the_shop(tmp_path: Path) -> None:
    path = as_csv(
        tmp_path / "n.csv",
        ("date", "nps", "customer_id", "reason"),
        ("2026-03-01", "3", "C1", "<b>Late</b>"),
        ("2026-03-01", "3", "C2", "Late"),
        ("2026-03-01", "3", "C2", "Late"),
    )
    found = read(NpsSurvey(), path)
    assert [(one["customer_id"], one["body"]) for one in rows(found)] == [
        *(("C1", "3"), ("C1", "Late"), ("C2", "3"), ("C2", "Late")),
    ]
    assert found.duplicates == (2,)
    with pytest.raises(Misuse, match="no column of score"):
        read(NpsSurvey(), as_csv(tmp_path / "x.csv", ("date", "text"), ("a", "b")))


def test_an_export_is_imported_once(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", currency="EUR")
    path = as_csv(tmp_path / "d.csv", DELIGHTED, answer())

    def take() -> Any:
        found = read(NpsSurvey(), path)
        return append_harvest(shop, found, "nps", path, CONTEXT.now)

    first, again = take(), take()
    assert (first.rows_kept, first.facts_added) == (1, 2)
    assert (again.rows_kept, again.rows_duplicate, again.facts_added) == (0, 1, 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.text(max_size=10)] * 4), max_size=5))
def test_no_cells_break_the_reader(lines: list[tuple[str, ...]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        header = ("score", "date", "comment", "email")
        path = as_csv(Path(folder) / "n.csv", header, *lines)
        try:
            found = read(NpsSurvey(), path)
        except Misuse:
            return
        scores = [one["body"] for one in rows(found) if one["medium"] == "nps"]
        assert all(0 <= int(one) <= 10 for one in scores)
