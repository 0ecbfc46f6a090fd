"""The merchant's rules: kept, ended, and what they say about one answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse, NotFound
from cartwheel.merchandising import (
    ShopRule,
    add_rule,
    end_rule,
    ended_rules,
    excluded_everywhere,
    rules_for,
    rules_in_force,
)
from cartwheel.operations import open_database


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (ShopRule(kind="hide", product_id="p"), "The rule is 'hide'"),
        (ShopRule(kind="pin", product_id=""), "No product"),
        (ShopRule(kind="pin", product_id="p"), "The slot is None"),
        (ShopRule(kind="pin", product_id="p", position=51), "The slot is 51"),
        (ShopRule(kind="boost", product_id="p"), "The factor is None"),
        (ShopRule(kind="boost", product_id="p", factor=9.0), "The factor is 9.0"),
        (
            ShopRule(kind="boost", product_id="p", factor=float("nan")),
            "The factor is nan",
        ),
        (ShopRule(kind="exclude", product_id="p", placement="roof"), "'roof'"),
        (ShopRule(kind="exclude", product_id="p", until="soon"), "'soon'"),
        (ShopRule(kind="exclude", product_id="p", placement="home", query="a"), "home"),
    ],
)
def test_rule_that_does_not_fit_is_refused(
    tmp_path: Path, rule: ShopRule, said: str
) -> None:
    engine = open_database(tmp_path / "operations.sqlite")
    with pytest.raises(Misuse, match=said):
        add_rule(engine, rule, "owner")
    assert rules_in_force(engine, "2026-05-01") == ()


def test_rule_is_in_force_until_its_day_or_its_end(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "operations.sqlite")
    add_rule(
        engine, ShopRule(kind="exclude", product_id="p", until="2026-05-01"), "owner"
    )
    kept = add_rule(
        engine,
        ShopRule(kind="pin", product_id="q", position=1, query=" Red  Mug "),
        "ann",
    )
    assert [r.product_id for r in rules_in_force(engine, "2026-05-01")] == ["p", "q"]
    (rule,) = rules_in_force(engine, "2026-05-02")
    assert (rule.placement, rule.query, rule.made_by) == ("search", "red mug", "ann")
    end_rule(engine, kept, "owner")
    assert rules_in_force(engine, "2026-05-02") == ()
    assert [(r.product_id, r.ended_by) for r in ended_rules(engine)] == [("q", "owner")]
    with pytest.raises(NotFound, match="No rule"):
        end_rule(engine, kept, "owner")


PRODUCTS = st.sampled_from("abcdef")
RULES = st.lists(
    st.one_of(
        st.builds(
            ShopRule,
            kind=st.just("exclude"),
            product_id=PRODUCTS,
            placement=st.sampled_from(["", "home", "search"]),
            category=st.sampled_from([None, "Mugs"]),
        ),
        st.builds(
            ShopRule,
            kind=st.just("pin"),
            product_id=PRODUCTS,
            position=st.integers(1, 4),
            placement=st.sampled_from(["", "home"]),
        ),
        st.builds(
            ShopRule, kind=st.just("boost"), product_id=PRODUCTS, factor=st.just(2.0)
        ),
    ),
    max_size=10,
)


@given(RULES, st.sampled_from(["home", "category"]))
def test_exclusion_wins_and_no_product_is_pinned_twice(
    rules: list[ShopRule], placement: str
) -> None:
    said = rules_for(rules, placement, None, "")
    pinned = list(said.pins.values())
    assert not said.excluded & set(pinned)
    assert len(pinned) == len(set(pinned))
    assert excluded_everywhere(rules) <= said.excluded
    reached = {
        r.product_id
        for r in rules
        if r.kind == "exclude" and r.placement in ("", placement) and r.category is None
    }
    assert said.excluded == reached
