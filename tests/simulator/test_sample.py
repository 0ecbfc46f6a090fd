"""The sample shop: whole, consistent, repeatable, and worth learning from."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest

from cartwheel.connectors.base import SOURCE_ROW
from cartwheel.lake.tables import TABLE_BY_NAME
from cartwheel.simulator.sample import (
    harvest,
    make_sample,
    make_sample_catalogue,
    write_folder,
)

START = date(2025, 7, 1)
DAYS = 200
SMALL: dict[str, Any] = {
    "start": START,
    "days": 40,
    "products": 40,
    "customers": 200,
    "scale": 2.0,
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return make_sample(seed=5, start=START, days=DAYS, products=150, customers=2500)


@pytest.fixture(scope="module")
def frames(tables: dict[str, pa.Table]) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in tables.items()}


def test_sample_has_every_fact_table_with_its_content_columns(
    tables: dict[str, pa.Table],
) -> None:
    # Written by the product, or by a merchant in its console.
    made = set(TABLE_BY_NAME) - {
        *("answers", "outcomes", "theme_corrections", "fix_effects")
    }
    assert set(tables) == made
    for name, table in tables.items():
        assert tuple(table.column_names) == TABLE_BY_NAME[name].column_names
        assert table.num_rows > 0, name


def test_sample_values_fit_their_declarations(
    frames: dict[str, pd.DataFrame],
) -> None:
    for name, frame in frames.items():
        table = TABLE_BY_NAME[name]
        for column in table.columns:
            values = frame[column.name]
            where = f"{name}.{column.name}"
            if column.required:
                assert values.notna().all(), where
            if column.minimum is not None:
                assert (values.dropna() >= column.minimum).all(), where
            if column.choices:
                assert values.dropna().isin(column.choices).all(), where


def test_sample_keys_are_unique(frames: dict[str, pd.DataFrame]) -> None:
    for name, frame in frames.items():
        key = list(TABLE_BY_NAME[name].key)
        if name == "orders":
            key.append("updated_at")  # versions of an order
        assert not frame.duplicated(key).any(), name


@pytest.mark.parametrize(
    ("table", "column", "parent", "key"),
    [
        ("variants", "product_id", "products", "product_id"),
        ("variants", "supplier_id", "suppliers", "supplier_id"),
        ("prices", "variant_id", "variants", "variant_id"),
        ("costs", "variant_id", "variants", "variant_id"),
        ("inventory_levels", "variant_id", "variants", "variant_id"),
        ("inventory_levels", "location_id", "locations", "location_id"),
        ("purchase_orders", "variant_id", "variants", "variant_id"),
        ("receipts", "purchase_order_id", "purchase_orders", "purchase_order_id"),
        ("orders", "customer_id", "customers", "customer_id"),
        ("order_lines", "order_id", "orders", "order_id"),
        ("order_lines", "variant_id", "variants", "variant_id"),
        ("refunds", "order_id", "orders", "order_id"),
        ("returns", "variant_id", "variants", "variant_id"),
        ("events", "customer_id", "customers", "customer_id"),
        ("events", "product_id", "products", "product_id"),
        ("events", "variant_id", "variants", "variant_id"),
        ("reviews", "product_id", "products", "product_id"),
        ("messages", "customer_id", "customers", "customer_id"),
        ("messages", "order_id", "orders", "order_id"),
        ("messages", "campaign_id", "campaigns", "campaign_id"),
        ("consents", "customer_id", "customers", "customer_id"),
    ],
)
def test_sample_references_exist(
    frames: dict[str, pd.DataFrame], table: str, column: str, parent: str, key: str
) -> None:
    assert frames[table][column].dropna().isin(frames[parent][key]).all()


def test_sample_facts_lie_within_its_days(frames: dict[str, pd.DataFrame]) -> None:
    first = datetime.combine(START, datetime.min.time())
    last = first + timedelta(days=DAYS)
    for name, frame in frames.items():
        dated = TABLE_BY_NAME[name].dated_by
        if dated is not None:
            assert frame[dated].min() >= first, name
            assert frame[dated].max() < last, name


def test_sample_nobody_acts_before_being_known(
    frames: dict[str, pd.DataFrame],
) -> None:
    known = frames["customers"].set_index("customer_id").created_at
    for name, column in (("orders", "placed_at"), ("events", "occurred_at")):
        frame = frames[name].dropna(subset=["customer_id"])
        assert (frame[column].values >= known[frame.customer_id].values).all(), name
    listed = frames["variants"].set_index("variant_id").created_at
    lines = frames["order_lines"]
    assert (lines.placed_at.values >= listed[lines.variant_id].values).all()


def test_sample_lines_were_sold_at_the_price_in_force(
    frames: dict[str, pd.DataFrame],
) -> None:
    lines = frames["order_lines"].sort_values("placed_at")
    prices = frames["prices"].sort_values("valid_from_at")
    joined = pd.merge_asof(
        lines,
        prices,
        left_on="placed_at",
        right_on="valid_from_at",
        by="variant_id",
    )
    assert (joined.unit_price_minor == joined.price_minor).all()


def test_sample_stock_reconciles_with_sales_receipts_and_returns(
    frames: dict[str, pd.DataFrame],
) -> None:
    counts = frames["inventory_levels"].sort_values("counted_at")
    first = counts.groupby(["variant_id", "location_id"]).first()
    sold = _units(frames["order_lines"], "placed_at", first, "quantity_units")
    came = _units(frames["receipts"], "received_at", first, "received_units")
    returns = frames["returns"][frames["returns"].grade == "resale"]
    back = _units(
        returns.assign(location_id="L1"), "returned_at", first, "quantity_units"
    )
    last = counts.groupby(["variant_id", "location_id"]).available_units.last()
    expected = first.available_units - sold + came + back
    assert (last == expected).all()
    assert (counts.available_units >= 0).all()


def _units(
    moves: pd.DataFrame, at: str, first: pd.DataFrame, units: str
) -> pd.Series[Any]:
    keys = ["variant_id", "location_id"]
    since = moves.join(first.counted_at.rename("since"), on=keys)
    later = since[since[at] > since["since"]]
    return later.groupby(keys)[units].sum().reindex(first.index, fill_value=0)


def test_sample_failed_adds_happen_only_when_sold_out(
    frames: dict[str, pd.DataFrame],
) -> None:
    events, counts = frames["events"], frames["inventory_levels"]
    failed = events[events.kind == "failed_add"].sort_values("occurred_at")
    end = failed.occurred_at.dt.normalize() + pd.Timedelta(hours=22)
    failed = failed.assign(end=end.astype(counts.counted_at.dtype))
    assert len(failed) >= 20
    for place in ("L1", "L2"):
        at_place = counts[counts.location_id == place].sort_values("counted_at")
        joined = pd.merge_asof(
            failed,
            at_place[["variant_id", "counted_at", "available_units"]],
            left_on="end",
            right_on="counted_at",
            by="variant_id",
        )
        assert (joined.available_units == 0).all()


def test_sample_refunds_never_exceed_what_was_paid(
    frames: dict[str, pd.DataFrame],
) -> None:
    lines = frames["order_lines"].set_index(["order_id", "line_id"])
    paid = lines.quantity_units * lines.unit_price_minor - lines.discount_minor
    back = frames["refunds"].groupby(["order_id", "line_id"]).amount_minor.sum()
    assert (back <= paid[back.index]).all()
    assert len(frames["refunds"]) == len(frames["returns"])


def test_sample_funnel_is_believable(frames: dict[str, pd.DataFrame]) -> None:
    events = frames["events"]
    visit = events.visitor_id + events.occurred_at.dt.strftime("%j")
    visits = visit.nunique()
    assert 0.055 < visit[events.kind == "add_to_cart"].nunique() / visits < 0.085
    assert 0.02 < visit[events.kind == "checkout"].nunique() / visits < 0.032
    zero = events[events.kind == "search"].result_count == 0
    assert 0.03 < zero.mean() < 0.2
    returned = len(frames["returns"]) / len(frames["order_lines"])
    assert 0.05 < returned < 0.25
    guests = frames["orders"].customer_id.isna().mean()
    assert 0.1 < guests < 0.5


def test_sample_has_seasons_stock_outs_and_dead_stock(
    frames: dict[str, pd.DataFrame],
) -> None:
    placed = frames["order_lines"].placed_at
    by_month = placed.dt.month.value_counts()
    assert by_month[12] > 1.15 * by_month[8]
    counts = frames["inventory_levels"]
    assert (
        counts.groupby(["variant_id", "location_id"]).available_units.min() == 0
    ).any()
    cat = make_sample_catalogue(seed=5, start=START, days=DAYS, products=150)
    dead = set(cat.variant_ids[cat.dead[cat.product_of]])
    late = frames["order_lines"][placed > pd.Timestamp(START) + pd.Timedelta(days=144)]
    last = counts.sort_values("counted_at").groupby(["variant_id", "location_id"])
    held = last.last().loc[sorted(dead)].available_units.sum()
    assert held > 20 * late.variant_id.isin(dead).sum()


def test_sample_demand_follows_price_with_the_true_elasticity() -> None:
    tables = make_sample(
        seed=2, start=START, days=150, products=60, customers=1500, scale=4.0
    )
    cat = make_sample_catalogue(seed=2, start=START, days=150, products=60)
    lines = tables["order_lines"].to_pandas()
    day = (lines.placed_at - pd.Timestamp(START)).dt.days.to_numpy()
    index = {p: i for i, p in enumerate(cat.product_ids)}
    product = lines.product_id.map(index).to_numpy()
    units = np.zeros(cat.price_minor.shape)
    np.add.at(units, (product, day), lines.quantity_units.to_numpy())
    # Within product and month: sales against log price, as a Poisson score step.
    log_price = np.log(cat.price_minor / cat.base_minor[:, None])
    expected = cat.appeal * np.exp(cat.elasticity[:, None] * log_price)
    expected *= units.sum(axis=1, keepdims=True) / expected.sum(axis=1, keepdims=True)
    centred = log_price - (log_price * expected).sum(axis=1, keepdims=True) / (
        expected.sum(axis=1, keepdims=True)
    )
    score = ((units - expected) * centred).sum()
    information = (expected * centred**2).sum()
    assert information > 25  # the changes are large enough to learn from
    assert abs(score / information) < 0.6  # the truth needs no large correction


def test_sample_companions_are_bought_together(
    frames: dict[str, pd.DataFrame],
) -> None:
    cat = make_sample_catalogue(seed=5, start=START, days=DAYS, products=150)
    pairs = {
        frozenset((cat.product_ids[i], cat.product_ids[j]))
        for i in range(150)
        for j in cat.companions[i]
    }
    lines = frames["order_lines"][["order_id", "product_id"]].drop_duplicates()
    both = lines.merge(lines, on="order_id")
    both = both[both.product_id_x < both.product_id_y]
    found = [
        frozenset(pair) in pairs
        for pair in zip(both.product_id_x, both.product_id_y, strict=True)
    ]
    chance = len(pairs) / (150 * 149 / 2)
    assert np.mean(found) > 8 * chance


def test_sample_size_problem_shows_in_returns_and_reviews(
    frames: dict[str, pd.DataFrame],
) -> None:
    cat = make_sample_catalogue(seed=5, start=START, days=DAYS, products=150)
    small = set(cat.product_ids[cat.runs_small])
    lines, returns = frames["order_lines"], frames["returns"]
    too_small = returns[returns.reason == "too small"]
    assert too_small.product_id.isin(small).all()
    rate = returns.product_id.isin(small).sum() / lines.product_id.isin(small).sum()
    rest = (~returns.product_id.isin(small)).sum() / (
        ~lines.product_id.isin(small)
    ).sum()
    assert rate > 1.5 * rest
    reviews = frames["reviews"]
    tight = reviews.body.str.contains("small|tight|sizing")
    assert reviews[tight].product_id.isin(small).all()
    assert reviews[tight].rating.mean() < reviews[~tight].rating.mean() - 1


def test_sample_mail_goes_only_to_those_who_agreed(
    frames: dict[str, pd.DataFrame],
) -> None:
    mails = frames["messages"].dropna(subset=["campaign_id"]).sort_values("sent_at")
    consents = frames["consents"]
    consents = consents[consents.purpose == "email_marketing"]
    joined = pd.merge_asof(
        mails,
        consents.sort_values("changed_at")[["customer_id", "changed_at", "granted"]],
        left_on="sent_at",
        right_on="changed_at",
        by="customer_id",
    )
    assert joined.granted.eq(True).all()


def test_sample_addresses_are_reserved_ones(frames: dict[str, pd.DataFrame]) -> None:
    email = frames["customers"].email
    assert email.str.fullmatch(r"[a-z.0-9]+@example\.(com|org)").all()
    assert email.is_unique


def test_sample_is_a_function_of_its_seed() -> None:
    one, two = make_sample(seed=3, **SMALL), make_sample(seed=3, **SMALL)
    other = make_sample(seed=4, **SMALL)
    assert one == two
    assert one["order_lines"] != other["order_lines"]


def test_sample_harvest_accounts_for_every_row() -> None:
    tables = make_sample(seed=3, **SMALL)
    reaped = harvest(tables)
    rows = [n for t in reaped.facts.values() for n in t[SOURCE_ROW].to_pylist()]
    assert rows == list(range(reaped.rows_read))
    assert [file.name for file in reaped.files] == [f"{name}.csv" for name in tables]


def test_sample_folder_reads_back_equal(tmp_path: Path) -> None:
    tables = make_sample(seed=3, **SMALL)
    write_folder(tables, tmp_path / "shop")
    for name, table in tables.items():
        found = pyarrow.csv.read_csv(
            tmp_path / "shop" / f"{name}.csv",
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={f.name: f.type for f in table.schema},
                strings_can_be_null=True,
                timestamp_parsers=["%Y-%m-%dT%H:%M:%SZ"],
            ),
        )
        assert found.equals(table), name


def test_sample_folder_refuses_an_unknown_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not fact tables"):
        write_folder({"weather": pa.table({"day": [1]})}, tmp_path)


@pytest.mark.parametrize("name", ["days", "products", "customers", "scale"])
def test_sample_refuses_nothing_to_make(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make_sample(seed=1, **{**SMALL, name: 0})


@pytest.mark.parametrize(
    "size",
    [
        {"days": 1, "products": 1, "customers": 1},
        {"days": 3, "products": 5, "customers": 20},
    ],
)
def test_sample_can_be_tiny(size: dict[str, int]) -> None:
    tables = make_sample(seed=1, start=START, **size)
    assert tables["products"].num_rows == size["products"]
