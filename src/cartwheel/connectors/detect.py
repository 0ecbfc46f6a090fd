r"""What a text file looks like: encoding, delimiter, decimal sign, order of dates.

Everything is decided by evidence in the file and said in one sentence (`Layout.note`).
Where the evidence does not decide, the cell is refused with a reason; the owner can say
it in a `layout.toml` beside the files:

    delimiter = ";"            # "," ";" "|" or "\t"
    decimal = ","              # "," or "."
    dates = "d/m/Y"            # "d/m/Y" or "m/d/Y"
    encoding = "cp1252"
    timezone = "UTC"           # of times without an offset; default: the shop's
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import tomllib
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal
from zoneinfo import available_timezones

from cartwheel.errors import Misuse

Sign = Literal[".", ",", "mixed", "unknown", "none"]
"""Decimal sign of a file; "unknown" when only cells such as 1,234 were seen."""

DateOrder = Literal["Y-m-d", "d.m.Y", "d/m/Y", "m/d/Y", "mixed", "unknown", "none"]
"""Order of a column's dates; "unknown" when no day above 12 was seen."""

LAYOUT_FILE = "layout.toml"
UNPACKED_LIMIT = 2 * 1024**3
"""Most bytes a compressed file may unpack to."""

SAMPLE_CHARACTERS = 120_000
DELIMITERS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
SIGN_NAMES = {
    ".": "decimal point",
    ",": "decimal comma",
    "mixed": "decimal comma and point mixed",
    "unknown": "decimal sign undecided",
}
_CHUNK = 1 << 20
_STRAY = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
_UNDEFINED_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_ARCHIVES = {
    b"PK\x03\x04": "an Excel workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
}
WHEN = re.compile(
    r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})"
    r"(?:(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"(?:\s*([AaPp])\.?[Mm]\.?)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
