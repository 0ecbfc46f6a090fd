from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.connectors import cells
from cartwheel.connectors.base import CELL_LIMIT
from cartwheel.connectors.cells import Sheet, read_csv, read_parquet
from cartwheel.connectors.values import (
    parse_bool,
    parse_instant,
    parse_integer,
    parse_money,
    parse_text,
    to_number,
)
from cartwheel.errors import Misuse


def read(folder: Path, data: str | bytes, **options: object) -> Sheet:
    path = folder / "a.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_csv(path, name="a.csv", **options)  # type: ignore[arg-type]


def column(*texts: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def test_rows_and_lines_with_embedded_line_ends(tmp_path: Path) -> None:
    sheet = read(tmp_path, 'id,text\n1,"two\nlines"\n\n2,b\n')
    assert sheet.columns["text"].to_pylist() == ["two\nlines", "b"]
    assert sheet.rows == 2
    assert sheet.lines is not None
    assert list(sheet.lines) == [2, 5]


def test_lines_are_left_out_when_plain(tmp_path: Path) -> None:
    assert read(tmp_path, "id,text\r\n1,a\r\n2,b\r\n").lines is None


def test_ragged_and_empty_rows_are_refused(tmp_path: Path) -> None:
    sheet = read(tmp_path, "id,text\n1\n2,b,c\n,\n3,d\n")
    assert list(sheet.source_rows) == [3]
    assert [r.source_row for r in sheet.rejects] == [0, 1, 2]
    assert "1 cells; the header has 2" in sheet.rejects[0].reason
    assert "every cell" in sheet.rejects[2].reason


@pytest.mark.parametrize("quoted", [True, False])
def test_cell_of_ten_million_characters_costs_one_row(
    tmp_path: Path, quoted: bool
) -> None:
    huge = "x" * 10_000_000
    huge = f'"{huge[:5_000_000]}\n{huge}"' if quoted else huge
    sheet = read(tmp_path, f"id,text\n1,a\n2,{huge}\n3,c\n")
    assert sheet.columns["id"].to_pylist() == ["1", "3"]
    (reject,) = sheet.rejects
    assert reject.source_row == 1
    assert f"at most {CELL_LIMIT}" in reject.reason
    assert len(reject.value) <= 200


@pytest.mark.parametrize("quote", ["", '"'])
def test_line_over_the_limit_is_skipped_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quote: str
) -> None:
    monkeypatch.setattr(cells, "LINE_LIMIT", 1000)
    huge = quote + "y" * 50_000 + quote
    sheet = read(tmp_path, f"id,text\n1,{huge}\n2,b\n")
    assert sheet.columns["id"].to_pylist() == ["2"]
    assert "longer than 1000" in sheet.rejects[0].reason


def test_line_over_the_limit_inside_quotes_is_never_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "LINE_LIMIT", 1000)
    sheet = read(tmp_path, f'id,text\n1,"a\n{"y" * 50_000}\nb"\n2,b\n')
    assert sheet.columns["id"].to_pylist() == ["2"]
    assert sheet.rows == 2


def test_unclosed_quote_costs_its_line_only(tmp_path: Path) -> None:
    rows = "".join(f"{i},name {i}\n" for i in range(3, 2000))
    sheet = read(tmp_path, f'id,text\n1,a\n2,"never closed\n{rows}')
    assert sheet.rows == 1999
    assert sheet.columns["id"].to_pylist() == ["1", *map(str, range(3, 2000))]
    assert "not closed" in sheet.rejects[0].reason
    assert sheet.lines is None


def test_two_stray_quotes_do_not_swallow_what_is_between(tmp_path: Path) -> None:
    sheet = read(tmp_path, 'id,text,n\n1,"a,1\n2,b,2\n3,c,"3\n4,d,4\n')
    assert sheet.columns["id"].to_pylist() == ["2", "4"]


def test_quotes_that_never_close_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "RECOVERY_LIMIT", 1000)
    with pytest.raises(Misuse, match="opened and not closed"):
        read(tmp_path, 'id,text\n1,"a\n' + "2,b\n" * 300)


def test_stray_bytes_refuse_their_row(tmp_path: Path) -> None:
    sheet = read(tmp_path, "id,t\n1,é\n2,ü\n".encode() + b"3,\xff\n")
    assert sheet.columns["id"].to_pylist() == ["1", "2"]
    assert "not utf-8" in sheet.rejects[0].reason


def test_nul_bytes_are_taken_out(tmp_path: Path) -> None:
    sheet = read(tmp_path, b"id,text\n1,a\x00b\x07\n")
    parsed = parse_text(sheet.columns["text"], trim=False)
    assert parsed.values.to_pylist() == ["ab"]


