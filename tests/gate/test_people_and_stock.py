"""Consent, frequency, conflicts, holdout, budget and autonomy at the gate."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.gate.base import Candidate, GateContext, VariantFacts
from cartwheel.gate.order import RULES, pass_gate
from cartwheel.levers.base import Autonomy, Decision, Kind
from cartwheel.measure.assign import in_holdout
from cartwheel.settings import Guardrails, Holdout, Settings

KINDS = {
    "winback": Kind(name="winback", title="Win back", autonomy=Autonomy.SUGGEST),
    "recommendation": Kind(name="recommendation", title="R", autonomy=Autonomy.AUTO),
    "reorder": Kind(name="reorder", title="Reorder", autonomy=Autonomy.SUGGEST),
}
NOBODY_HELD = Holdout(share_bps=0, levers={})


def variant(product: str, **known: object) -> VariantFacts:
    facts = VariantFacts(
        product_id=product,
        price_minor=1000,
        cost_minor=400,
        on_hand_units=50,
        inbound_units=0,
        cover_days=60.0,
    )
    return replace(facts, **known)  # type: ignore[arg-type]


def context(**changes: object) -> GateContext:
    base = GateContext(
        settings=Settings(currency="EUR", holdout=NOBODY_HELD),
        kinds=KINDS,
        variants={"a": variant("A"), "b": variant("B")},
        inactive_products=frozenset(),
        email_consent=frozenset({"ann", "bob"}),
        open_returns={},
        recent_offers={},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def offer(customer: str, *products: str) -> Candidate:
    decision = Decision(
        kind="winback",
        subject=f"customer:{customer}",
        action={"products": list(products)},
        reason="test",
        promotes=products,
    )
    return Candidate(lever="lifecycle", decision=decision, body="")


def reorder(variant_id: str, worth: int, cost: int | None) -> Candidate:
    decision = Decision(
        kind="reorder",
        subject=f"variant:{variant_id}",
        action={"units": 1},
        reason="test",
        worth_minor=worth,
        cost_minor=cost,
    )
    return Candidate(lever="replenish", decision=decision, body="")


def test_the_order_of_rules_is_the_documented_one() -> None:
    assert [rule.__name__ for rule in RULES] == [
        "eligible",
        "consent",
        "price_limits",
        "frequency",
        "budget",
        "page_changes",
        "conflicts",
        "assignment",
        "autonomy",
    ]


def test_nobody_is_mailed_without_consent() -> None:
    verdict = pass_gate([offer("eve", "A"), offer("ann", "A")], context())
    assert [c.subject_id for c in verdict.passed] == ["ann"]
    assert verdict.refused[0].rule == "consent"


@settings(max_examples=200, deadline=None)
@given(
    customers=st.lists(st.sampled_from(["ann", "bob", "eve", "zoe"]), max_size=12),
    consenting=st.sets(st.sampled_from(["ann", "bob", "eve", "zoe"])),
    cap=st.integers(0, 4),
    share=st.integers(0, 5000),
)
def test_no_message_leaves_unlawfully_too_often_or_to_the_holdout(
    customers: list[str], consenting: set[str], cap: int, share: int
) -> None:
    chosen = Settings(
        currency="EUR",
        guardrails=Guardrails(max_messages_30_days=cap),
        holdout=Holdout(share_bps=share, levers={}),
    )
    where = context(settings=chosen, email_consent=frozenset(consenting))
    verdict = pass_gate([offer(c, "A") for c in customers], where)
    sent = [c.subject_id for c in verdict.passed]
    assert set(sent) <= consenting
    assert all(sent.count(customer) <= cap for customer in sent)
    assert not any(in_holdout(c, share / 10_000, "wheel") for c in sent)
    assert len(verdict.passed) + len(verdict.refused) == len(customers)


def test_what_runs_out_is_not_promoted() -> None:
    low = {"a": variant("A", cover_days=1.0), "b": variant("B")}
    verdict = pass_gate([offer("ann", "A", "B")], context(variants=low))
    passed = verdict.passed[0].decision
    assert passed.promotes == ("B",)
    assert passed.action["products"] == ["B"]
    assert "1.0 days" in passed.action["left_out"]["A"]


def test_unknown_stock_counts_as_available() -> None:
    unknown = {"a": variant("A", on_hand_units=None, cover_days=None)}
    verdict = pass_gate([offer("ann", "A")], context(variants=unknown))
    assert len(verdict.passed) == 1


def test_sold_out_with_nothing_inbound_is_refused() -> None:
    gone = {"a": variant("A", on_hand_units=0, cover_days=0.0)}
    verdict = pass_gate([offer("ann", "A")], context(variants=gone))
    assert verdict.refused[0].rule == "eligible"


def test_an_item_in_the_readers_open_return_is_not_promoted() -> None:
    where = context(open_returns={"ann": frozenset({"A"})})
    verdict = pass_gate([offer("ann", "A"), offer("bob", "A")], where)
    assert [c.subject_id for c in verdict.passed] == ["bob"]
    assert "open return" in verdict.refused[0].reason


def test_an_item_under_its_floor_is_not_promoted() -> None:
    cheap = {"a": variant("A", price_minor=420, cost_minor=400)}
    verdict = pass_gate([offer("ann", "A")], context(variants=cheap))
    assert "under its floor of 445" in verdict.refused[0].reason


def test_blocked_products_are_not_reordered() -> None:
    blocked = Settings(
        currency="EUR",
        holdout=NOBODY_HELD,
        guardrails=Guardrails(blocked_products=("A",)),
    )
    verdict = pass_gate([reorder("a", 10, 1)], context(settings=blocked))
    assert verdict.refused[0].rule == "eligible"


def test_the_budget_goes_to_what_earns_most_per_money() -> None:
    limited = Settings(
        currency="EUR",
        holdout=NOBODY_HELD,
        guardrails=Guardrails(reorder_budget_minor=100),
    )
    candidates = [reorder("a", 50, 90), reorder("b", 90, 60), reorder("c", 9, None)]
    verdict = pass_gate(candidates, context(settings=limited))
    assert [c.subject_id for c in verdict.passed] == ["b"]
    assert {r.rule for r in verdict.refused} == {"budget"}


def test_nothing_that_orders_or_mails_starts_automatic() -> None:
    verdict = pass_gate([reorder("a", 5, 1), offer("ann", "A")], context())
    assert [c.state for c in verdict.passed] == ["proposed", "proposed"]


def test_a_setting_changes_the_autonomy_of_a_kind() -> None:
    chosen = Settings(currency="EUR", holdout=NOBODY_HELD, autonomy={"reorder": "auto"})
    verdict = pass_gate([reorder("a", 5, 1)], context(settings=chosen))
    assert verdict.passed[0].state == "applied"


def test_the_holdout_is_recorded_as_held_out() -> None:
    everyone = Settings(currency="EUR", holdout=Holdout(share_bps=5000, levers={}))
    held = next(c for c in map(str, range(99)) if in_holdout(c, 0.5, "wheel"))
    where = context(settings=everyone, email_consent=frozenset({held}))
    verdict = pass_gate([offer(held, "A")], where)
    assert verdict.refused[0].state == "held_out"
