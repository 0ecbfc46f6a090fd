"""The same expressions on Spark and on DuckDB give the same signals.

Spark reads the Parquet that `export_facts` wrote. Run by `make test-spark`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cartwheel.signals.base import Signal
from cartwheel.signals.engine import (
    compute,
    compute_for,
    export_facts,
    parquet_source,
    when_of,
)
from cartwheel.signals.registry import LAKE_SIGNALS
from tests.contract.signal_kit import made_facts
from tests.contract.tiny_lake import TinyLake

pytestmark = pytest.mark.spark
Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")
    import ibis

    session = (
        pyspark.sql.SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield ibis.pyspark.connect(session)
    session.stop()


@pytest.fixture(scope="module")
def both(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tables, Tables]:
    folder = tmp_path_factory.mktemp("spark")
    lake = TinyLake(folder, timezone="America/New_York")
    made_facts(lake, 7, first_day=0, days=50, rows=60)
    lake.write()
    snapshot = lake.shop.lake.snapshot()
    when = when_of(date(2026, 2, 15), "America/New_York")
    facts: Path = folder / "facts"
    export_facts(lake.shop, when, snapshot, facts)
    here = compute_for(lake.shop, when, snapshot)
    there = compute(spark, when, source=parquet_source(spark, facts))
    return here, there


@pytest.mark.parametrize("signal", LAKE_SIGNALS.values(), ids=LAKE_SIGNALS)
def test_spark_agrees_with_duckdb(signal: Signal, both: tuple[Tables, Tables]) -> None:
    here, there = (tables[signal.name].to_pylist() for tables in both)
    assert len(here) > 0
    assert len(there) == len(here)
    for mine, theirs in zip(here, there, strict=True):
        for field in signal.columns:
            expected: Any = mine[field.name]
            if field.type == "float" and expected is not None:
                expected = pytest.approx(expected, rel=1e-9)
            assert theirs[field.name] == expected, (field.name, mine)
