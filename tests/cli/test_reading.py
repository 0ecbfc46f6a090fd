"""Reading a shop: the shapes other programs rely on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.program import Done, Run, assert_one_line
from tests.turned import SECOND_DAY, Turned


def test_shop_comes_from_the_environment(
    run: Run, turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTWHEEL_SHOP", str(turned.folder))
    assert run("status", "--json").json()["published_turn"] == 2


def test_status_has_the_shape_other_programs_rely_on(run: Run, turned: Turned) -> None:
    value = run("status", "--shop", turned.folder, "--json").json()
    assert value["published_turn"] == 2
    assert value["holdout_share"] == 0.05
    assert value["facts"]["orders"] == 367
    assert set(value["freshness"]) == set(value["facts"])
    assert value["freshness"]["orders"] == SECOND_DAY.isoformat()
    assert value["freshness"]["receipts"] <= SECOND_DAY.isoformat()
    assert [item["turn"] for item in value["turns"]] == [2, 1]


def test_status_for_people(run: Run, turned: Turned) -> None:
    done = run("status", "--shop", turned.folder)
    assert "My shop: published turn 2" in done.out
    assert re.search(r"^orders +367 +2025-05-30$", done.out, re.M)
    assert "holdout: 5.0% of customers" in done.out


def test_status_of_a_new_shop(run: Run, empty: Path) -> None:
    value = run("status", "--shop", empty, "--json").json()
    assert value["published_turn"] is None
    assert set(value["freshness"].values()) == {None}
    assert "published turn none yet" in run("status", "--shop", empty).out


DECISION = ("id", "turn", "lever", "kind", "subject", "action", "propensity")
DECISION += ("predicted", "reason", "state")


def test_decisions_are_one_object_a_line(run: Run, turned: Turned) -> None:
    rows = run("decisions", "--shop", turned.folder, "--json").lines()
    assert len(rows) == len({row["id"] for row in rows}) > 400
    for row in rows:
        assert set(DECISION) <= set(row)
        assert row["reason"]
        assert isinstance(row["action"], dict)
        if row["predicted"] is not None:
            assert {"metric", "value", "low", "high"} <= set(row["predicted"])
            assert (
                row["predicted"]["low"]
                <= row["predicted"]["value"]
                <= row["predicted"]["high"]
            )
        if row["propensity"] is not None:
            assert 0 < row["propensity"] <= 1
    # Slates with an explored slot, and win-backs drawn against no offer.
    assert any(row["propensity"] not in (None, 1) for row in rows)


def test_decisions_are_filtered(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder, "--json")
    every = run("decisions", *shop).lines()
    for option, name, value in (
        ("--kind", "kind", "reorder"),
        ("--state", "state", "proposed"),
        ("--turn", "turn", 1),
        ("--lever", "lever", "recommend"),
    ):
        rows = run("decisions", *shop, option, str(value)).lines()
        assert rows
        assert rows == [row for row in every if row[name] == value]


def test_decisions_for_people(run: Run, turned: Turned) -> None:
    done = run("decisions", "--shop", turned.folder, "--limit", "3")
    assert len(done.out.splitlines()) == 6
    none = run("decisions", "--shop", turned.folder, "--kind", "nothing")
    assert none.out == "No decision matches.\n"
    wrong = run("decisions", "--shop", turned.folder, "--state", "lost")
    assert_one_line(wrong, 2, "state is 'lost'; expected one of proposed")


def test_wheel_shows_the_links(run: Run, turned: Turned) -> None:
    links = {
        link["link"]: link
        for link in run("wheel", "--shop", turned.folder, "--json").json()
    }
    for name in (
        *("intent→forecast", "stock→recommend", "margin→recommend"),
        *("forecast→replenish", "forecast→price", "stock→price"),
        *("price_plan→forecast", "returns→margin", "stock→lifecycle"),
        *("lifetime_value→lifecycle", "outcomes→forecast"),
    ):
        assert name in links
        assert set(links[name]) == {
            *("link", "signal", "writer", "reader", "lagged", "cut")
        }
        assert links[name]["cut"] is False
    assert links["price_plan→forecast"]["lagged"] is True


@pytest.mark.parametrize("link", ["stock->recommend", "stock→recommend"])
def test_wheel_cuts_and_restores(run: Run, empty: Path, link: str) -> None:
    def cuts(*options: str) -> list[str]:
        links = run("wheel", *options, "--shop", empty, "--json").json()
        return [item["link"] for item in links if item["cut"]]

    assert cuts() == []
    assert cuts("--cut", link) == ["stock→recommend"]
    assert cuts("--cut", link) == ["stock→recommend"]  # safe to repeat
    people = run("wheel", "--shop", empty)
    assert re.search(r"^stock→recommend +lake +cut$", people.out, re.M)
    assert cuts("--restore", link) == []


def test_wheel_refuses_a_link_there_is_not(run: Run, empty: Path) -> None:
    both = ("--cut", "stock->recommend", "--cut", "stock->moon")
    assert_one_line(run("wheel", *both, "--shop", empty), 2, "no link 'stock->moon'")
    links = run("wheel", "--shop", empty, "--json").json()
    assert not any(item["cut"] for item in links)


def test_lists_of_a_new_shop_are_empty_and_not_an_error(run: Run, empty: Path) -> None:
    assert run("decisions", "--shop", empty, "--json") == Done(0, "", "")
    assert run("rejects", "--shop", empty, "--json") == Done(0, "", "")
    assert run("rejects", "--shop", empty).out == "No row was rejected.\n"
    assert run("key", "list", "--shop", empty, "--json").json() == []
