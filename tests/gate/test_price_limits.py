"""Promise 7: no price under its floor and no change above its cap leaves the gate."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.gate.base import Candidate, GateContext, VariantFacts
from cartwheel.gate.order import pass_gate
from cartwheel.gate.price_limits import floor_minor
from cartwheel.levers.base import Autonomy, Decision, Kind
from cartwheel.settings import Guardrails, Settings

KINDS = {
    name: Kind(name=name, title=name, autonomy=Autonomy.AUTO)
    for name in ("price_change", "markdown", "price_test")
}


def candidate(price: Any, kind: str = "price_change") -> Candidate:
    decision = Decision(
        kind=kind, subject="variant:v", action={"price_minor": price}, reason="test"
    )
    return Candidate(lever="price", decision=decision, body="")


def context(
    now: int | None, cost: int | None, guardrails: Guardrails | None = None
) -> GateContext:
    facts = VariantFacts(
        product_id="p",
        price_minor=now,
        cost_minor=cost,
        on_hand_units=5,
        inbound_units=0,
        cover_days=30.0,
    )
    return GateContext(
        settings=Settings(currency="EUR", guardrails=guardrails or Guardrails()),
        kinds=KINDS,
        variants={"v": facts},
        inactive_products=frozenset(),
        email_consent=frozenset(),
        open_returns={},
        recent_offers={},
    )


amounts = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
)


@settings(max_examples=400, deadline=None)
@given(
    price=amounts,
    now=st.one_of(st.none(), st.integers(0, 10**6)),
    cost=st.one_of(st.none(), st.integers(0, 10**6)),
    margin=st.integers(0, 10_000),
    cap=st.integers(0, 10_000),
    kind=st.sampled_from(["price_change", "markdown", "price_test"]),
)
def test_no_price_leaves_outside_its_limits(
    price: Any, now: int | None, cost: int | None, margin: int, cap: int, kind: str
) -> None:
    limits = Guardrails(
        minimum_margin_bps=margin,
        max_price_change_bps=cap,
        max_markdown_bps=min(cap, 9000),
    )
    verdict = pass_gate([candidate(price, kind)], context(now, cost, limits))
    for passed in verdict.passed:
        chosen = passed.decision.action["price_minor"]
        share = min(cap, 9000) if kind == "markdown" else cap
        assert now is not None
        assert abs(chosen - now) * 10_000 <= share * now
        if cost is None:
            assert chosen >= now
        else:
            # margin m of price p: p - cost >= m p
            assert (chosen - cost) * 10_000 >= margin * chosen
    assert len(verdict.passed) + len(verdict.refused) == 1


def test_a_price_within_its_limits_passes() -> None:
    verdict = pass_gate([candidate(1050)], context(1000, 500))
    assert [c.state for c in verdict.passed] == ["applied"]


@pytest.mark.parametrize(
    ("price", "now", "cost", "said"),
    [
        (1200, 1000, 500, "above the cap of 15 %"),
        (900, 1000, 899, "under the floor of 999"),
        (900, 1000, None, "the cost is unknown"),
        (0, 1000, 0, "not a positive whole number"),
        (1000, None, 500, "present price is not known"),
        (float("nan"), 1000, 500, "not a positive whole number"),
    ],
)
def test_a_refusal_names_the_number_that_bound(
    price: Any, now: int | None, cost: int | None, said: str
) -> None:
    verdict = pass_gate([candidate(price)], context(now, cost))
    assert said in verdict.refused[0].reason
    assert verdict.refused[0].rule == "price limits"


def test_the_floor_keeps_the_margin_by_hand() -> None:
    # cost 900 at 10 % of the price: 900 / 0.9 = 1000
    assert floor_minor(900, 1000) == 1000
    assert floor_minor(901, 1000) == 1002  # 1001.1 rounded up
