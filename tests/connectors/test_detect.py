from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cartwheel.connectors import detect
from cartwheel.connectors.detect import (
    Stated,
    date_evidence,
    decide_dates,
    decide_sign,
    detect_text,
    normalise,
    read_stated,
    sign_evidence,
)
from cartwheel.errors import Misuse


def write(folder: Path, data: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "encoding", "bom"),
    [
        ("id,name\n1,Zoë\n".encode(), "utf-8", False),
        ("id,name\n1,Zoë\n".encode("utf-8-sig"), "utf-8-sig", True),
        ("id,name\n1,Zoë\n".encode("cp1252"), "cp1252", False),
        ("id,name\n1,Zoë\x81\n".encode("latin-1"), "latin-1", False),
        ("id,name\n1,Zoë\n".encode("utf-16"), "utf-16", True),
        ("id,name\n1,Zoë\n".encode("utf-16-le"), "utf-16-le", False),
        ("id,name\n1,Zoë\n".encode("utf-16-be"), "utf-16-be", False),
        ("id,name\n1,Zoë\n".encode("utf-32"), "utf-32", True),
    ],
)
def test_encoding_by_bytes(
    tmp_path: Path, data: bytes, encoding: str, bom: bool
) -> None:
    layout = detect_text(write(tmp_path, data))
    assert (layout.encoding, layout.bom, layout.delimiter) == (encoding, bom, ",")


def test_encoding_evidence_late_in_the_file(tmp_path: Path) -> None:
    late = b"id,name\n" + b"1,plain\n" * 300_000 + "2,Zoë\n".encode("cp1252")
    assert detect_text(write(tmp_path, late)).encoding == "cp1252"


def test_encoding_keeps_utf8_despite_one_stray_byte(tmp_path: Path) -> None:
    layout = detect_text(write(tmp_path, "a,b\né,ü\nö,ä\n".encode() + b"\xff,1\n"))
    assert layout.encoding == "utf-8"
    assert layout.stray_bytes
    assert "some bytes not valid" in layout.note


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = ["id", "name", "price"], ["1", "a thing", "1.5"], ["2", "b", "2.5"]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert detect_text(write(tmp_path, text.encode())).delimiter == delimiter


def test_delimiter_semicolon_with_decimal_commas(tmp_path: Path) -> None:
    text = b"id;price;cost\n1;1,50;0,50\n2;2,50;1,25\n"
    assert detect_text(write(tmp_path, text)).delimiter == ";"


def test_delimiter_undecided_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b,c\n1;2,3\n")
    with pytest.raises(Misuse, match="delimiter may be"):
        detect_text(path)
    assert detect_text(path, known={"a"}).delimiter == ";"
    assert detect_text(path, stated=Stated(delimiter=",")).delimiter == ","


def test_single_quotes(tmp_path: Path) -> None:
    layout = detect_text(write(tmp_path, b"'id','name'\n'1','a,b'\n"))
    assert layout.quote == "'"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"PAR1rest", "Parquet"),
        (bytes(range(256)).replace(b"\x01", b"\0" * 300), "is not text"),
    ],
)
def test_file_that_is_no_text(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(Misuse, match=message):
        detect_text(write(tmp_path, data))


def test_gzip_is_unpacked_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"id;name\n1;a\n"))
    assert detect_text(path).delimiter == ";"


def test_gzip_cut_short(tmp_path: Path) -> None:
    packed = gzip.compress(b"id,name\n" + bytes(range(97, 122)) * 2000)
    with pytest.raises(Misuse, match="cut short"):
        detect_text(write(tmp_path, packed[: len(packed) // 2]))


def test_gzip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "UNPACKED_LIMIT", 2_000_000)
    path = write(tmp_path, gzip.compress(b"id,name\n" + b"1,a\n" * 2_000_000))
    with pytest.raises(Misuse, match="unpacks to more than"):
        detect_text(path)


@pytest.mark.parametrize(
    ("number", "sign"),
    [
        ("12", ""),
        ("1.5", "."),
        ("1,5", ","),
        ("1,234", "?"),
        ("1.234", "?"),
        ("0,234", ","),
        ("1234,567", ","),
        ("1,234,567", "."),
        ("1.234.567", ","),
        ("1.234,5", ","),
        ("1,234.5", "."),
        (".5", "."),
        ("-1,234", "?"),
    ],
)
def test_sign_evidence(number: str, sign: str) -> None:
    assert sign_evidence(number) == sign


def test_sign_of_a_file() -> None:
    nothing = Stated()
    assert decide_sign(["1,234", "12,50"], nothing) == ","
    assert decide_sign(["1,234", "12.50"], nothing) == "."
    assert decide_sign(["1,234", "7"], nothing) == "unknown"
    assert decide_sign(["1,5", "1.5"], nothing) == "mixed"
    assert decide_sign(["7"], nothing) == "none"
    assert decide_sign(["1,234"], Stated(decimal=",")) == ","


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("2024-02-01", "Y-m-d"),
        ("2024/2/1 10:00", "Y-m-d"),
        ("1.2.2024 9:05", "d.m.Y"),
        ("13/02/2024", "d/m/Y"),
        ("02/13/2024 1:05 PM", "m/d/Y"),
        ("01/02/2024", "?"),
        ("02/02/2024", ""),
        ("soon", ""),
    ],
)
def test_date_evidence(text: str, order: str) -> None:
    assert date_evidence(text) == order


def test_dates_of_a_file() -> None:
    columns = {"a": ["01/02/2024"], "b": ["01/02/2024", "01/13/2024"]}
    assert decide_dates(columns, Stated()) == {"a": "m/d/Y", "b": "m/d/Y"}
    assert decide_dates({"a": ["01/02/2024"]}, Stated()) == {"a": "unknown"}
    both = {"a": ["13/02/2024", "02/13/2024"]}
    assert decide_dates(both, Stated()) == {"a": "mixed"}
    said = Stated(dates="d/m/Y")
    assert decide_dates({"a": ["01/02/2024"]}, said) == {"a": "d/m/Y"}
    assert decide_dates({"a": ["2024-01-01"]}, said) == {"a": "Y-m-d"}
    # What the owner says does not overrule a day above 12.
    assert decide_dates({"a": ["01/13/2024"]}, said) == {"a": "m/d/Y"}


def test_header_variants() -> None:
    names = ["\ufeffPlaced At", "placed_at", " PLACED-AT ", "Placed  at."]
    assert {normalise(name) for name in names} == {"placed_at"}


def test_note_says_everything() -> None:
    layout = detect.Layout(
        encoding="utf-8-sig",
        delimiter=";",
        bom=True,
        decimal=",",
        dates={"placed_at": "d.m.Y", "note": "none"},
    )
    expected = "utf-8 with BOM, delimiter ';', decimal comma, dates d.m.Y in placed_at"
    assert layout.note == expected


def test_layout_file(tmp_path: Path) -> None:
    write(tmp_path, b'delimiter = "\\t"\ntimezone = "UTC"\n', "layout.toml")
    stated = read_stated(tmp_path)
    assert (stated.delimiter, stated.timezone, stated.decimal) == ("\t", "UTC", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("decimal = 1", "decimal is 1"),
        ('decimal = "x"', "decimal is 'x'"),
        ('timezone = "Mars"', "IANA zone"),
        ('colour = "x"', "has 'colour'"),
        ("decimal =", "cannot be read"),
    ],
)
def test_layout_file_wrong(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text.encode(), "layout.toml")
    with pytest.raises(Misuse, match=message):
        read_stated(tmp_path)
