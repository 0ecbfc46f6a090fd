"""Designing an experiment: what is typed, what is refused, its cost, its start."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from cartwheel.console import pages_experiment_design, planning
from cartwheel.console.experiment_form import (
    Draft,
    choices,
    metrics_for,
    read_draft,
    stops_for,
    terms_of,
)
from cartwheel.console.experiment_words import term_rows
from cartwheel.console.formatting import Formatter, percent
from cartwheel.console.planning import Planned
from cartwheel.errors import Busy, Failure
from cartwheel.measure.experiment.options import links_of, options_of
from cartwheel.measure.experiment.plan import enrolled, plan
from cartwheel.measure.experiment.plan_child import answer
from cartwheel.measure.experiment.store import list_experiments
from cartwheel.measure.experiment.terms import (
    DRAWN_ONCE,
    LEVER_UNITS,
    Terms,
    WrongTerm,
    check_terms,
)
from cartwheel.operations import turns
from cartwheel.shop import Shop
from cartwheel.wheel import Link, cut_link
from tests.console.experiments import add_experiments
from tests.console.seed import HOSTILE
from tests.console.selling import selling

Open = Callable[[Shop, str], TestClient]
TODAY = date(2026, 11, 19)
GOOD = {
    "lever": "price",
    "unit": "product",
    "name": "price-steps",
    "question": "Do smaller steps earn more?",
    "metric": "revenue",
    "wanted": "10",
    "mode": "production",
    "budget": "",
    "stop": "fixed",
    "starts_on": "",
    "days": "28",
    "control_share": "50",
}
EXPECTED = {
    "units": {"control": 12, "treated": 13},
    "detectable": 0.31,
    "days_needed": 269,
    "by": "2027-08-15",
    "cost_minor": 123_456,
    "sentence": "In 28 days this test finds a change of revenue of 31% or more.",
}


def draft(**other: Any) -> Draft:
    return read_draft(QueryParams({**GOOD, **other}))


def wrong(**other: Any) -> dict[str, str]:
    terms, found = terms_of(draft(**other), today=TODAY, minor_digits=2)
    assert (terms is None) == bool(found)
    return found


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Terms]:
    """Plan without another process; return the terms that were planned."""
    asked: list[Terms] = []

    def ask(shop: Shop, terms: Terms, today: date, *, plan: bool = True) -> Planned:
        asked.append(terms)
        if terms.unit == "product-week":
            terms = replace(terms, products=tuple(f"P{i}" for i in range(20)))
        fitted = check_terms(terms, levers=choices(), today=today)
        return Planned(terms=fitted, plan=EXPECTED if plan else None)

    monkeypatch.setattr(pages_experiment_design, "ask_plan", ask)
    return asked


def hidden(text: str) -> dict[str, str]:
    """Return what the last form of a page would send."""
    form = text.rpartition('<form method="post" action="/experiments"')[2]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found}


def test_only_units_that_suit_a_lever_are_offered(owner: TestClient) -> None:
    text = owner.get("/experiments/new").text
    offered = re.findall(
        r'name="lever" value="([^"]*)"><[^>]*name="unit" value="([^"]*)"', text
    )
    by_lever: dict[str, list[str]] = {}
    for lever, unit in offered:
        by_lever.setdefault(lever, []).append(unit)
    assert {k: tuple(v) for k, v in by_lever.items() if k in LEVER_UNITS} == LEVER_UNITS
    assert "forecast" not in by_lever


@pytest.mark.parametrize(
    ("lever", "unit"), [(k, u) for k, units in LEVER_UNITS.items() for u in units]
)
def test_the_form_offers_what_its_unit_allows(
    owner: TestClient, lever: str, unit: str
) -> None:
    text = owner.get(f"/experiments/new?lever={lever}&unit={unit}").text
    assert re.findall(r'name="metric" value="(\w+)"', text) == list(metrics_for(unit))
    assert re.findall(r'name="stop" value="([\w-]+)"', text) == list(stops_for(unit))
    assert ('name="control_share"' in text) == (unit in DRAWN_ONCE)
    assert ('name="period_days"' in text) == (unit == "period")


def test_the_form_offers_a_levers_options_with_their_values_now(
    owner: TestClient,
) -> None:
    text = owner.get("/experiments/new?lever=recommend&unit=customer").text
    offered = re.findall(r'<option value="([^"]*)"', text)
    assert offered == [
        "",
        *(options_of("recommend") or ()),
        *(f"link:{link}" for link in links_of("recommend")),
    ]
    assert "explore, now 0.1: " in html.unescape(text)
    search = owner.get("/experiments/new?lever=search&unit=customer").text
    assert 'value="boost"' in search
    assert "model_folder" not in search  # a folder is no number


def test_arms_can_differ_in_an_option() -> None:
    typed = {"option": "step", "control_value": "0,1", "arm_value": "0.05"}
    terms, problems = terms_of(draft(**typed), today=TODAY, minor_digits=2)
    assert problems == {}
    assert terms is not None
    assert (terms.option, terms.control_value, terms.arm_value) == ("step", 0.1, 0.05)
    left_out, _ = terms_of(draft(control_value="9"), today=TODAY, minor_digits=2)
    assert left_out is not None
    assert (left_out.option, left_out.control_value) == ("", None)


def test_a_link_can_be_cut_in_the_arm(
    owner: TestClient, shop: Shop, planned: list[Terms]
) -> None:
    given = {"option": "link:margin→price", "control_value": "", "arm_value": "7"}
    terms, problems = terms_of(draft(**given), today=TODAY, minor_digits=2)
    assert problems == {}
    assert terms is not None
    assert (terms.link, terms.option, terms.arm_value) == ("margin→price", "", None)
    fmt = Formatter(currency="GBP", minor_digits=2, timezone="UTC")
    rows = dict(term_rows(terms, fmt))
    assert rows["Arms"].startswith("link margin→price whole in the control")
    assert "expected one of" in wrong(option="link:no→price")["option"]
    sent = hidden(owner.post("/experiments/new", data={**GOOD, **given}).text)
    answer = owner.post("/experiments", data=sent, follow_redirects=False)
    assert answer.headers["location"] == "/experiments/price-steps?done=begin"
    (record,) = list_experiments(shop.database)
    assert record.terms.link == "margin→price"
    # A link that is cut for everybody is not offered.
    margin = Link(signal="stock", writer="lake", reader="price", lagged=False)
    cut_link(shop.database, margin, actor="ann")
    text = owner.get("/experiments/new?lever=price&unit=product").text
    assert "link:margin→price" in text
    assert "link:stock→price" not in text


SHARED = {"lever": "recommend", "unit": "answer", "metric": "preference"}


def test_lists_that_both_arms_share_need_an_option_and_no_money(
    owner: TestClient,
) -> None:
    text = owner.get("/experiments/new?lever=recommend&unit=answer").text
    assert 'value="preference" checked' in text
    for gone in ("guard_", 'name="others"', 'name="budget"', 'name="mode"'):
        assert gone not in text, gone
    assert list(wrong(**SHARED)) == ["option"]
    values = {"option": "margin_weight", "control_value": "1", "arm_value": "0"}
    assert wrong(**SHARED, **values) == {}
    assert wrong(**SHARED, **values, stop="always-valid") == {}
    assert list(wrong(**SHARED | {"metric": "margin"}, **values)) == ["metric"]
    agreed, _ = terms_of(draft(**SHARED, **values), today=TODAY, minor_digits=2)
    assert agreed is not None
    fmt = Formatter(currency="GBP", minor_digits=2, timezone="UTC")
    rows = dict(term_rows(agreed, fmt))
    assert rows["Arms"].startswith("margin_weight 1 in one ranking, 0 in the other")


@pytest.mark.parametrize(
    ("control", "arm", "field", "said"),
    [
        ("", "1", "control_value", "expected a number of at least 0"),
        ("1", "many", "arm_value", "'many'; expected a number of at least 0"),
        ("1", "-1", "arm_value", "expected a number of at least 0"),
        ("1", "inf", "arm_value", "expected a number of at least 0"),
        ("2", "2.0", "arm_value", "expected two values"),
    ],
)
def test_values_of_an_option_that_cannot_be_are_named(
    control: str, arm: str, field: str, said: str
) -> None:
    found = wrong(option="step", control_value=control, arm_value=arm)
    assert said in found[field]


def test_an_option_that_the_lever_has_not_is_named() -> None:
    found = wrong(option="no-such", control_value="1", arm_value="2")
    assert "expected one of useful_width" in found["option"]


def test_an_option_is_agreed_as_it_was_typed(
    owner: TestClient, planned: list[Terms]
) -> None:
    typed = {**GOOD, "option": "step", "control_value": "0.1", "arm_value": "0.05"}
    text = owner.post("/experiments/new", data=typed).text
    assert "step 0.1 in the control" in html.unescape(text)
    sent = hidden(text)
    assert (sent["option"], sent["arm_value"]) == ("step", "0.05")
    owner.post("/experiments", data=sent)
    assert planned[-1].option == "step"
    page = owner.get("/experiments/price-steps").text
    assert "step 0.1 in the control" in html.unescape(page)


@pytest.mark.parametrize(
    "query", ["lever=price&unit=customer", "lever=none&unit=product", "unit=product"]
)
def test_a_unit_that_does_not_suit_leads_back_to_the_choice(
    owner: TestClient, query: str
) -> None:
    assert "Draw products" in owner.get(f"/experiments/new?{query}").text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "expected 2 to 60 small letters"),
        ("name", "Price Steps", "expected 2 to 60 small letters"),
        ("name", "new", "expected 2 to 60 small letters"),
        ("question", "   ", "expected 1 to 300"),
        ("question", "x" * 301, "expected 1 to 300"),
        ("metric", "profit", "expected one of margin, revenue, orders, units"),
        ("metric", "orders", "Choose margin, revenue or units"),
        ("wanted", "ten", "expected 0.1 to 500 percent"),
        ("wanted", "0", "expected 0.1 to 500 percent"),
        ("wanted", "nan", "expected 0.1 to 500 percent"),
        ("wanted", "501", "expected 0.1 to 500 percent"),
        ("days", "0", "expected a whole number of 1 to 400"),
        ("days", "12.5", "expected a whole number of 1 to 400"),
        ("days", "9" * 30, "expected a whole number of 1 to 400"),
        ("starts_on", "2026-11-19", "expected a day after 2026-11-19"),
        ("starts_on", "soon", "expected a day such as 2026-11-20"),
        ("starts_on", "9999-12-31", "expected a day such as 2026-11-20"),
        ("control_share", "99", "expected 5 to 95 percent"),
        ("mode", "careless", "expected one of sandbox, production"),
        ("stop", "when it looks good", "expected one of fixed, always-valid"),
        ("budget", "1.2.3", "expected an amount above 0"),
        ("budget", "-5", "expected an amount above 0"),
        ("budget", "0", "expected an amount above 0"),
        ("budget", "0.001", "expected an amount above 0"),
    ],
)
def test_each_field_says_what_it_accepts(field: str, typed: str, said: str) -> None:
    found = wrong(**{field: typed})
    assert list(found) == [field]
    assert said in found[field]


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    shop: Shop, owner: TestClient
) -> None:
    bad = {
        "name": "Price Steps",
        "question": "Why? " + "x" * 300,
        "metric": "profit",
        "wanted": "ten",
        "days": "12.5",
        "starts_on": "soon",
        "control_share": "99%",
        "budget": "1.2.3",
        "guard_margin": "lots",
    }
    answer = owner.post("/experiments/new", data={**GOOD, **bad})
    assert answer.status_code == 400
    for name, typed in bad.items():
        place = "guards" if name.startswith("guard") else name
        assert answer.text.count(f'id="{place}-error"') == 1, name
        assert f'href="#{place}"' in answer.text
        if name != "metric":
            assert typed in html.unescape(answer.text), name
    text = owner.post("/experiments/new", data={**GOOD, "wanted": "ten"}).text
    for typed in ("price-steps", "Do smaller steps earn more?", 'value="28"'):
        assert typed in text
    assert list_experiments(shop.database) == []


def test_everything_wrong_is_said_at_once_in_the_order_of_the_form() -> None:
    found = wrong(name="", wanted="x", days="x", budget="x", question="")
    assert list(found) == ["question", "name", "wanted", "days", "budget"]


def test_guards_and_others() -> None:
    typed = QueryParams(
        [*GOOD.items(), ("others", "margin"), ("others", "units"), ("guard_units", "5")]
    )
    terms, found = terms_of(read_draft(typed), today=TODAY, minor_digits=2)
    assert found == {}
    assert terms is not None
    assert terms.others == ("margin", "units")
    assert [(one.metric, one.worst) for one in terms.guards] == [("units", 0.05)]
    assert list(wrong(guard_units="lots")) == ["guards"]
    assert list(wrong(others="orders")) == ["others"]
    # The primary metric ticked again is not a second look at it.
    assert wrong(others="revenue") == {}


@pytest.mark.parametrize(
    ("typed", "digits", "minor"),
    [
        ("250", 2, 25_000),
        ("1,250.50", 2, 125_050),
        ("250,5", 2, 25_050),
        ("1,000", 2, 100_000),
        ("1,000", 0, 1_000),
        ("1.5", 0, None),
        ("1.234", 3, 1_234),
    ],
)
def test_a_budget_is_read_in_the_currency(
    typed: str, digits: int, minor: int | None
) -> None:
    given = draft(mode="sandbox", budget=typed)
    terms, found = terms_of(given, today=TODAY, minor_digits=digits)
    assert (None if terms is None else terms.budget_minor) == minor
    assert ("budget" in found) == (minor is None)


def test_a_sandbox_needs_a_budget() -> None:
    assert list(wrong(mode="sandbox")) == ["budget"]


def test_periods_must_hold_four_pairs() -> None:
    found = wrong(unit="period", days="28")
    assert list(found) == ["days"]
    assert "expected 4 or more" in found["days"]
    assert wrong(unit="period", days="56") == {}
    assert list(wrong(unit="period", days="56", burn_in_days="7")) == ["period_days"]
    assert list(wrong(unit="product-week", days="13")) == ["days"]


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "period_days", "burn_in_days", "guard_units"]),
        st.text(alphabet="0123456789.,-+e% \x00é\u202e\u0664a", max_size=12),
    ),
    st.sampled_from(["customer", "product", "product-week", "period"]),
)
def test_no_text_breaks_the_form(typed: dict[str, str], unit: str) -> None:
    given = read_draft(QueryParams({**GOOD, "unit": unit, **typed}))
    terms, found = terms_of(given, today=TODAY, minor_digits=2)
    assert (terms is None) == bool(found)
    assert all(found.values())
    # Nothing typed is lost on the way through hidden fields.
    assert read_draft(QueryParams(given.fields())) == given
    if terms is not None and unit != "product-week":
        check_terms(terms, levers=choices(), today=TODAY)


def test_the_cost_is_shown_before_anything_begins(
    shop: Shop, owner: TestClient, planned: list[Terms]
) -> None:
    answer = owner.post("/experiments/new", data=GOOD)
    assert answer.status_code == 200
    for said in ("£1,234.56", "31%", "269", "12 in the control, 13 treated"):
        assert said in answer.text, said
    assert EXPECTED["sentence"] in answer.text
    assert "This test is too small for what you want." in answer.text
    assert planned[0].starts_on == TODAY + timedelta(days=1)
    assert list_experiments(shop.database) == []


@pytest.mark.parametrize("unit", ["product", "product-week", "period"])
def test_begin_records_what_was_shown_with_the_actors_name(
    shop: Shop, owner: TestClient, planned: list[Terms], unit: str
) -> None:
    data = {**GOOD, "unit": unit, "days": "60"}
    sent = hidden(owner.post("/experiments/new", data=data).text)
    answer = owner.post("/experiments", data=sent, follow_redirects=False)
    assert answer.headers["location"] == "/experiments/price-steps?done=begin"
    (record,) = list_experiments(shop.database)
    assert record.actor == "owner"
    assert record.terms.fingerprint == sent["fingerprint"]
    assert record.terms.question == GOOD["question"]
    shown = owner.get(answer.headers["location"]).text
    assert "The experiment is on record." in shown
    assert sent["fingerprint"] in shown
    # A second press does not begin another.
    again = owner.post("/experiments", data=sent)
    assert again.status_code == 400
    assert "There is an experiment" in again.text
    assert len(list_experiments(shop.database)) == 1


@pytest.mark.parametrize("change", [{"fingerprint": ""}, {"wanted": "20"}])
def test_nothing_begins_that_was_not_shown(
    shop: Shop, owner: TestClient, planned: list[Terms], change: dict[str, str]
) -> None:
    sent = hidden(owner.post("/experiments/new", data=GOOD).text)
    answer = owner.post("/experiments", data={**sent, **change})
    assert "is not what was shown" in answer.text
    assert list_experiments(shop.database) == []
    # The page now shows the cost of what was asked; from it, it can begin.
    owner.post("/experiments", data=hidden(answer.text))
    assert len(list_experiments(shop.database)) == 1


def test_a_day_that_passed_meanwhile_is_said_at_the_field(
    shop: Shop, owner: TestClient, planned: list[Terms]
) -> None:
    sent = hidden(owner.post("/experiments/new", data=GOOD).text)
    with shop.database.begin() as con:
        con.execute(turns.update().values(as_of="2026-11-26"))
    answer = owner.post("/experiments", data=sent)
    assert answer.status_code == 400
    assert 'id="starts_on-error"' in answer.text
    assert list_experiments(shop.database) == []


def test_two_at_once_on_a_lever_are_refused_before_the_plan(
    shop: Shop, signed_in: Open, planned: list[Terms]
) -> None:
    client = signed_in(add_experiments(shop), "owner")
    data = {**GOOD, "lever": "recommend", "unit": "customer"}
    answer = client.post("/experiments/new", data=data)
    assert answer.status_code == 400
    assert "two at once would blur each other" in answer.text
    taken = {**GOOD, "name": "lifecycle-harm"}
    answer = client.post("/experiments/new", data=taken)
    assert 'id="name-error"' in answer.text
    assert planned == []


def test_change_the_terms_brings_back_what_was_typed(
    owner: TestClient, planned: list[Terms]
) -> None:
    sent = hidden(owner.post("/experiments/new", data=GOOD).text)
    text = owner.get("/experiments/new", params=sent).text
    assert 'value="price-steps"' in text
    assert "Do smaller steps earn more?</textarea>" in text
    chosen = owner.get("/experiments/new", params={**sent, "choose": "1"}).text
    assert chosen.count('name="question" value="Do smaller steps earn more?"') > 3


def test_the_form_cites_what_was_tried_before(
    shop: Shop, signed_in: Open, planned: list[Terms]
) -> None:
    client = signed_in(add_experiments(shop), "owner")
    data = {**GOOD, "lever": "lifecycle", "unit": "customer"}
    for text in (
        client.get("/experiments/new?lever=lifecycle&unit=customer").text,
        client.post("/experiments/new", data=data).text,
    ):
        assert "Tried before" in text
        assert "/experiments/lifecycle-harm" in text


def test_hostile_words_stay_text(owner: TestClient, planned: list[Terms]) -> None:
    words = HOSTILE[:300]
    data = {**dict.fromkeys(GOOD, words), "lever": "price", "unit": "product"}
    bad = owner.post("/experiments/new", data=data)
    assert bad.status_code == 400
    good = owner.post("/experiments/new", data={**GOOD, "question": HOSTILE[:200]})
    assert good.status_code == 200
    chosen = owner.get("/experiments/new", params={**data, "choose": "1"})
    for answer_ in (bad, good, chosen):
        assert "<script>alert" not in answer_.text
        assert "<img" not in answer_.text


def test_a_file_in_place_of_a_text_is_no_text(owner: TestClient) -> None:
    files = {"name": ("x.txt", b"price-steps")}
    given = {k: v for k, v in GOOD.items() if k != "name"}
    answer = owner.post("/experiments/new", data=given, files=files)
    assert answer.status_code == 400
    assert 'id="name-error"' in answer.text


# The child process and its numbers.


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return selling(tmp_path_factory.mktemp("seller") / "shop")


def asked(unit: str, lever: str = "price") -> Terms:
    given = draft(unit=unit, lever=lever, days="56")
    terms, found = terms_of(given, today=TODAY, minor_digits=2)
    assert terms is not None, found
    return terms


def test_the_page_shows_the_numbers_of_the_plan(
    seller: Shop, signed_in: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_process(
        shop: Shop, terms: Terms, today: date, *, plan: bool = True
    ) -> Planned:
        question = {
            "shop": str(shop.folder),
            "today": today.isoformat(),
            "terms": terms.to_json(),
            "plan": plan,
        }
        found = answer(question)
        return Planned(terms=Terms.from_json(found["terms"]), plan=found["plan"])

    monkeypatch.setattr(pages_experiment_design, "ask_plan", in_process)
    client = signed_in(seller, "owner")
    fmt = Formatter(currency="GBP", minor_digits=2, timezone="UTC")
    for lever, unit in (
        ("price", "product"),
        ("price", "product-week"),
        ("price", "period"),
        ("lifecycle", "customer"),
    ):
        terms = enrolled(seller, asked(unit, lever), TODAY)
        agreed = check_terms(terms, levers=choices(), today=TODAY)
        expected = plan(seller, agreed, TODAY)
        assert expected.detectable is not None, expected.sentence
        data = {**GOOD, "lever": lever, "unit": unit, "days": "56"}
        text = html.unescape(client.post("/experiments/new", data=data).text)
        assert fmt.money(expected.cost_minor, exact=True) in text
        assert percent(expected.detectable) in text
        assert expected.sentence in text
        assert f">{expected.days_needed:,}<" in text
        for count in expected.units.values():
            assert f"{count:,} " in text
        assert agreed.fingerprint in text


def test_the_process_answers_as_the_plan_does(seller: Shop) -> None:
    found = planning.ask_plan(seller, asked("product-week"), TODAY)
    terms = enrolled(seller, asked("product-week"), TODAY)
    agreed = check_terms(terms, levers=choices(), today=TODAY)
    assert found.terms == agreed
    assert len(found.terms.products) == 24
    assert found.plan == plan(seller, agreed, TODAY).to_json()


def test_the_process_names_the_wrong_term(seller: Shop) -> None:
    late = replace(asked("product"), starts_on=TODAY)
    with pytest.raises(WrongTerm) as caught:
        planning.ask_plan(seller, late, TODAY)
    assert caught.value.term == "starts_on"


def test_a_plan_that_takes_too_long_is_told(
    shop: Shop, owner: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SECONDS", 0.001)
    with pytest.raises(Failure, match=r"longer than .* nothing was begun"):
        planning.ask_plan(shop, asked("product"), TODAY)
    answer_ = owner.post("/experiments/new", data=GOOD)
    assert answer_.status_code == 500
    assert "nothing was begun" in answer_.text


def test_a_broken_program_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PROGRAM", "cartwheel.nothing")
    with pytest.raises(Failure, match="ended with code 1"):
        planning.ask_plan(shop, asked("product"), TODAY)


def test_plans_are_made_one_at_a_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "WAIT_SECONDS", 0.0)
    with planning._one_at_a_time, pytest.raises(Busy):
        planning.ask_plan(shop, asked("product"), TODAY)
