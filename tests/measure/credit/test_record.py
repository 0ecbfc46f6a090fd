"""What tests of fixes found becomes a fact that a later turn, and no earlier, reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cartwheel.measure.credit.enrol import enrolled, fix_experiments, last_day
from cartwheel.measure.credit.record import RETURN_DAYS, record_fix_effects
from cartwheel.measure.experiment.store import create, find, keep_look, list_experiments
from cartwheel.measure.experiment.trial import CONTROL
from cartwheel.signals.fix_effects import FIX_EFFECTS
from tests.measure.credit.made import (
    ENDS,
    LOOKED,
    NAME,
    STARTS,
    MadeShop,
    add_turn,
    row_of,
    sell,
    shop_with_test,
    terms_of,
)
from tests.page_fixes import fix, put

READ = date(2026, 3, 1)
SALE = date(2026, 1, 12)


@pytest.fixture
def made(tmp_path: Path) -> MadeShop:
    found = shop_with_test(tmp_path)
    sell(found, found.fixed, 1)
    sell(found, found.alone, 5)
    found.lake.write()
    return found


def signal(made: MadeShop, on: date) -> list[dict[str, object]]:
    return made.lake.rows(FIX_EFFECTS.name, on.isoformat())


def test_a_turn_reads_what_a_test_told(made: MadeShop) -> None:
    assert record_fix_effects(made.shop, row_of(2, READ)) == 1
    (row,) = signal(made, READ)
    assert (row["objection"], row["form"]) == ("size_fit", "size note")
    assert (row["experiments"], row["counted"]) == (NAME, "all returns")
    assert (row["fixed"], row["held_out"]) == (len(made.fixed), len(made.alone))
    assert row["control_rate"] == pytest.approx(5 / 12)
    assert row["change"] == pytest.approx(-4 / 12, abs=0.02)
    assert isinstance(row["share"], float)
    assert 0.4 < row["share"] < 0.85
    assert row["harm"] is None


def test_a_turn_of_an_earlier_day_does_not_see_it(made: MadeShop) -> None:
    record_fix_effects(made.shop, row_of(2, READ))
    assert signal(made, READ - timedelta(days=1)) == []


def test_what_did_not_change_is_not_told_again(made: MadeShop) -> None:
    assert record_fix_effects(made.shop, row_of(2, READ)) == 1
    assert record_fix_effects(made.shop, row_of(2, READ)) == 0
    assert record_fix_effects(made.shop, row_of(3, READ + timedelta(days=1))) == 0
    sell(made, made.fixed, 12, on=READ, mark="b")
    sell(made, made.alone, 0, on=READ, mark="b")
    made.lake.write()
    later = READ + timedelta(days=RETURN_DAYS)
    assert record_fix_effects(made.shop, row_of(4, later)) == 1
    (row,) = signal(made, later)
    assert row["change"] > 0  # type: ignore[operator]
    (row,) = signal(made, READ)
    assert row["change"] < 0  # type: ignore[operator]


def test_sales_that_may_still_come_back_wait(made: MadeShop) -> None:
    early = SALE + timedelta(days=RETURN_DAYS - 1)
    assert record_fix_effects(made.shop, row_of(2, early)) == 0
    assert record_fix_effects(made.shop, row_of(2, early + timedelta(days=1))) == 1


def test_sales_before_and_after_the_test_do_not_count(made: MadeShop) -> None:
    sell(made, made.fixed, 12, on=LOOKED, mark="before")
    sell(made, made.fixed, 12, on=ENDS + timedelta(days=1), mark="after")
    made.lake.write()
    record_fix_effects(made.shop, row_of(2, ENDS + timedelta(days=90)))
    (row,) = signal(made, ENDS + timedelta(days=90))
    assert row["change"] == pytest.approx(-4 / 12, abs=0.02)


def test_returns_for_another_reason_are_not_the_objection(made: MadeShop) -> None:
    """Twice as many come back broken: now returns for size alone are counted."""
    sell(made, (*made.fixed, *made.alone), 12, reason="arrived broken", mark="b")
    made.lake.write()
    record_fix_effects(made.shop, row_of(2, READ))
    (row,) = signal(made, READ)
    assert row["counted"] == "returns"
    assert row["control_rate"] == pytest.approx(5 / 24)


def test_a_harm_is_told_when_the_test_is_over(tmp_path: Path) -> None:
    made = shop_with_test(tmp_path)
    sell(made, made.fixed, 9)
    sell(made, made.alone, 2)
    made.lake.write()
    record_fix_effects(made.shop, row_of(2, READ))
    (row,) = signal(made, READ)
    assert row["harm"] is None
    over = ENDS + timedelta(days=RETURN_DAYS)
    record_fix_effects(made.shop, row_of(3, over))
    (row,) = signal(made, over)
    assert row["harm"] == "more returns"
    assert row["share"] < 0  # type: ignore[operator]


def test_without_a_test_nothing_is_recorded(tmp_path: Path) -> None:
    from cartwheel.shop import make_shop

    shop = make_shop(tmp_path / "s", currency="EUR")
    assert record_fix_effects(shop, row_of(1, READ)) == 0


def test_a_test_that_cannot_be_read_stops_no_turn(
    made: MadeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no such table")

    monkeypatch.setattr("cartwheel.measure.credit.record.effects_of_test", fails)
    assert record_fix_effects(made.shop, row_of(2, READ)) == 0


def test_products_count_as_first_drawn(made: MadeShop) -> None:
    shop, record = made.shop, find(made.shop.database, NAME)
    add_turn(shop, 2, LOOKED + timedelta(days=28))
    for name in made.alone[:2]:
        put(shop, fix(name), turn=2, state="applied")
    put(shop, fix("refused"), turn=2, state="refused")
    put(shop, fix("new"), turn=2, state="proposed")
    found = enrolled(shop.database, record, timezone="UTC", on=READ)
    by_name = {one.product_id: one for one in found}
    assert {n for n, one in by_name.items() if not one.fixed} - {"new"} == set(
        made.alone
    )
    assert "refused" not in by_name
    assert by_name["new"].since > by_name[made.alone[0]].since
    assert not enrolled(
        shop.database, record, timezone="UTC", on=LOOKED - timedelta(days=1)
    )


def test_the_levers_own_holdout_and_pages_mended_before_are_left_out(
    tmp_path: Path,
) -> None:
    made = shop_with_test(tmp_path)
    shop = made.shop
    later = terms_of("again", date(2026, 4, 1), date(2026, 6, 30))
    create(shop.database, later, actor="owner")
    day = date(2026, 4, 2)
    add_turn(shop, 2, day)
    for name in (*made.fixed, *made.alone):
        put(shop, fix(name), turn=2, state="held_out")
    record = find(shop.database, "again")
    found = enrolled(shop.database, record, timezone="UTC", on=date(2026, 5, 1))
    # The mended are out; of the rest those that only another holdout leaves alone.
    expected = {
        name
        for name in made.alone
        if later.trial().arm_of(day + timedelta(days=1), product=name) == CONTROL
    }
    assert {one.product_id for one in found} == expected


def test_only_fix_experiments_by_product_that_began_count(made: MadeShop) -> None:
    records = list_experiments(made.shop.database)
    assert [one.terms.name for one in fix_experiments(records, READ)] == [NAME]
    assert not fix_experiments(records, STARTS - timedelta(days=1))
    (record,) = records
    other = replace(record, terms=replace(record.terms, lever="price"))
    assert not fix_experiments([other], READ)


def test_a_stopped_test_ends_with_its_last_look(made: MadeShop) -> None:
    (record,) = list_experiments(made.shop.database)
    assert last_day(record) == ENDS
    assert last_day(replace(record, state="stopped")) is None
    keep_look(made.shop.database, NAME, READ, {"day": READ.isoformat()})
    (record,) = list_experiments(made.shop.database)
    assert last_day(record) == ENDS
    assert last_day(replace(record, state="stopped")) == READ
