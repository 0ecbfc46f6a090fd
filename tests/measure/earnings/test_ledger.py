"""The ledger by hand: effects, money, costs, and what must never be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from cartwheel.measure.assign import held_out_by, held_out_of, in_holdout, layer_of
from cartwheel.measure.earnings.figures import WHEEL, Entry, Ledger
from cartwheel.measure.earnings.ledger import earnings
from cartwheel.measure.earnings.measured import group_of
from cartwheel.measure.earnings.record import read_record
from cartwheel.measure.earnings.units import Facts, brought
from cartwheel.measure.earnings.window import window_of
from cartwheel.measure.earnings.words import Words, verdict
from cartwheel.settings import Holdout
from cartwheel.shop import Shop, open_shop
from tests.measure.earnings.made import (
    KNOWN,
    ON,
    TURNED,
    add_decisions,
    add_facts,
    add_overview,
    add_turn,
    noon,
    sales,
    shop_with,
)

PEOPLE = [f"C{i:03d}" for i in range(240)]
HALF = {"holdout": {"share_bps": 5_000, "salt": "wheel"}}
HELD = [name for name in PEOPLE if in_holdout(name, 0.5, "wheel")]
FREE = [name for name in PEOPLE if not in_holdout(name, 0.5, "wheel")]
DAY = TURNED + timedelta(days=9)


def amount(place: int, more: int = 0) -> int:
    """Amounts that differ, so that there is a spread."""
    return 1_000 + 10 * (place % 5) + more


def acted(folder: Path, *, more: int = 400, **costs: float) -> Shop:
    """Return a shop whose reached customers paid `more` on one day of the window."""
    sold = [(x, DAY, amount(i, more)) for i, x in enumerate(FREE)]
    sold += [(x, DAY, amount(i)) for i, x in enumerate(HELD)]
    shop = shop_with(
        folder, sales(sold), people=PEOPLE, sections={**HALF, "costs": costs}
    )
    add_turn(shop)
    add_decisions(shop, [f"customer:{FREE[0]}"])
    return shop


def test_nothing_is_said_before_a_turn(tmp_path: Path) -> None:
    shop = shop_with(tmp_path / "s", people=PEOPLE, sections=HALF)
    found = earnings(shop, ON)
    assert [one.lever for one in found.entries][:1] == [WHEEL]
    for one in found.entries:
        assert (one.money, one.net, one.effect) == (None, None, None)
        assert one.not_yet == "Not yet: no turn was published by then."


def test_the_wheel_by_hand(tmp_path: Path) -> None:
    shop = acted(
        tmp_path / "s",
        tools_minor_month=3_000,
        labour_minor_hour=6_000,
        minutes_per_decision=2,
    )
    # Two decisions a person looked at; the turn's and the world's moves are no work.
    add_decisions(
        shop,
        ["customer:x", "customer:y"],
        kind="winback",
        path=(("proposed", "turn 1"), ("approved", "anna")),
        cost=70,
    )
    add_decisions(
        shop,
        ["variant:z"],
        lever="replenish",
        kind="reorder",
        path=(("proposed", "turn 1"), ("expired", "turn"), ("reverted", "world")),
        cost=9_000,
    )
    found = earnings(shop, ON).entry(WHEEL)
    paid = [amount(i, 400) for i in range(len(FREE))]
    alone = [amount(i) for i in range(len(HELD))]
    effect = np.mean(paid) - np.mean(alone)
    assert (found.since, found.first, found.days) == ("2026-03-02", "2026-03-02", 30)
    assert (found.reached, found.held_out) == (len(FREE), len(HELD))
    assert found.effect is not None
    assert found.money is not None
    assert found.net is not None
    assert found.effect.value == pytest.approx(effect)
    assert found.effect.low < effect < found.effect.high
    for end in ("value", "low", "high"):
        assert getattr(found.money, end) == pytest.approx(
            getattr(found.effect, end) * len(FREE)
        )
    tools, labour = found.costs
    assert tools.minor == pytest.approx(3_000 * 30 / (365.25 / 12))
    assert labour.minor == pytest.approx(2 * 6_000 * 2 / 60)
    assert found.net.value == pytest.approx(
        found.money.value - (tools.minor or 0) - (labour.minor or 0)
    )
    assert found.net.high - found.net.low == pytest.approx(
        found.money.high - found.money.low
    )
    assert found.offered_minor == 140, "the reorder's goods are no discount"
    assert (found.not_yet, found.basis) == ("", "margin")
    assert "earned" in found.verdict
    assert "more than it cost" in found.verdict
    # Beyond doubt at one look is not yet beyond doubt at every look.
    assert found.net.low > 0
    wide = replace(found.money, low=1.0)
    said = verdict(
        replace(found, money_watched=wide),
        Words(currency="EUR", digits=2),
        decided=True,
    )
    assert said.endswith("; whether that is more than it cost is open.")


def test_what_was_spent_before_is_taken_off(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s", more=0)
    rng = np.random.default_rng(3)
    habit = rng.integers(100, 20_000, len(PEOPLE))
    before = [
        (x, TURNED - timedelta(days=5), int(h))
        for x, h in zip(PEOPLE, habit, strict=True)
    ]
    after = [(x, DAY, int(h)) for x, h in zip(PEOPLE, habit, strict=True)]
    plain = earnings(shop, ON).entry(WHEEL)
    add_facts(shop, sales([*before, *after], first=1_000))
    found = earnings(shop, ON).entry(WHEEL)
    assert plain.effect is not None
    assert found.effect is not None
    # A habit of up to 200 euros, told by what was spent before, widens nothing.
    assert found.effect.high - found.effect.low < 1.5 * (
        plain.effect.high - plain.effect.low
    )


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"tools_minor_month": 0},
        {"labour_minor_hour": 100},
        {"tools_minor_month": 0, "minutes_per_decision": 1},
    ],
)
def test_an_unknown_cost_is_never_zero(tmp_path: Path, known: dict[str, float]) -> None:
    shop = acted(tmp_path / "s", **known)
    path = (("proposed", "turn 1"), ("rejected", "anna"))
    add_decisions(shop, ["customer:x"], kind="winback", path=path)
    found = earnings(shop, ON).entry(WHEEL)
    assert found.money is not None
    assert found.net is None
    unknown = [cost for cost in found.costs if cost.minor is None]
    assert unknown
    assert all("not counted" in cost.note for cost in unknown)
    assert "not counted" in found.verdict


def test_work_that_nobody_did_costs_nothing_even_at_an_unknown_rate(
    tmp_path: Path,
) -> None:
    shop = acted(tmp_path / "s", tools_minor_month=0)
    found = earnings(shop, ON).entry(WHEEL)
    assert [cost.minor for cost in found.costs] == [0.0, 0.0]
    assert found.net == found.money


def test_what_cannot_be_told_from_luck_says_what_is_needed(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s", more=0)
    rng = np.random.default_rng(1)
    noise = [(x, DAY, int(rng.gamma(0.3, 20_000))) for x in PEOPLE]
    newcomers = [(f"N{i}", TURNED + timedelta(days=1 + i % 25), 900) for i in range(50)]
    add_facts(shop, sales([*noise, *newcomers], first=2_000))
    found = earnings(shop, ON).entry(WHEEL)
    assert found.money is not None
    assert found.money.low < 0 < found.money.high
    assert found.not_yet.startswith("Not yet: the interval holds zero.")
    assert "four times in five" in found.not_yet
    assert found.needed is not None
    assert found.needed.units_missing > 0
    assert f"{found.needed.units_missing:,} more customers" in found.not_yet
    assert found.needed.by is None or found.needed.by > ON.isoformat()
    assert found.verdict.startswith("Not shown")


def test_too_few_left_alone_give_no_figure(tmp_path: Path) -> None:
    shop = shop_with(
        tmp_path / "s",
        sales([(x, DAY, amount(i)) for i, x in enumerate(PEOPLE)]),
        people=PEOPLE,
        sections={"holdout": {"share_bps": 500}},
    )
    add_turn(shop)
    add_decisions(shop, [f"customer:{PEOPLE[0]}"])
    found = earnings(shop, ON).entry(WHEEL)
    assert (found.effect, found.money, found.net) == (None, None, None)
    assert 2 <= found.held_out < 30
    assert f"{found.held_out} were left alone; a figure needs 30" in found.not_yet
    assert found.before_after == ()


def test_a_newcomer_counts_from_the_day_after_the_first_order(tmp_path: Path) -> None:
    first, later = TURNED + timedelta(days=5), TURNED + timedelta(days=6)
    shop = acted(tmp_path / "s", more=0)
    new = next(f"N{i}" for i in range(99) if not in_holdout(f"N{i}", 0.5, "wheel"))
    add_facts(shop, sales([(new, first, 70_000), (new, later, 500)], first=5_000))
    start = TURNED + timedelta(days=1)
    window = window_of(read_record(shop.database, ON), start, ON, None)
    assert window is not None
    with shop.lake.attached(read_only=True) as con:
        facts = Facts(con=con, schema="lake", timezone="UTC")
        group = group_of(facts, window, "customer", None)
        rows = brought(facts, "customer", group.spans, window.before)
    place = [span.unit for span in group.spans].index(new)
    assert group.reached[place]
    # The first order came before anything was done to them.
    assert (rows.value[place], rows.days[place]) == (500, (ON - first).days)
    assert rows.days.max() == window.days
    assert group.new_a_day == pytest.approx(1 / window.days)


def test_nothing_known_later_changes_an_earlier_day(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s")
    before = earnings(shop, ON)
    late = ON + timedelta(days=1)
    add_facts(
        shop,
        sales([(x, late, 50_000) for x in FREE[:40]], first=7_000),
        {
            "refunds": [
                {
                    "refund_id": "R",
                    "line_id": "1",
                    "order_id": "O0",
                    "refunded_at": late_noon(late),
                    "quantity_units": 1,
                    "amount_minor": 1_400,
                }
            ],
            "customers": [{"customer_id": "late", "created_at": late_noon(late)}],
        },
    )
    add_turn(shop, 2, late, holdout={"salt": "other"})
    path = (("proposed", "turn 1"), ("approved", "anna"))
    add_decisions(shop, ["customer:q"], kind="winback", on=late, path=path)
    for one, was in zip(earnings(shop, ON).entries, before.entries, strict=True):
        assert one == was
    assert earnings(shop, late) != replace(before, on=late.isoformat())


def late_noon(day: date) -> object:
    return KNOWN.replace(year=day.year, month=day.month, day=day.day, hour=12)


def test_a_levers_holdout_is_apart_from_the_wheels(tmp_path: Path) -> None:
    shop = shop_with(
        tmp_path / "s",
        people=PEOPLE,
        sections={"holdout": {"share_bps": 2_000}},
        levers={"lifecycle": 3_000},
    )
    add_turn(shop)
    add_decisions(shop, [f"customer:{PEOPLE[0]}"])
    window = window_of(
        read_record(shop.database, ON), TURNED + timedelta(days=1), ON, "lifecycle"
    )
    assert window is not None
    with shop.lake.attached(read_only=True) as con:
        facts = Facts(con=con, schema="lake", timezone="UTC")
        group = group_of(facts, window, "customer", "lifecycle")
    holdout: Holdout = shop.settings.holdout
    assert group.moved == 0
    names = [span.unit for span in group.spans]
    alone = {x for x, r in zip(names, group.reached, strict=True) if not r}
    assert alone
    assert all(held_out_of(x, "lifecycle", holdout) == "lifecycle" for x in alone)
    assert not alone & {x for x in PEOPLE if in_holdout(x, 0.2, "wheel")}
    assert set(names) == {x for x in PEOPLE if not in_holdout(x, 0.2, "wheel")}


def test_products_are_compared_for_a_lever_that_prices(tmp_path: Path) -> None:
    products = [f"P{i:03d}" for i in range(200)]
    layer = layer_of("price", "wheel")
    left = {p for p in products if in_holdout(p, 0.5, layer)}
    parts = [
        sales([(None, DAY, amount(i, 0 if p in left else 300))], product=p, first=i)
        for i, p in enumerate(products)
    ]
    costs = [
        {"variant_id": p, "valid_from_at": KNOWN, "cost_minor": 500} for p in products
    ]
    listed = [{"product_id": p, "created_at": KNOWN} for p in products]
    shop = shop_with(
        tmp_path / "s",
        *parts,
        {"costs": costs, "products": listed},
        levers={"price": 5_000},
    )
    add_turn(shop, states={"price": "healthy"})
    add_decisions(shop, ["variant:P000"], lever="price", kind="price")
    found = earnings(shop, ON).entry("price")
    margins = {
        p: amount(i, 0 if p in left else 300) - 500 for i, p in enumerate(products)
    }
    effect = np.mean([m for p, m in margins.items() if p not in left]) - np.mean(
        [margins[p] for p in left]
    )
    assert (found.unit, found.held_out) == ("product", len(left))
    assert held_out_by(min(left), "price", shop.settings.holdout)
    assert found.effect is not None
    assert found.effect.value == pytest.approx(effect)
    (kind,) = found.kinds
    assert kind.incremental == found.money, "the lever's only kind"


def test_kinds_share_a_holdout_and_links_are_not_measured(tmp_path: Path) -> None:
    sold = sales([(x, DAY, amount(i)) for i, x in enumerate(PEOPLE)])
    shop = shop_with(
        tmp_path / "s",
        sold,
        people=PEOPLE,
        sections={"holdout": {"share_bps": 0}},
        levers={"lifecycle": 5_000},
    )
    add_turn(shop, cuts=["stock→lifecycle"])
    add_overview(shop)
    add_decisions(shop, [f"customer:{x}" for x in PEOPLE[:3]], worth=50)
    add_decisions(shop, ["customer:z"], kind="ask_consent", worth=None)
    found = earnings(shop, ON)
    assert "holdout.share_bps" in found.entry(WHEEL).not_yet
    entry = found.entry("lifecycle")
    assert entry.title == "Customers"
    assert entry.money is not None
    kinds = {kind.kind: kind for kind in entry.kinds}
    assert kinds["leave_alone"].applied == 3
    assert kinds["leave_alone"].predicted_minor == 150
    assert kinds["ask_consent"].predicted_minor is None
    for kind in kinds.values():
        assert kind.incremental is None
        assert "not told apart" in kind.note
    (link,) = entry.links
    assert (link.link, link.cut_turns, link.turns) == ("stock→lifecycle", 1, 1)
    assert "nobody is left to compare with" in link.note


def entries_with_figures(found: Ledger) -> list[Entry]:
    return [one for one in found.entries if one.money is not None]


def test_every_entry_has_an_interval_or_says_not_yet(tmp_path: Path) -> None:
    for one in earnings(acted(tmp_path / "s"), ON).entries:
        if one.money is None:
            assert one.not_yet.startswith("Not yet: ")
            assert one.verdict == ""
        else:
            assert one.verdict
            assert one.money.low <= one.money.value <= one.money.high


def test_a_lever_that_only_fell_back_has_not_acted(tmp_path: Path) -> None:
    shop = shop_with(tmp_path / "s", people=PEOPLE, sections=HALF)
    add_turn(shop, states={"lifecycle": "fallback"})
    add_decisions(shop, [f"customer:{FREE[0]}"])
    found = earnings(shop, ON).entry("lifecycle")
    assert found.since is None
    assert "model of its own" in found.not_yet


def test_a_lever_of_the_storefront_is_compared_by_customer(tmp_path: Path) -> None:
    answer = {
        "decision_id": "a1",
        "answered_at": noon(DAY),
        "lever": "recommend",
        "turn": 1,
        "arm": "treated",
        "slate": "[]",
    }
    shop = shop_with(
        tmp_path / "s", {"answers": [answer]}, people=PEOPLE, levers={"recommend": 500}
    )
    add_turn(shop, states={"recommend": "healthy"})
    # A list for the home page is about nobody.
    add_decisions(shop, ["placement:home"], lever="recommend", kind="recommendation")
    found = earnings(shop, ON)
    assert found.entry("recommend").unit == "customer"
    assert found.entry("recommend").since == (TURNED + timedelta(days=1)).isoformat()
    assert found.entry(WHEEL).since == found.entry("recommend").since


def test_a_proposal_nobody_approved_has_not_acted(tmp_path: Path) -> None:
    shop = shop_with(tmp_path / "s", people=PEOPLE, sections=HALF)
    add_turn(shop)
    add_decisions(shop, [f"customer:{FREE[0]}"], path=(("proposed", "turn 1"),))
    assert earnings(shop, ON).entry("lifecycle").since is None


def test_settings_of_costs_are_read_again(tmp_path: Path) -> None:
    shop = acted(tmp_path / "s")
    path = shop.folder / "cartwheel.toml"
    text = path.read_text("utf-8").replace(
        "[costs]", "[costs]\ntools_minor_month = 500"
    )
    path.write_text(text, encoding="utf-8")
    found = earnings(open_shop(shop.folder), ON).entry(WHEEL)
    assert found.costs[0].minor == pytest.approx(500 * 30 / (365.25 / 12))
