"""Every signal made from the lake keeps the signal contract."""

from __future__ import annotations

import pyarrow as pa
import pytest

from cartwheel.signals.base import Signal
from cartwheel.signals.engine import link
from cartwheel.signals.registry import LAKE_SIGNALS, LEARNED, SIGNALS
from tests.contract.signal_kit import check_declaration, check_table, made_facts
from tests.contract.tiny_lake import TinyLake

AS_OF = "2026-02-19"  # the facts before it are 50 days, the later ones follow
LINKS = [(read, s.name) for s in LAKE_SIGNALS.values() for read in s.reads]
Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> TinyLake:
    return TinyLake(tmp_path_factory.mktemp("kit"), timezone="America/New_York")


@pytest.fixture(scope="module")
def empty(shop: TinyLake) -> Tables:
    return shop.tables(AS_OF)


@pytest.fixture(scope="module")
def early(shop: TinyLake, empty: Tables) -> Tables:
    made_facts(shop, 1, first_day=0, days=50, rows=60)
    return shop.tables(AS_OF)


@pytest.fixture(scope="module")
def cut(shop: TinyLake, early: Tables) -> Tables:
    return shop.tables(AS_OF, cuts=[link(*pair) for pair in LINKS])


@pytest.fixture(scope="module")
def later(shop: TinyLake, early: Tables, cut: Tables) -> Tables:
    # New York's midnight is 05:00 UTC, so day 51 is after the cut-off.
    made_facts(shop, 2, first_day=51, days=40, rows=60)
    return shop.tables(AS_OF)


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)
def test_signal_declaration(signal: Signal) -> None:
    check_declaration(signal)


@pytest.mark.parametrize("signal", LAKE_SIGNALS.values(), ids=LAKE_SIGNALS)
def test_signal_of_an_empty_lake_is_empty(signal: Signal, empty: Tables) -> None:
    check_table(signal, empty[signal.name])
    assert empty[signal.name].num_rows == 0


@pytest.mark.parametrize("signal", LAKE_SIGNALS.values(), ids=LAKE_SIGNALS)
def test_signal_table_is_as_declared(signal: Signal, early: Tables) -> None:
    check_table(signal, early[signal.name])
    assert early[signal.name].num_rows > 0


@pytest.mark.parametrize("signal", LAKE_SIGNALS.values(), ids=LAKE_SIGNALS)
def test_signal_ignores_facts_after_the_cutoff(
    signal: Signal, early: Tables, later: Tables
) -> None:
    assert later[signal.name].equals(early[signal.name])


@pytest.mark.parametrize("signal", LAKE_SIGNALS.values(), ids=LAKE_SIGNALS)
def test_signal_with_its_links_cut(signal: Signal, early: Tables, cut: Tables) -> None:
    check_table(signal, cut[signal.name])
    same = cut[signal.name].equals(early[signal.name])
    assert same == (not signal.reads), "a link must act on its reader and no other"


def test_cut_links_read_as_neutral(cut: Tables, early: Tables) -> None:
    assert set(cut["margin"]["return_cost_minor"].to_pylist()) == {0}
    assert set(early["margin"]["return_cost_minor"].to_pylist()) != {0}
    assert set(cut["margin"]["price_minor"].to_pylist()) == {None}
    assert set(cut["stock"]["cover_days"].to_pylist()) == {None}
    assert set(cut["price_history"]["days_in_stock"].to_pylist()) == {7}
    assert set(early["price_history"]["days_in_stock"].to_pylist()) != {7}


def test_registry_orders_signals_after_their_reads() -> None:
    seen: set[str] = set()
    for signal in LAKE_SIGNALS.values():
        assert signal.writer == "lake"
        assert signal.make is not None
        assert seen >= set(signal.reads)
        seen.add(signal.name)
    assert all(s.writer != "lake" and s.make is None for s in LEARNED.values())


def test_compute_refuses_a_signal_not_made_from_the_lake(shop: TinyLake) -> None:
    with pytest.raises(KeyError, match="forecast"):
        shop.tables(AS_OF, only=["forecast"])


def test_compute_is_repeatable_to_the_byte(shop: TinyLake, later: Tables) -> None:
    again = shop.tables(AS_OF, only=["baskets", "demand", "lead_time"])
    for name, table in again.items():
        assert table.equals(later[name])
