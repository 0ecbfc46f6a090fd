"""What links earned: from experiments that cut them for a part, never otherwise."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cartwheel.cli import app
from cartwheel.errors import Conflict, Misuse
from cartwheel.measure.earnings.figures import LinkEarned
from cartwheel.measure.earnings.ledger import earnings
from cartwheel.measure.earnings.links import link_earned, link_tests
from cartwheel.measure.earnings.page import earnings_page
from cartwheel.measure.experiment.look import look
from cartwheel.measure.experiment.options import cuts_with, links_of
from cartwheel.measure.experiment.store import create, keep_look
from cartwheel.measure.experiment.terms import Terms, check_terms
from cartwheel.measure.experiment.trial import CONTROL, TREATED, Trial
from cartwheel.shop import Shop
from cartwheel.wheel import Link, cut_link, restore_link
from tests.measure.experiment.made import END, START, shop_of, terms

LINK = "margin→lifecycle"
OVERVIEW: Mapping[str, Any] = {
    "levers": [{"name": "lifecycle", "title": "Customers", "state": "healthy"}],
    "links": [
        {"name": LINK, "to": "lifecycle"},
        {"name": "stock→lifecycle", "to": "lifecycle"},
    ],
}


def cutting(**changes: Any) -> Terms:
    return terms(**{"name": "without-margin", "link": LINK, **changes})


def shop_with_test(
    folder: Path, *, lift: float, **changes: Any
) -> tuple[Shop, LinkEarned]:
    """Return a shop where the arm without the link sells more by `lift`."""
    agreed = cutting(**changes)
    shop = shop_of(folder, agreed, lift=lift)
    create(shop.database, agreed, actor="ann")
    seen = look(shop, agreed, END)
    keep_look(shop.database, agreed.name, END, seen.to_json())
    entry = earnings(shop, END, overview=OVERVIEW).entry("lifecycle")
    return shop, next(one for one in entry.links if one.link == LINK)


@pytest.mark.parametrize("lift", [-0.6, 1.0])
def test_a_link_earns_what_its_loss_costs(tmp_path: Path, lift: float) -> None:
    shop, found = shop_with_test(tmp_path, lift=lift)
    assert found.worth is not None
    assert found.money is not None
    assert found.worth.low <= found.worth.value <= found.worth.high
    # Cut where more was sold without it: then the link did harm.
    assert (found.worth.low > 0) if lift < 0 else (found.worth.high < 0)
    assert found.money.value == pytest.approx(found.worth.value * 150, rel=0.3)
    assert (found.experiment, found.unit) == ("without-margin", "customer")
    assert "Revenue a customer with it less revenue without" in found.note
    assert "cut for 50% of the customers" in found.note
    before = earnings(shop, START, overview=OVERVIEW).entry("lifecycle").links
    told = {one.link: one for one in before}
    assert told[LINK].worth is None, "a later look is not known yet"
    assert told[LINK].note.startswith("Not yet: the experiment without-margin had no")
    other = told["stock→lifecycle"]
    assert (other.experiment, other.worth) == ("", None)
    assert "--link 'stock->lifecycle'" in other.note


def test_a_link_without_an_effect_is_not_shown(tmp_path: Path) -> None:
    _, found = shop_with_test(tmp_path, lift=0.0)
    assert found.worth is not None
    assert found.worth.low < 0 < found.worth.high
    assert found.note.startswith("Not shown, the interval holds zero.")


def test_a_look_that_shows_nothing_tells_nothing(tmp_path: Path) -> None:
    shop, found = shop_with_test(tmp_path, lift=0.0, unit="period", control_share=0.5)
    early = START + timedelta(days=10)
    seen = look(shop, cutting(unit="period"), early)
    keep_look(shop.database, found.experiment, early, seen.to_json())
    entry = earnings(shop, early, overview=OVERVIEW).entry("lifecycle")
    one = next(link for link in entry.links if link.link == LINK)
    assert (one.worth, one.money) == (None, None)
    assert one.note.startswith(
        "Not yet, the experiment without-margin: revenue: 0 pairs"
    )
    # Periods are compared by the day, which adds up to no number of units.
    assert found.worth is not None
    assert found.money is None


def test_the_table_the_page_and_the_terminal_tell_it(tmp_path: Path) -> None:
    shop, found = shop_with_test(tmp_path, lift=-0.6)
    page = earnings_page(shop, END, OVERVIEW)
    rows = [dict(zip(page["csv"][0], row, strict=True)) for row in page["csv"][1:]]
    (row,) = [one for one in rows if one["entry"] == LINK]
    assert row["title"] == "without-margin"
    assert found.worth is not None
    assert row["effect_low_minor"] == round(found.worth.low, 2)
    assert row["verdict"] == found.note
    json.dumps(page)
    file = tmp_path / "earnings.csv"
    place = ["earnings", "--shop", str(shop.folder), "--csv", str(file)]
    assert CliRunner().invoke(app, place).exit_code == 0
    with file.open(encoding="utf-8-sig", newline="") as text:
        assert next(row["entry"] for row in csv.DictReader(text)) == "wheel"


def test_only_money_tells_and_the_newest_test_of_a_link(tmp_path: Path) -> None:
    shop, _ = shop_with_test(tmp_path, lift=0.0)
    later = END + timedelta(days=1)
    create(
        shop.database,
        cutting(name="orders-only", metric="orders", starts_on=later, ends_on=later),
        actor="ann",
    )
    assert link_tests(shop.database, later)[LINK][0].name == "without-margin"
    assert link_tests(shop.database, START - timedelta(days=1)) == {}


def test_what_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    today = START - timedelta(days=1)
    asked = cutting()
    assert check_terms(asked, levers=["lifecycle"], today=today) == asked
    assert Terms.from_json(json.loads(json.dumps(asked.to_json()))) == asked
    assert Trial.from_json(asked.trial().to_json()) == asked.trial()
    for changes, said in (
        ({"link": "margin→price"}, "link is 'margin→price'; expected one of"),
        ({"option": "offer_bps", "control_value": 1.0, "arm_value": 2.0}, "and option"),
    ):
        with pytest.raises(Misuse) as error:
            check_terms(replace(asked, **changes), levers=["lifecycle"], today=today)
        assert said in error.value.message
    shop = shop_of(tmp_path / "s", asked)
    margin = Link(signal="margin", writer="lake", reader="lifecycle", lagged=False)
    cut_link(shop.database, margin, actor="ann")
    with pytest.raises(Conflict, match="is cut for everybody"):
        create(shop.database, asked, actor="ann")
    restore_link(shop.database, margin)
    assert create(shop.database, asked, actor="ann").terms == asked


@given(st.sets(st.sampled_from([LINK, "a→b", "c→d"])), st.booleans())
def test_a_link_is_cut_in_the_arm_alone(cuts: set[str], linked: bool) -> None:
    trial = cutting(link=LINK if linked else "").trial()
    given_cuts = tuple(sorted(cuts))
    assert cuts_with(given_cuts, trial, CONTROL) == given_cuts
    assert cuts_with(given_cuts, None, TREATED) == given_cuts
    arm = cuts_with(given_cuts, trial, TREATED)
    assert set(arm) == cuts | ({LINK} if linked else set())
    assert len(arm) == len(set(arm))


def test_the_links_of_a_lever_are_what_it_reads() -> None:
    assert LINK in links_of("lifecycle")
    assert links_of("nobody") == ()


def test_a_link_nobody_tested_says_how() -> None:
    found = link_earned(LINK, "lifecycle", cut=0, turns=3, tested=None)
    assert "nobody's was cut alone" in found.note
    assert "--link 'margin->lifecycle'" in found.note