"""First, separator, second, third, hour, minute, second, fraction, a/p, offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the owner says in `layout.toml`; None where nothing is said."""

    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    dates: Literal["d/m/Y", "m/d/Y"] | None = None
    encoding: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one file is written.

    Attributes:
        encoding: Python codec.
        delimiter: One character; "" for a file that has no text layout (Parquet).
        quote: Quote character.
        bom: A byte-order mark stood first.
        stray_bytes: Some bytes are not in the encoding; their rows are refused.
        decimal: Decimal sign of the file's numbers.
        dates: Order of dates by column.
        stated: What came from `layout.toml` instead of evidence.
    """

    encoding: str
    delimiter: str
    quote: str = '"'
    bom: bool = False
    stray_bytes: bool = False
    decimal: Sign = "none"
    dates: Mapping[str, DateOrder] = field(default_factory=dict)
    stated: Stated = field(default_factory=Stated)

    @property
    def note(self) -> str:
        """One sentence for people."""
        if not self.delimiter:
            return "Parquet"
        name = self.encoding.removesuffix("-sig") + (" with BOM" if self.bom else "")
        parts = [name + (", some bytes not valid" if self.stray_bytes else "")]
        parts.append(f"delimiter {DELIMITERS.get(self.delimiter, self.delimiter)}")
        if self.quote != '"':
            parts.append(f"quote {self.quote}")
        if self.decimal != "none":
            parts.append(SIGN_NAMES[self.decimal] + _said(self.stated.decimal))
        by_order: dict[DateOrder, list[str]] = {}
        for column, order in self.dates.items():
            if order != "none":
                by_order.setdefault(order, []).append(column)
        for order, columns in by_order.items():
            word = {"mixed": "of mixed order", "unknown": "of undecided order"}
            said = _said(self.stated.dates) if order in ("d/m/Y", "m/d/Y") else ""
            parts.append(
                f"dates {word.get(order, order)}{said} in {', '.join(columns)}"
            )
        return ", ".join(parts)


def _said(value: str | None) -> str:
    return f" (from {LAYOUT_FILE})" if value is not None else ""


def read_stated(folder: Path) -> Stated:
    """Read `layout.toml` in a folder; an empty `Stated` when there is none.

    Raises:
        Misuse: If it cannot be read or holds a name or value that is not accepted.
    """
    path = folder / LAYOUT_FILE
    if not path.is_file():
        return Stated()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Misuse(f"{path} cannot be read: {error}.", "Correct the file.") from error
    accepted: dict[str, Collection[str]] = {
        "delimiter": tuple(DELIMITERS),
        "decimal": (".", ","),
        "dates": ("d/m/Y", "m/d/Y"),
        "encoding": ("utf-8", "utf-16", "cp1252", "latin-1"),
        "timezone": available_timezones(),
    }
    for name, value in values.items():
        if name not in accepted:
            raise Misuse(
                f"{path} has {name!r}; expected {', '.join(accepted)}.",
                "Remove or rename it.",
            )
        if value not in accepted[name]:
            some = "an IANA zone such as Europe/London"
            if name != "timezone":
                some = " or ".join(repr(choice) for choice in accepted[name])
            raise Misuse(f"{path}: {name} is {value!r}; expected {some}.", "Change it.")
    return Stated(**values)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacking gzip.

    Raises:
        Misuse: If it cannot be read, or its gzip data is broken.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield unpacked  # type: ignore[misc]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Misuse(
            f"{path.name} is broken or cut short: {error}.", "Export or copy it again."
        ) from error
    except OSError as error:
        raise Misuse(
            f"{path.name} cannot be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from error


def detect_text(
    path: Path, *, known: Collection[str] = (), stated: Stated | None = None
) -> Layout:
    """Detect encoding, delimiter and quote of a text file.

    Args:
        path: The file, plain or gzip.
        known: Normalised header names the caller knows; they decide between
            delimiters that fit equally well.
        stated: What the owner says instead.

    Raises:
        Misuse: If the file is empty, binary, or its delimiter cannot be decided.
    """
    stated = stated or Stated()
    with open_bytes(path) as stream:
        encoding, bom, stray = _encoding(path, stream)
    if stated.encoding is not None:
        encoding, stray = stated.encoding, False
    encoding = "utf-8-sig" if bom and encoding == "utf-8" else encoding
    layout = Layout(
        encoding=encoding, delimiter=",", bom=bom, stray_bytes=stray, stated=stated
    )
    with open_text(path, layout) as text:
        sample = read_some(path, text)
    if not sample.strip():
        raise Misuse(f"{path.name} is empty.", "Export it again, with its header.")
    quote = _quote(sample)
    delimiter = stated.delimiter or _delimiter(path, sample, quote, known)
    return Layout(
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        bom=bom,
        stray_bytes=stray,
        stated=stated,
    )


@contextmanager
def open_text(path: Path, layout: Layout) -> Iterator[io.TextIOWrapper]:
    """Open a file as text in its detected encoding, line ends untouched."""
    errors = "surrogateescape" if layout.stray_bytes else "strict"
    with open_bytes(path) as stream:
        text = io.TextIOWrapper(
            stream, encoding=layout.encoding, errors=errors, newline=""
        )
        try:
            yield text
        except UnicodeDecodeError as error:
            raise Misuse(
                f"{path.name} is not {layout.encoding}: {error.reason}.",
                f"Save it as UTF-8, or state encoding in {LAYOUT_FILE}.",
            ) from error
        finally:
            text.detach()


def read_some(path: Path, text: io.TextIOWrapper) -> str:
    """Return the first whole lines of a file, up to `SAMPLE_CHARACTERS`."""
    sample = text.read(SAMPLE_CHARACTERS)
    if len(sample) < SAMPLE_CHARACTERS:
        return sample
    return sample[: sample.rfind("\n") + 1] or sample


def _encoding(path: Path, stream: IO[bytes]) -> tuple[str, bool, bool]:
    """Return codec, BOM seen, and whether some bytes are outside the codec."""
    head = stream.read(_CHUNK)
    for magic, kind in _ARCHIVES.items():
        if head.startswith(magic):
            raise Misuse(
                f"{path.name} is {kind}; expected CSV text.", "Save it as CSV (UTF-8)."
            )
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", True, False
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", True, False
    nulls = head.count(0)
    if nulls > len(head) // 4:
        odd = head[1::2].count(0)
        if odd * 10 < nulls or (nulls - odd) * 10 < nulls:
            return ("utf-16-le" if odd * 2 > nulls else "utf-16-be"), False, False
        raise Misuse(f"{path.name} is not text.", "Save it as CSV (UTF-8).")
    bom = head.startswith(codecs.BOM_UTF8)
    valid, stray, undefined = _weigh(path, head, stream)
    if stray == 0 or bom or valid > stray:
        return "utf-8", bom, stray > 0
    return ("latin-1" if undefined else "cp1252"), False, False


def _weigh(path: Path, head: bytes, stream: IO[bytes]) -> tuple[int, int, bool]:
    """Count UTF-8 characters and stray bytes over the whole file."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    valid = stray = size = 0
    undefined, chunk = False, head
    while chunk:
        size += len(chunk)
        if size > UNPACKED_LIMIT and path.stat().st_size < size:
            raise Misuse(
                f"{path.name} unpacks to more than {UNPACKED_LIMIT >> 30} GiB.",
                "Split it, or unpack it yourself and import the plain file.",
            )
        text = decoder.decode(chunk)
        if not chunk.isascii():
            valid += len(_NOT_ASCII.findall(text))
            stray += len(_STRAY.findall(text))
            undefined = undefined or _UNDEFINED_1252.search(chunk) is not None
        chunk = stream.read(_CHUNK)
    tail = decoder.decode(b"", final=True)
    return valid, stray + len(tail), undefined


