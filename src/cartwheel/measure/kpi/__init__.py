"""KPIs with definition, rows behind them and freshness, right as of any day."""

from cartwheel.measure.kpi.board import (
    KPIS,
    Source,
    board_table,
    kpi_named,
    make_board,
    rows_behind,
    series,
    source_of,
)
from cartwheel.measure.kpi.definition import Kpi

__all__ = [
    "KPIS",
    "Kpi",
    "Source",
    "board_table",
    "kpi_named",
    "make_board",
    "rows_behind",
    "series",
    "source_of",
]
