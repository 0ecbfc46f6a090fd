"""Headline, link table and breakdown from made-up runs of known truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from cartwheel.simulator.referee.breakdown import compositions, trajectories
from cartwheel.simulator.referee.claims import (
    arm_of,
    coalitions_of,
    headline,
    link_orders,
    link_table,
)
from cartwheel.simulator.referee.link_shares import link_shares
from cartwheel.simulator.referee.link_table import SHAPLEY_SEED, orders_played
from cartwheel.simulator.referee.paired import orders_of
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.referee.terminal import text_shares
from tests.simulator.referee.made import DAYS, LIFTS, played, run

WORTH = {"stock→recommend": 2.0, "price→forecast": 0.0, "returns→price": -1.0}
LINKS = tuple(sorted(WORTH))
ORDERS = list(permutations(LINKS))


def lone(found: list) -> object:
    assert len(found) == 1
    return found[0]


def link_runs(*, worlds: int = 6, noise: float = 0.05) -> list[Run]:
    """Return runs of an additive wheel: every coalition of its links."""
    lifts = {
        arm_of(team, LINKS): sum(WORTH[link] for link in team)
        for team in coalitions_of(ORDERS)
    }
    return played(lifts, worlds=worlds, noise=noise)


def test_the_headline_finds_the_lifts():
    row = lone(headline(played(worlds=24)))
    assert (row.world, row.size, row.worlds, row.failed) == ("apparel", "small", 24, 0)
    assert [line.arm for line in row.arms] == list(LIFTS)
    assert [(p.arm, p.base) for p in row.pairs] == [
        ("connected", "isolated"),
        ("isolated", "no-ai"),
        ("connected", "no-ai"),
        ("oracle", "no-ai"),
    ]
    for pair in row.pairs:
        truth = LIFTS[pair.arm] - LIFTS[pair.base]
        assert pair.per_visit.mean == pytest.approx(truth, abs=0.5)
        assert pair.profit.mean == pytest.approx(1000 * pair.per_visit.mean)
        assert (pair.per_visit.n, pair.left_out) == (24, 0)
        assert pair.per_visit.verdict == "above"
    shares = {line.arm: line.gap.share for line in row.gaps}
    assert shares == {
        "isolated": pytest.approx(0.2, abs=0.06),
        "connected": pytest.approx(0.6, abs=0.06),
    }


def test_the_relative_difference_is_over_the_base():
    runs = [run("no-ai", s, profit_minor=40_000) for s in range(2)]
    runs += [run("isolated", s, profit_minor=50_000) for s in range(2)]
    assert lone(lone(headline(runs)).pairs).relative == pytest.approx(0.25)
    loss = [replace(one, profit_minor=-one.profit_minor) for one in runs]
    assert np.isnan(lone(lone(headline(loss)).pairs).relative)


def test_a_failed_world_is_left_out_of_its_pairs_and_counted():
    runs = [
        replace(r, state="failed", reason="it raised")
        if (r.arm, r.seed) == ("connected", 3)
        else r
        for r in played(worlds=8)
    ]
    row = lone(headline(runs))
    assert (row.worlds, row.failed) == (8, 1)
    counts = {(p.arm, p.base): (p.per_visit.n, p.left_out) for p in row.pairs}
    assert counts == {
        ("connected", "isolated"): (7, 1),
        ("isolated", "no-ai"): (8, 0),
        ("connected", "no-ai"): (7, 1),
        ("oracle", "no-ai"): (8, 0),
    }
    lines = {line.arm: (line.done, line.failed) for line in row.arms}
    assert lines["connected"] == (7, 1)
    assert lines["oracle"] == (8, 0)
    gaps = {line.arm: (line.gap.n, line.left_out) for line in row.gaps}
    assert gaps == {"isolated": (8, 0), "connected": (7, 1)}


def test_a_failed_run_does_not_move_the_estimate():
    runs = played(worlds=8)
    clean = [r for r in runs if r.seed != 3]
    broken = [
        replace(r, state="failed", profit_minor=10**9)
        if (r.arm, r.seed) == ("connected", 3)
        else r
        for r in runs
    ]
    pick = [lone(headline(x)).pairs[0].per_visit.mean for x in (clean, broken)]
    assert pick[0] == pick[1]


def test_a_world_without_visits_is_left_out():
    runs = [run(arm, s) for arm in ("no-ai", "isolated") for s in range(3)]
    runs[0] = replace(runs[0], visits=0)
    pair = lone(lone(headline(runs)).pairs)
    assert (pair.per_visit.n, pair.left_out) == (2, 1)


def test_worlds_and_sizes_are_kept_apart():
    runs = played(worlds=3) + played(worlds=3, world="hostile")
    runs += [replace(r, size="standard") for r in played(worlds=3)]
    assert [(r.world, r.size, r.worlds) for r in headline(runs)] == [
        ("apparel", "small", 3),
        ("apparel", "standard", 3),
        ("hostile", "small", 3),
    ]


def test_anyones_policy_gets_a_row_a_pair_and_a_share():
    row = lone(headline(played({**LIFTS, "mine": -1.0}, worlds=12)))
    assert [line.arm for line in row.arms][-1] == "mine"
    assert (row.pairs[-1].arm, row.pairs[-1].base) == ("mine", "no-ai")
    assert row.pairs[-1].per_visit.mean == pytest.approx(-1, abs=0.5)
    assert {line.arm for line in row.gaps} == {"isolated", "connected", "mine"}


def test_the_clairvoyant_bound_is_a_mark_of_its_own():
    row = lone(headline(played({**LIFTS, "clairvoyant": 20.0}, worlds=12)))
    marks = {(line.arm, line.mark): line.gap.share for line in row.gaps}
    assert marks["connected", "clairvoyant"] == pytest.approx(0.3, abs=0.05)
    assert len(marks) == 4


def test_arms_of_the_link_table_stay_out_of_the_headline():
    runs = [run("isolated plus a→b"), run("connected minus a→b"), run("coalition a+b")]
    assert headline(runs) == []
    assert headline([]) == []


def test_names_of_coalitions():
    assert arm_of([], LINKS) == "isolated"
    assert arm_of(LINKS, LINKS) == "connected"
    assert arm_of(["b"], "abcd") == "isolated plus b"
    assert arm_of("acd", "abcd") == "connected minus b"
    assert arm_of("cb", "abcd") == "coalition b+c"
    assert arm_of(["a"], ["a"]) == "connected"
    with pytest.raises(ValueError, match="no links of the wheel"):
        arm_of(["x"], LINKS)


def test_the_link_table_finds_what_each_link_is_worth():
    rows = link_table(link_runs(), links=LINKS, orders=ORDERS)
    assert [row.link for row in rows] == sorted(WORTH)
    for row in rows:
        for form, found, adjusted in row.forms():
            assert found is not None, form
            assert found.mean == pytest.approx(WORTH[row.link], abs=0.15), form
            assert found.n == row.worlds == 6
            assert adjusted >= found.p_value
        assert row.counts() == (6, 6, 6)
    by_link = {row.link: row for row in rows}
    assert by_link["stock→recommend"].add_one.verdict == "above"
    assert by_link["returns→price"].leave_one_out.verdict == "below"


def test_shapley_adds_up_to_connected_less_isolated():
    runs = link_runs()
    rows = link_table(runs, links=LINKS, orders=ORDERS)
    whole = lone(headline(runs)).pairs[0].per_visit.mean
    assert sum(row.shapley.mean for row in rows) == pytest.approx(whole)


def test_shapley_uses_the_declared_orders_and_the_links_named():
    runs = link_runs()
    rows = link_table(runs)
    declared = link_table(runs, links=LINKS, orders=link_orders(LINKS))
    assert rows == declared
    assert all(row.shapley is not None for row in rows)
    assert {row.orders for row in rows} == {24}


@pytest.mark.parametrize("count", [2, 8, 40])
def test_shapley_reads_as_many_orders_as_were_played(count):
    links = [f"link{i:02d}" for i in range(14)]
    asked = orders_of(links, count, seed=SHAPLEY_SEED)
    arms = {arm_of(one, links) for one in coalitions_of(asked)}
    assert orders_played(links, arms) == asked
    assert orders_played(links, arms - {arm_of(asked[-1][:6], links)}) == asked[:-2]


def test_shapley_reads_no_order_when_none_was_played_in_full():
    assert orders_played(LINKS, ["connected", "isolated"]) == []
    runs = [r for r in link_runs() if not r.arm.startswith(("coalition", "isolated "))]
    rows = link_table(runs)
    assert {row.orders for row in rows} == {0}
    assert all(row.shapley is None for row in rows)


def test_shapley_waits_until_a_world_has_every_coalition():
    # One coalition of the 8 lacks in each world but world 0.
    runs = [r for r in link_runs() if r.seed == 0 or r.arm != arm_of(LINKS[:2], LINKS)]
    rows = link_table(runs, links=LINKS, orders=ORDERS)
    assert [row.shapley.n for row in rows] == [1, 1, 1]
    without = [r for r in runs if r.arm != arm_of(LINKS[:2], LINKS)]
    rows = link_table(without, links=LINKS, orders=ORDERS)
    assert [row.shapley for row in rows] == [None, None, None]
    assert all(np.isnan(row.shapley_holm) for row in rows)
    assert [row.leave_one_out is None for row in rows].count(True) == 1


def test_holm_counts_the_links_of_one_form():
    rows = link_table(link_runs(), links=LINKS, orders=ORDERS)
    raw = sorted(row.add_one.p_value for row in rows)
    adjusted = sorted(row.add_one_holm for row in rows)
    assert adjusted[0] == pytest.approx(3 * raw[0])


def in_profit() -> list[Run]:
    """Return the runs of the additive wheel in worlds where every arm earns."""
    return [replace(one, profit_minor=one.profit_minor + 60_000) for one in link_runs()]


def two_kinds() -> list[Run]:
    """Return runs of two kinds of worlds, of which one earns ten times as much."""
    rich = [
        replace(one, world="electronics", profit_minor=10 * one.profit_minor)
        for one in in_profit()
    ]
    return [*in_profit(), *rich]


def test_over_all_worlds_a_link_is_a_share_of_the_wheels_profit():
    runs = two_kinds()
    rows = {row.link: row for row in link_shares(runs, links=LINKS, orders=ORDERS)}
    assert sorted(rows) == sorted(WORTH)
    of_kind = {
        name: link_shares(
            [one for one in runs if one.world == name], links=LINKS, orders=ORDERS
        )
        for name in ("apparel", "electronics")
    }
    for place, link in enumerate(LINKS):
        for form in range(3):
            found = rows[link].forms[form]
            assert found.n == 12
            parts = [of_kind[name][place].forms[form].mean for name in of_kind]
            # Ten times the profit is the same share; every world weighs the same.
            assert parts[0] == pytest.approx(parts[1])
            assert found.mean == pytest.approx(sum(parts) / 2)
        assert all(p >= f.p_value for p, f in zip(
            rows[link].adjusted, rows[link].forms, strict=True))  # fmt: skip
    by_link = link_table(in_profit(), links=LINKS, orders=ORDERS)[-1]
    connected = lone(headline(in_profit())).arms[-1].spread.mean
    share = rows[by_link.link].forms[1].mean
    assert share == pytest.approx(by_link.leave_one_out.mean / connected, rel=0.2)
    text = text_shares(list(rows.values()))
    assert text.startswith("all worlds together")
    assert "12/12/12" in text
    assert text_shares([]) == ""


def test_a_world_that_earned_nothing_has_no_share():
    runs = [
        replace(one, profit_minor=-abs(one.profit_minor)) if one.seed == 2 else one
        for one in in_profit()
    ]
    rows = link_shares(runs, links=LINKS, orders=ORDERS)
    assert {row.left_out for row in rows} == {1}
    assert {form.n for row in rows for form in row.forms} == {5}
    assert "1 world without profit left out" in text_shares(rows)
    assert link_shares(played(), links=LINKS) == []


def test_a_link_of_the_wheel_that_was_not_run_has_a_row():
    runs = played({"isolated": 0.0, "isolated plus a→b": 1.0})
    rows = link_table(runs, links=["a→b", "c→d"])
    assert [row.link for row in rows] == ["a→b", "c→d"]
    assert rows[0].add_one is not None
    assert (rows[1].add_one, rows[1].leave_one_out) == (None, None)
    assert link_table(played()) == []


def test_trajectories_add_up_to_the_difference():
    runs = played(worlds=10)
    found = {one.arm: one for one in trajectories(runs)}
    assert set(found) == {"isolated", "connected", "oracle"}
    pairs = {p.arm: p for p in lone(headline(runs)).pairs if p.base == "no-ai"}
    for arm, one in found.items():
        assert one.mean.shape == (DAYS,)
        assert one.mean[-1] == pytest.approx(pairs[arm].profit.mean)
        assert one.low[-1] == pytest.approx(pairs[arm].profit.low)
        assert one.high[-1] == pytest.approx(pairs[arm].profit.high)
        assert one.n == 10


def test_trajectories_leave_out_series_that_do_not_fit():
    runs = played(worlds=3)
    short = {"profit_minor": np.ones(5)}
    runs = [
        replace(r, days=short) if (r.arm, r.seed) == ("isolated", 2) else r
        for r in runs
    ]
    counts = {one.arm: one.n for one in trajectories(runs)}
    assert counts == {"isolated": 2, "connected": 3, "oracle": 3}
    assert trajectories([run("no-ai"), run("isolated")]) == []
    one = lone(trajectories([r for r in played(worlds=1) if r.arm != "oracle"])[:1])
    assert np.isnan(one.low).all()


def test_parts_are_per_visit_and_add_up():
    runs = played(worlds=6)
    one = lone(compositions(runs, "parts"))
    assert one.names == ("revenue", "goods")
    assert one.adds_up
    assert one.n == 6
    total = sum(one.differences[name].mean for name in one.names)
    assert total == pytest.approx(lone(headline(runs)).pairs[0].per_visit.mean)
    mean = np.mean([r.parts["goods"] / r.visits for r in runs if r.arm == "oracle"])
    assert one.means["goods", "oracle"] == pytest.approx(mean)
    torn = [replace(runs[0], profit_minor=1), *runs[1:]]
    assert not lone(compositions(torn, "parts")).adds_up


def test_figures_are_means_and_a_missing_one_is_missing():
    runs = [
        replace(r, figures={}) if r.arm == "oracle" else r for r in played(worlds=3)
    ]
    one = lone(compositions(runs, "figures"))
    assert one.means["fill_rate", "connected"] == pytest.approx(0.96)
    assert ("fill_rate", "oracle") not in one.means
    assert one.differences["fill_rate"].mean == pytest.approx(0.04)


def test_a_composition_compares_the_same_worlds_only():
    runs = [
        replace(r, state="failed") if (r.arm, r.seed) == ("isolated", 1) else r
        for r in played(worlds=4)
    ]
    assert lone(compositions(runs, "parts")).n == 3
    assert compositions([run("no-ai")], "parts") == []