def test_repeated_header_names(tmp_path: Path) -> None:
    sheet = read(tmp_path, "\ufeffid,text,text\n1,a,b\n")
    assert sheet.header == ("id", "text", "text (2)")


def test_header_only(tmp_path: Path) -> None:
    sheet = read(tmp_path, "id,text\n")
    assert (sheet.rows, sheet.columns["id"].to_pylist()) == (0, [])


def test_parquet_values_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    times = pa.array([datetime(2024, 1, 1, 12)], pa.timestamp("us", "UTC"))
    made = {"id": [3.0], "price": [0.1 + 0.2], "at": times, "yes": [True]}
    pq.write_table(pa.table(made), path)
    sheet = read_parquet(path, name="a.parquet")
    got = {name: values.to_pylist()[0] for name, values in sheet.columns.items()}
    assert (got["id"], got["price"], got["yes"]) == ("3", "0.3", "true")
    at = parse_instant(sheet.columns["at"], order="none", timezone="Asia/Tokyo")
    assert at.values.to_pylist() == [datetime(2024, 1, 1, 12)]


def test_parquet_truncated_or_nested(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [[1, 2]]}), path)
    with pytest.raises(Misuse, match="column id is list"):
        read_parquet(path, name="a.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Misuse, match="not a complete Parquet"):
        read_parquet(path, name="a.parquet")


def test_parquet_bomb_of_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 1] * 30_000), ["fine", "z" * (CELL_LIMIT + 1)]
    )
    pq.write_table(pa.table({"id": texts.cast(texts.type), "n": range(90_000)}), path)
    sheet = read_parquet(path, name="a.parquet")
    assert len(sheet.rejects) == 60_000
    assert sheet.rows == 90_000
    assert set(sheet.columns["id"].to_pylist()) == {"fine"}
    assert list(sheet.source_rows)[:3] == [0, 3, 6]


def test_parquet_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["z" * 90_000] * 50}), path)
    monkeypatch.setattr(cells, "UNPACKED_LIMIT", 1_000_000)
    with pytest.raises(Misuse, match="column id unpacks to more than"):
        read_parquet(path, name="a.parquet")
    monkeypatch.setattr(cells, "UNPACKED_LIMIT", 100)
    with pytest.raises(Misuse, match=r"a.parquet unpacks to more than"):
        read_parquet(path, name="a.parquet")


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("12", "none", "12"),
        ("-12.5", ".", "-12.5"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234,50", ",", "1234.50"),
        ("€ 1.234,50", ",", "1234.50"),
        ("10.00 EUR", ".", "10"),
        ("$10", ".", "10"),
        ("(1.50)", ".", "-1.50"),
        ("1.50-", ".", "-1.50"),
        ("−3", "none", "-3"),
        ("1 234,5", ",", "1234.5"),
        ("1'234.50", ".", "1234.50"),
        ("'7", "none", "7"),
        ("1,5", "mixed", "1.5"),
        ("1.5", "mixed", "1.5"),
    ],
)
def test_number_as_written(text: str, sign: str, value: str) -> None:
    assert to_number(text, sign, "EUR") == Decimal(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "sign", "reason"),
    [
        ("1,234", "unknown", "layout.toml"),
        ("1,234", "mixed", "layout.toml"),
        ("1,5", ".", "decimal point"),
        ("1.5", ",", "decimal comma"),
        ("12,34.5", ".", "decimal point"),
        ("ten", "none", "not a number"),
        ("1e5", "none", "not a number"),
        ("(1.50", ".", "not a number"),
        ("1 2", "none", "not a number"),
        ("£10", "none", "currency is EUR"),
        ("10 USD", "none", "currency is EUR"),
        ("NaN", "none", "not a number"),
    ],
)
def test_number_refused(text: str, sign: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        to_number(text, sign, "EUR")  # type: ignore[arg-type]


def money(*texts: str | None, digits: int = 2) -> object:
    return parse_money(column(*texts), sign=".", minor_digits=digits, currency="EUR")


def test_money_in_minor_units() -> None:
    parsed = money("12.5", "", None, " ", "0.01", "-3")
    assert parsed.values.to_pylist() == [1250, None, None, None, 1, -300]  # type: ignore[attr-defined]
    assert money("12", digits=0).values.to_pylist() == [12]  # type: ignore[attr-defined]
    assert money("1.234", digits=3).values.to_pylist() == [1234]  # type: ignore[attr-defined]


def test_money_rounds_half_to_even_and_says_so() -> None:
    parsed = parse_money(
        column("0.125", "0.135", "0.1250000", "0.1234567"),
        sign=".",
        minor_digits=2,
        currency="EUR",
    )
    assert parsed.values.to_pylist() == [12, 14, 12, None]
    assert "rounded half to even" in parsed.notes[0]
    assert parsed.faults == {3: "more than 6 decimals"}


def test_money_too_large() -> None:
    parsed = parse_money(column("9" * 30), sign=".", minor_digits=2, currency="EUR")
    assert parsed.faults == {0: "too large for an amount"}


@given(st.integers(-(10**11), 10**11))
def test_money_round_trip(minor: int) -> None:
    text = f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}"
    for sign, written in ((".", text), (",", text.replace(".", ","))):
        parsed = parse_money(column(written), sign=sign, minor_digits=2, currency="EUR")  # type: ignore[arg-type]
        assert parsed.values.to_pylist() == [minor]