def _quote(sample: str) -> str:
    first = sample.lstrip("\ufeff \r\n")[:1]
    return "'" if first == "'" and '"' not in sample.split("\n", 1)[0] else '"'


def _delimiter(path: Path, sample: str, quote: str, known: Collection[str]) -> str:
    scores = []
    for delimiter in DELIMITERS:
        lines = io.StringIO(sample, newline="")
        rows = [r for r in csv.reader(lines, delimiter=delimiter, quotechar=quote) if r]
        width = len(rows[0])
        if width > 1:
            hits = sum(normalise(cell) in known for cell in rows[0])
            same = sum(len(row) == width for row in rows) / len(rows)
            scores.append((hits, same, width, delimiter))
    scores.sort(reverse=True)
    if not scores:
        return ","
    if len(scores) > 1 and scores[0][:2] == scores[1][:2]:
        raise Misuse(
            f"{path.name}: the delimiter may be {DELIMITERS[scores[0][3]]} or "
            f"{DELIMITERS[scores[1][3]]}; both fit.",
            f"State delimiter in {LAYOUT_FILE} beside the file.",
        )
    return scores[0][3]


def normalise(header: str) -> str:
    """Return a header cell in lower case with single underscores for the rest.

    >>> normalise(chr(0xFEFF) + " Placed At ")
    'placed_at'
    """
    return re.sub(r"[\W_]+", "_", header.replace("\ufeff", "").lower()).strip("_")


def sign_evidence(number: str) -> Literal[".", ",", "?", ""]:
    """Return which decimal sign a bare number proves, "?" when it may be either.

    >>> sign_evidence("1.234,50"), sign_evidence("1,5"), sign_evidence("1,234")
    (',', ',', '?')
    """
    points, commas = number.count("."), number.count(",")
    if points and commas:
        return "." if number.rfind(".") > number.rfind(",") else ","
    if points + commas == 0:
        return ""
    sign: Literal[".", ","] = "." if points else ","
    if points + commas > 1:
        return "," if sign == "." else "."
    head, tail = number.lstrip("+-").split(sign)
    if len(tail) == 3 and 1 <= len(head) <= 3 and head[0] != "0":
        return "?"
    return sign


def decide_sign(numbers: Iterable[str], stated: Stated) -> Sign:
    """Decide a file's decimal sign from all its bare numbers."""
    if stated.decimal is not None:
        return stated.decimal
    seen = {sign_evidence(number) for number in numbers}
    if "." in seen and "," in seen:
        return "mixed"
    if "." in seen:
        return "."
    if "," in seen:
        return ","
    return "unknown" if "?" in seen else "none"


def date_evidence(text: str) -> Literal["Y-m-d", "d.m.Y", "d/m/Y", "m/d/Y", "?", ""]:
    """Return which order a date proves, "?" when it may be either.

    >>> date_evidence("13/02/2024"), date_evidence("02/13/2024 10:00")
    ('d/m/Y', 'm/d/Y')
    """
    match = WHEN.fullmatch(text.strip())
    if match is None:
        return ""
    first, separator, second = match[1], match[2], match[3]
    if len(first) == 4:
        return "Y-m-d"
    if separator == ".":
        return "d.m.Y"
    if int(first) > 12:
        return "d/m/Y"
    if int(second) > 12:
        return "m/d/Y"
    return "" if int(first) == int(second) else "?"


def decide_dates(
    columns: Mapping[str, Iterable[str]], stated: Stated
) -> dict[str, DateOrder]:
    """Decide the order of each date column; the file's other columns break a tie."""
    seen = {
        name: {date_evidence(text) for text in texts} for name, texts in columns.items()
    }
    overall = _order(set().union(*seen.values())) if seen else "none"
    orders: dict[str, DateOrder] = {}
    for name, evidence in seen.items():
        order = _order(evidence)
        undecided = "?" in evidence
        if undecided and stated.dates is not None:
            order = stated.dates
        elif order == "unknown" and overall in ("d/m/Y", "m/d/Y"):
            order = overall
        orders[name] = order
    return orders


def _order(evidence: Collection[str]) -> DateOrder:
    slashed = {"d/m/Y", "m/d/Y"}.intersection(evidence)
    if len(slashed) == 2:
        return "mixed"
    if slashed:
        return "d/m/Y" if "d/m/Y" in slashed else "m/d/Y"
    if "?" in evidence:
        return "unknown"
    if "Y-m-d" in evidence:
        return "Y-m-d"
    return "d.m.Y" if "d.m.Y" in evidence else "none"
