"""A real shop's two years: its import, and its first turn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure, Plan, Run, Skipped, cartwheel, python, run, steps
from cartwheel.shop import make_shop

AS_OF = "2011-11-09"
QUICK_ROWS = 30_000
QUICK_AS_OF = "2010-12-20"
MOST_MB = 3000.0

READ = """
import duckdb, sys
con = duckdb.connect()
con.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [sys.argv[1]])
"""

GROUP = """
import duckdb, sys
con = duckdb.connect()
file = sys.argv[1]
names = [r[0] for r in con.execute("DESCRIBE SELECT * FROM read_parquet(?)",
    [file]).fetchall()]
known = {n.lower().replace(" ", "").replace("_", ""): n for n in names}
code, day, units = (known[n] for n in ("stockcode", "invoicedate", "quantity"))
con.execute(f'SELECT "{code}", CAST("{day}" AS DATE), sum("{units}") '
    "FROM read_parquet(?) GROUP BY ALL", [file]).fetchall()
"""


def imports(plan: Plan) -> Iterator[Figure]:
    """Measure the import beside DuckDB alone reading the file."""
    file = source(plan)
    done = [_import(plan, file, f"import-{n}") for n in range(plan.repeats(3))]
    rows = json.loads(done[0].stdout)["rows_read"]
    size = f"{rows:,} rows"
    most = (None, None) if plan.quick else (60.0, MOST_MB)
    yield _figure("import", "import", size, "s", [r.seconds for r in done], most[0])
    peak = [r.peak_mb for r in done]
    yield _figure("import", "import, peak memory", size, "MB", peak, most[1])
    alone = [run(python("-c", READ, str(file))) for _ in range(plan.repeats(3))]
    yield _floor("import", "DuckDB alone, reading the file", size, alone)


def turn(plan: Plan) -> Iterator[Figure]:
    """Measure the first turn beside DuckDB alone counting demand in the file."""
    file = source(plan)
    imported = plan.work / "import-0"
    if not imported.exists():
        _import(plan, file, imported.name)
    done = [_turn(plan, imported, f"turn-{n}") for n in range(plan.repeats(2))]
    size = "quick" if plan.quick else f"as of {AS_OF}"
    most = (None, None) if plan.quick else (180.0, MOST_MB)
    taken = [r.seconds for r in done]
    yield _figure("turn", "first turn", size, "s", taken, most[0])
    peak = [r.peak_mb for r in done]
    yield _figure("turn", "first turn, peak memory", size, "MB", peak, most[1])
    by_step = [steps(r.progress, r.seconds) for r in done]
    for name in by_step[0]:
        values = [found.get(name, 0.0) for found in by_step]
        if max(values) >= 0.5:
            yield _figure("turn", f"of it {name}", size, "s", values, None)
    alone = [run(python("-c", GROUP, str(file))) for _ in range(plan.repeats(3))]
    yield _floor("turn", "DuckDB alone, units by product and day", size, alone)


def source(plan: Plan) -> Path:
    """Return the file, or its first rows for a quick run.

    Raises:
        Skipped: If the data set is absent.
    """
    file = plan.data / "online-retail" / "online_retail.parquet"
    if not file.is_file():
        raise Skipped(f"online-retail is not in CARTWHEEL_DATA ({plan.data})")
    if not plan.quick:
        return file
    part = plan.work / "online_retail.parquet"
    if not part.exists():
        import duckdb

        with duckdb.connect() as con:
            rows = con.read_parquet(str(file)).limit(QUICK_ROWS)
            rows.write_parquet(str(part))
    return part


def _import(plan: Plan, file: Path, name: str) -> Run:
    folder = plan.work / name
    make_shop(folder, currency="GBP", timezone="Europe/London").database.dispose()
    command = ["import", "online-retail", str(file), "--shop", str(folder), "--json"]
    return run(cartwheel(*command))


def _turn(plan: Plan, imported: Path, name: str) -> Run:
    folder = plan.work / name
    shutil.copytree(imported, folder)
    as_of = QUICK_AS_OF if plan.quick else AS_OF
    command = ["turn", "--shop", str(folder), "--as-of", as_of, "--json"]
    done = run(cartwheel(*command))
    shutil.rmtree(folder)
    return done


def _figure(
    part: str,
    name: str,
    size: str,
    unit: str,
    values: list[float],
    most: float | None,
) -> Figure:
    return Figure(part=part, name=name, size=size, unit=unit, values=values, most=most)


def _floor(part: str, name: str, size: str, alone: list[Run]) -> Figure:
    return Figure(
        part=part,
        name=name,
        size=size,
        unit="s",
        values=[one.seconds for one in alone],
        floor=True,
    )