def test_integers() -> None:
    parsed = parse_integer(column("3", "3.0", "1,200", "2.5", "x"), sign=".")
    assert parsed.values.to_pylist() == [3, 3, 1200, None, None]
    assert set(parsed.faults) == {3, 4}


def test_booleans() -> None:
    parsed = parse_bool(column("Yes", "no", "TRUE", "0", "", "maybe"))
    assert parsed.values.to_pylist() == [True, False, True, False, None, None]
    assert set(parsed.faults) == {5}


def at(text: str, *, order: str = "none", zone: str = "Europe/Berlin") -> object:
    parsed = parse_instant(column(text), order=order, timezone=zone)  # type: ignore[arg-type]
    return parsed.values.to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "order", "utc"),
    [
        ("2024-07-01 12:00:00", "none", datetime(2024, 7, 1, 10)),
        ("2024-07-01T12:00:00Z", "none", datetime(2024, 7, 1, 12)),
        ("2024-07-01 12:00:00 -0400", "none", datetime(2024, 7, 1, 16)),
        (
            "2024-07-01T12:00:00.25+05:30",
            "none",
            datetime(2024, 7, 1, 6, 30, 0, 250000),
        ),
        ("2024-07-01", "none", datetime(2024, 6, 30, 22)),
        ("1.7.2024 12:00", "d.m.Y", datetime(2024, 7, 1, 10)),
        ("01/07/2024", "d/m/Y", datetime(2024, 6, 30, 22)),
        ("07/01/2024", "m/d/Y", datetime(2024, 6, 30, 22)),
        ("07/01/24 1:05 pm", "m/d/Y", datetime(2024, 7, 1, 11, 5)),
        ("12/25/2024 12:30 AM", "m/d/Y", datetime(2024, 12, 24, 23, 30)),
        ("05/05/2024", "unknown", datetime(2024, 5, 4, 22)),
    ],
)
def test_instants(text: str, order: str, utc: datetime) -> None:
    assert at(text, order=order) == utc


def test_instants_fast_path_equals_slow_path() -> None:
    texts = ["2024-01-01 00:00:00", "2024-07-01 23:59:59", "2024-10-27 04:00:00", ""]
    fast = parse_instant(column(*texts), order="Y-m-d", timezone="Europe/Berlin")
    slow = parse_instant(column(*texts, "x"), order="Y-m-d", timezone="Europe/Berlin")
    assert fast.values.to_pylist() == slow.values.to_pylist()[:-1]
    assert set(slow.faults) == {4}


def test_instants_in_the_repeated_and_skipped_hour() -> None:
    texts = column("2024-10-27 02:30:00", "2024-03-31 02:30:00")
    parsed = parse_instant(texts, order="Y-m-d", timezone="Europe/Berlin")
    expected = [datetime(2024, 10, 27, 0, 30), datetime(2024, 3, 31, 1, 30)]
    assert parsed.values.to_pylist() == expected
    assert "repeats or skips" in parsed.notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("01/02/2024", "layout.toml"),
        ("2024-13-01", "not a date"),
        ("2024-02-30", "not a date"),
        ("30.2.2024", "not a date"),
        ("1.2.123", "four digits"),
        ("yesterday", "not a date"),
        ("1/13/2024 13:00 PM", "1 to 12"),
        ("0001-01-01 00:00 +1400", "calendar"),
        ("2024-01-01 25:00", "not a date"),
    ],
)
def test_instants_refused(text: str, reason: str) -> None:
    parsed = parse_instant(column(text), order="unknown", timezone="UTC")
    assert reason in parsed.faults[0]


@settings(max_examples=200, deadline=None)
@given(data=st.text(alphabet='ab1,;"\n\r\t\x00é', max_size=80))
def test_every_row_is_kept_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: str
) -> None:
    folder = tmp_path_factory.mktemp("cells")
    try:
        sheet = read(folder, "id,text\n" + data)
    except Misuse:
        return
    kept = list(sheet.source_rows)
    refused = [reject.source_row for reject in sheet.rejects]
    assert sorted(kept + refused) == list(range(sheet.rows))
    assert all(len(values) == len(kept) for values in sheet.columns.values())
