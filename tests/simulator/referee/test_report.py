"""The report is one safe, whole file, and says what it lacks and what does not pay."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Failure
from cartwheel.simulator.referee.charts import Band, Spot, band_chart, interval_chart
from cartwheel.simulator.referee.claims import headline, link_table
from cartwheel.simulator.referee.report import text_links, text_table, write_report
from cartwheel.simulator.referee.results import Run
from cartwheel.simulator.referee.wording import (
    amount,
    between,
    cents,
    chance,
    figure_text,
    minor_unit,
    percent,
    tick,
    unit_of,
)
from tests.simulator.referee.made import LIFTS, played, run
from tests.simulator.referee.test_recovered import measured

HOSTILE = "<script>alert('x')</script>\"&\x1b[31m</style><img src=http://x.example>"
VOID = {"meta", "link", "img", "br", "hr", "input"}
NAN = float("nan")
LINK_LIFTS = {
    "isolated": 2.0,
    "connected": 4.0,
    "isolated plus stock→recommend": 3.0,
    "isolated plus returns→price": 2.0,
    "connected minus stock→recommend": 3.0,
    "connected minus returns→price": 5.0,
}


class Seen(HTMLParser):
    """Every element with its attributes; text by the id of the section around it."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.section = ""
        self.text: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = str(dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        known = self.text.get(self.section, "")
        self.text[self.section] = " ".join(f"{known} {data}".split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report_of(runs: list[Run], folder: Path, title: str = "Report") -> tuple[str, Seen]:
    path = write_report(runs, folder / "report.html", title=title)
    text = path.read_text(encoding="utf-8")
    seen = Seen()
    seen.feed(text)
    seen.close()
    assert seen.open == []
    return text, seen


@pytest.fixture
def full() -> list[Run]:
    hostile = {arm: 0.0 for arm in LIFTS}
    return [
        *played({**LIFTS, "mine": -1.0}),
        *played(hostile, world="hostile"),
        *(r for r in played(LINK_LIFTS) if r.arm.startswith(("isolated plus", "conn"))),
        run("connected", 99, world="hostile", state="failed", reason=HOSTILE),
    ]


def without_copies(runs: list[Run]) -> list[Run]:
    return list({one.key: one for one in runs}.values())


def test_it_is_one_file_without_script_or_outside_resource(
    full: list[Run], tmp_path: Path
) -> None:
    text, seen = report_of(without_copies(full), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert {tag for tag, _ in seen.elements} & {"script", "link", "img", "iframe"} == (
        set()
    )
    for _, attributes in seen.elements:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text


def test_hostile_text_stays_text(full: list[Run], tmp_path: Path) -> None:
    runs = [
        replace(
            r, world=HOSTILE, size=HOSTILE, parts={HOSTILE: 1}, figures={HOSTILE: 1}
        )
        for r in played({**LIFTS, HOSTILE: 1.0, f"isolated plus {HOSTILE}": 3.0})
    ]
    runs.append(run(HOSTILE, 77, state="failed", reason=HOSTILE))
    text, seen = report_of(runs, tmp_path, title=HOSTILE)
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("</style") == 1
    assert "\x1b" not in text
    assert "<script>alert('x')</script>" in seen.text["failed"]
    terminal = text_table(headline(runs)) + text_links(link_table(runs))
    assert "\x1b" not in terminal


def test_it_can_be_read_without_eyes(full: list[Run], tmp_path: Path) -> None:
    _, seen = report_of(without_copies(full), tmp_path)
    assert seen.named("html")[0]["lang"] == "en"
    assert len(seen.named("caption")) == len(seen.named("table")) > 5
    assert all(one.get("scope") in ("row", "col") for one in seen.named("th"))
    assert all(one.get("aria-label") for one in seen.named("svg"))
    levels = [int(tag[1]) for tag, _ in seen.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = [one["id"] for _, one in seen.elements if "id" in one]
    assert len(ids) == len(set(ids))
    targets = {(one["href"] or "")[1:] for one in seen.named("a")}
    assert targets <= set(ids)
    assert len(targets) == len(seen.named("section"))


def test_headline_and_differences_are_printed(full: list[Run], tmp_path: Path) -> None:
    runs = without_copies(full)
    _, seen = report_of(runs, tmp_path)
    row = headline(runs)[0]
    pair = row.pairs[0].per_visit
    for section in ("answer", "differences"):
        assert cents(pair.mean) in seen.text[section]
        assert between(pair.low, pair.high) in seen.text[section]
    assert percent(row.gaps[1].gap.share) in seen.text["answer"]
    assert "Connection pays" in seen.text["answer"]
    assert "in 1 of 2 kinds of world" in seen.text["answer"]
    assert "mine" in seen.text["headline"]


def test_it_says_where_connection_does_not_pay(full: list[Run], tmp_path: Path) -> None:
    _, seen = report_of(without_copies(full), tmp_path)
    text = seen.text["not-paying"]
    assert "Does harm link returns→price, leave-one-out: " in text
    assert "Nothing shown link returns→price, add-one: " in text
    assert "connected less isolated: " in text
    assert "stock→recommend" not in text
    assert text.index("Does harm") < text.index("Nothing shown")


def test_a_gain_that_does_not_survive_the_adjustment_is_named(tmp_path: Path) -> None:
    # Alone each link passes 0.05; adjusted for twelve none does.
    rng = np.random.default_rng(0)
    shape = rng.normal(0, 1, 10)
    shape = (shape - shape.mean()) / shape.std(ddof=1)
    runs = [run("isolated", s, visits=10**6, profit_minor=0) for s in range(10)]
    for i in range(12):
        runs += [
            run(
                f"isolated plus a→{i:02}",
                s,
                visits=10**6,
                profit_minor=round(10**6 * (0.8 + shape[s])),
            )
            for s in range(10)
        ]
    _, seen = report_of(runs, tmp_path)
    assert seen.text["not-paying"].count("Not after Holm") == 12


def test_where_everything_pays_it_says_so(tmp_path: Path) -> None:
    _, seen = report_of(played(worlds=20), tmp_path)
    assert "the interval lies above 0" in seen.text["not-paying"]
    assert "Links were not played" in seen.text["not-paying"]


def test_failures_of_one_reason_are_one_row_and_long_reasons_are_cut(
    tmp_path: Path,
) -> None:
    runs = [
        run("connected", seed, state="failed", reason="x" * 9_000) for seed in range(9)
    ]
    _, seen = report_of(runs, tmp_path)
    assert "connected 9 0, 1, 2, 3, 4 …" in seen.text["failed"]
    assert "x" * 500 + "…" in seen.text["failed"]
    assert "x" * 501 not in seen.text["failed"]
    many = [run("mine", s, state="failed", reason=f"reason {s}") for s in range(60)]
    _, seen = report_of(many, tmp_path)
    assert "50 of 60 kinds" in seen.text["failed"]


def test_nothing_yet_names_the_commands(tmp_path: Path) -> None:
    _, seen = report_of([], tmp_path)
    sections = (
        *("answer", "headline", "differences", "trajectories", "made-of"),
        *("service", "links", "not-paying"),
    )
    for section in sections:
        assert "cartwheel simulate " in seen.text[section], section
    assert "cartwheel simulate links" in seen.text["links"]
    assert "No run has been played" in seen.text["failed"]
    assert text_table([]) == "There are no results yet."
    assert text_links([]) == "No link has been played yet."


def test_arms_that_were_not_played_are_named(tmp_path: Path) -> None:
    runs = [r for r in played() if r.arm != "oracle"]
    _, seen = report_of(runs, tmp_path)
    assert "Never played: apparel (small) : oracle" in seen.text["answer"].replace(
        "(small):", "(small) :"
    )
    assert "The oracle was not played" in seen.text["answer"]


def test_one_world_is_said_to_have_no_interval(tmp_path: Path) -> None:
    _, seen = report_of(played(worlds=1), tmp_path)
    assert "Cannot be told One world has no interval" in seen.text["answer"]
    assert "no interval" in seen.text["differences"]
    assert "Cannot be told" in seen.text["not-paying"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=r"report\.html cannot be written"):
        write_report([], tmp_path / "file" / "report.html", title="x")


def test_terminal_tables_are_aligned_and_hold_the_numbers(full: list[Run]) -> None:
    runs = without_copies(full)
    rows = headline(runs)
    text = text_table(rows)
    pair = rows[0].pairs[0].per_visit
    line = next(x for x in text.splitlines() if x.startswith("connected less isolated"))
    assert cents(pair.mean) in line
    assert between(pair.low, pair.high) in line
    block = text.split("\n\n")[0].splitlines()
    start = next(i for i, x in enumerate(block) if x.startswith("paired difference"))
    assert len({len(x) for x in block[start : start + 6]}) == 1
    assert "hostile (small): 9 worlds, 1 with a failed arm" in text
    links = text_links(link_table(runs))
    assert "stock→recommend" in links
    assert "Shapley" in links
    assert all(x.endswith("8/8/8") for x in links.splitlines()[2:])


def test_amounts_are_headed_with_the_currency_of_their_world(
    full: list[Run], tmp_path: Path
) -> None:
    runs = [
        replace(one, currency="GBP" if one.world == "hostile" else "CHF")
        for one in without_copies(full)
    ]
    text, seen = report_of(runs, tmp_path)
    for section in ("answer", "headline", "differences", "made-of", "links"):
        assert "CHF cents" in seen.text[section], section
    for section in ("answer", "headline", "differences", "made-of", "not-paying"):
        assert "GBP cents" in seen.text[section], section
    assert "CHF a world" in seen.text["trajectories"]
    # One chart of several worlds' differences has no one currency.
    assert "minor units of each world's currency" in seen.text["differences"]
    assert "EUR" not in text.replace("such as EUR cents", "")
    rows = headline(runs)
    assert "CHF cents a visit" in text_table(rows[:1])
    assert "GBP cents a visit" in text_table(rows[1:])
    assert "CHF cents a visit" in text_links(link_table(runs))


def test_measured_lift_has_its_section_where_it_was_played(
    full: list[Run], tmp_path: Path
) -> None:
    _, seen = report_of(without_copies(full), tmp_path)
    assert "truth" not in seen.text
    runs = [*without_copies(full), measured(1), measured(2, 90.0)]
    text, seen = report_of(runs, tmp_path)
    assert "50.0 % of 2 intervals held the true lift" in seen.text["truth"]
    assert "+50.00 EUR cents" in seen.text["truth"]
    assert "cannot tell 93 % from 97 %" in seen.text["truth"]
    assert 'href="#truth"' in text


def test_wording() -> None:
    assert [minor_unit(c) for c in ("EUR", "JPY", "KWD", "")] == (
        ["EUR cents", "JPY", "1/1000 KWD", "minor units"]
    )
    assert unit_of(["EUR", "EUR"]) == "EUR cents"
    assert unit_of([]) == "minor units"
    assert amount(5_000, digits=0) == "+5k"
    assert [cents(v) for v in (1234.5, -0.004, 0.0, -2.5, NAN)] == (
        ["+1,234.50", "0.00", "0.00", "−2.50", "–"]
    )
    assert cents(3.0, signed=False) == "3.00"
    assert between(-1, 2.5) == "−1.00 to +2.50"
    assert between(NAN, 1) == "no interval"
    assert [percent(v) for v in (0.512, -0.02, NAN)] == ["51.2 %", "−2.0 %", "–"]
    assert [chance(v) for v in (0.0004, 0.05, NAN)] == ["< 0.001", "0.050", "–"]
    assert [figure_text(v) for v in (0.0333, 96.0, 12345.6, -0.5, None)] == (
        ["0.0333", "96.0", "12,346", "−0.500", "–"]
    )
    assert [amount(v) for v in (0, 150, -250_000, 123_000_000, 5)] == (
        ["0", "+1.5", "−2.5k", "+1.2M", "+0.05"]
    )
    assert [tick(v) for v in (2.0, 0.5, 0.0)] == ["+2", "+0.50", "0"]


def spot(value: float, low: float, high: float, verdict: str) -> Spot:
    return Spot(label="<b>&", value=value, low=low, high=high, verdict=verdict)


def test_interval_chart_tells_verdicts_by_shape() -> None:
    drawn = interval_chart(
        title="t",
        spots=[
            spot(1, 0.5, 2, "above"),
            spot(-1, -2, -0.5, "below"),
            spot(0.1, -1, 1, "includes zero"),
            spot(2, NAN, NAN, "unknown"),
            spot(NAN, NAN, NAN, "unknown"),
        ],
        write=cents,
    )
    root = ET.fromstring(drawn)
    marks = [e for e in root.iter() if e.get("class", "").startswith("mark ")]
    assert [(e.tag, e.get("class")) for e in marks] == [
        ("circle", "mark is-above"),
        ("polygon", "mark is-below"),
        ("circle", "mark is-includes"),
        ("circle", "mark is-unknown"),
    ]
    assert len([e for e in root.iter("line") if "whisker" in e.get("class", "")]) == 3
    assert "not known" in drawn
    assert (
        interval_chart(title="t", spots=[spot(NAN, NAN, NAN, "unknown")], write=tick)
        == ""
    )


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.text(max_size=40)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([320, 476]),
)
def test_every_mark_lies_inside_the_drawing(
    rows: list[tuple[float, float, str]], width: int
) -> None:
    spots = [
        Spot(label=name, value=v, low=v - half, high=v + half, verdict="above")
        for v, half, name in rows
    ]
    drawn = interval_chart(title="t", spots=spots, write=tick, width=width)
    for mark in ET.fromstring(drawn).iter("circle"):
        assert 0 <= float(mark.get("cx", "-1")) <= width


def test_band_chart_draws_a_line_and_a_band_an_arm() -> None:
    days = np.arange(1.0, 91.0)
    bands = [
        Band(label="isolated", mean=days, low=days - 1, high=days + 1, place=1),
        Band(label="<x>", mean=days, low=days * NAN, high=days * NAN, place=2),
    ]
    root = ET.fromstring(band_chart(title="t", bands=bands, write=amount))
    classes = [e.get("class") for e in root.iter()]
    assert classes.count("line arm-1") == classes.count("line arm-2") == 1
    assert classes.count("band arm-1") == 1
    assert classes.count("band arm-2") == 0
    names = [e for e in root.iter("text") if "name" in e.get("class", "")]
    heights = [float(e.get("y", "0")) for e in names]
    assert {e.text for e in names} == {"isolated", "<x>"}
    assert abs(heights[0] - heights[1]) >= 15
    assert band_chart(title="t", bands=[], write=amount) == ""


@pytest.mark.parametrize("days", [1, 2, 4])
def test_band_chart_of_few_days(days: int) -> None:
    flat = np.zeros(days)
    band = Band(label="a", mean=flat, low=flat, high=flat, place=0)
    assert ET.fromstring(band_chart(title="t", bands=[band], write=amount)) is not None
