"""Starting, making and filling a shop, and what is no shop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import HEAVY, Run, assert_one_line


def test_help_starts_without_heavy_modules() -> None:
    code = (
        "import sys\nsys.argv = ['cartwheel', '--help']\n"
        "from cartwheel import cli\n"
        "try:\n    cli.main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


def test_without_arguments_it_shows_its_help(run: Run) -> None:
    done = run()
    assert (done.code, done.err) == (2, "")
    assert "Commands:" in done.out


def test_init_makes_a_shop_and_says_what_it_assumed(run: Run, tmp_path: Path) -> None:
    done = run("init", tmp_path / "s")
    assert done.code == 0
    assert "Assumed: currency GBP (set it with --currency), time zone UTC" in done.out
    assert run("status", "--shop", tmp_path / "s", "--json").json()["facts"]


def test_init_assumes_nothing_it_was_told(run: Run, tmp_path: Path) -> None:
    done = run("init", tmp_path / "s", "--currency", "JPY", "--timezone", "Asia/Tokyo")
    assert done.code == 0
    assert "Assumed" not in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--currency", "euro"), 'currency is "euro"'),
        (("--timezone", "Mars/Olympus"), "expected an IANA zone"),
        (("--name", "x" * 300), "name is"),
    ],
)
def test_init_refuses_a_wrong_value_and_makes_nothing(
    run: Run, tmp_path: Path, options: tuple[str, str], said: str
) -> None:
    assert_one_line(run("init", tmp_path / "s", *options), 2, said)
    assert not (tmp_path / "s").exists()


def test_init_refuses_a_folder_in_use(run: Run, tmp_path: Path, empty: Path) -> None:
    assert_one_line(run("init", empty), 2, "already holds a shop")
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "file").write_text("x")
    assert_one_line(run("init", tmp_path / "busy"), 2, "not an empty folder")
    assert_one_line(run("init", tmp_path / "busy" / "file"), 2, "not an empty folder")
    assert_one_line(run("init", tmp_path / "busy" / "file" / "s"), 2, "cannot be made")


PRODUCTS = "product_id,title\np1,Lamp\np2,Tent\np1,Lamp\n,No id\n"


def test_import_accounts_for_every_row_and_adds_nothing_twice(
    run: Run, empty: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    first = run("import", "csv", folder, "--shop", empty, "--json").json()
    assert {
        name: first[name]
        for name in (
            *("rows_read", "rows_kept", "rows_duplicate", "rows_rejected"),
            "facts_added",
        )
    } == {
        "rows_read": 4,
        "rows_kept": 2,
        "rows_duplicate": 1,
        "rows_rejected": 1,
        "facts_added": 2,
    }
    second = run("import", "csv", folder, "--shop", empty, "--json").json()
    assert (second["facts_added"], second["rows_kept"]) == (0, 0)
    assert second["rows_duplicate"] + second["rows_rejected"] == second["rows_read"]
    (reject, *_) = run("rejects", "--shop", empty, "--json").lines()
    assert {"file", "line", "field", "value", "reason"} <= set(reject)
    assert (reject["file"], reject["line"], reject["field"]) == (
        "products.csv",
        5,
        "product_id",
    )
    people = run("rejects", "--shop", empty)
    assert "products.csv" in people.out


def test_import_tells_people_where_to_look(
    run: Run, empty: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    done = run("import", "csv", folder, "--shop", empty)
    assert "4 rows read: 2 kept, 1 duplicate, 1 rejected; 2 facts added." in done.out
    assert f"cartwheel rejects --shop {empty}" in done.out


def test_import_of_bad_sources_is_one_line(
    run: Run, empty: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "nowhere"
    assert_one_line(run("import", "csv", missing, "--shop", empty), 2, "nowhere")
    (tmp_path / "folder").mkdir()
    assert_one_line(run("import", "csv", "--shop", empty), 2, "csv needs a path: ")
    wrong_kind = run("import", "excel", tmp_path / "folder", "--shop", empty)
    assert_one_line(wrong_kind, 2, "'excel' is no kind of source.*olist")
    nothing = run("import", "csv", tmp_path / "folder", "--shop", empty)
    assert_one_line(nothing, 2, "")
    for kind, name in (("csv", "orders.csv"), ("shopify-csv", "orders.csv")):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / name).write_bytes(b"")
        done = run("import", kind, folder, "--shop", empty)
        assert_one_line(done, 2, "")
    for kind in ("online-retail", "olist"):
        file = tmp_path / f"{kind}.parquet"
        file.write_bytes(b"PAR1 this is cut short")
        assert_one_line(run("import", kind, file, "--shop", empty), 2, "")
    facts = run("status", "--shop", empty, "--json").json()["facts"]
    assert sum(facts.values()) == 0


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("turn",),
        ("decisions",),
        ("wheel",),
        ("rejects",),
        ("rollback",),
        ("replay", "--draw", "3"),
        ("approve", "1-x"),
        ("backup", "x.tar.gz"),
        ("serve",),
        ("key", "list"),
    ],
    ids=lambda command: command[0],
)
def test_folder_that_is_no_shop_is_said(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run(*command, "--shop", tmp_path)
    assert_one_line(done, 2, "is not a shop: it has no cartwheel.toml. Make one with")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("currency = ", "cannot be read"),
        ('currency = "EUR"\nfoo = 1\n', "foo is 1"),
        ('currency = "EUR"\n[guardrails]\nmin = 1\n', r"guardrails\.min is 1"),
        (
            'currency = "EUR"\n[guardrails]\nminimum_margin_bps = "lots"\n',
            r"guardrails\.minimum_margin_bps is .lots.",
        ),
        (
            'currency = "EUR"\n[guardrails]\nminimum_margin_bps = 99999\n',
            "less than or equal to 10000",
        ),
        ('currency = "euro"\n', "currency is .euro."),
        ("currency = 7\n", "currency is 7"),
        ('name = "x"\n', "currency is missing"),
        ('currency = "EUR"\ntimezone = "Mars"\n', "expected an IANA zone"),
        ('currency = "EUR"\n[autonomy]\nreorder = "always"\n', "autonomy.reorder"),
        ('currency = "EUR"\nguardrails = 3\n', "guardrails is 3"),
    ],
)
def test_wrong_settings_name_the_setting(
    run: Run, empty: Path, text: str, said: str
) -> None:
    (empty / "cartwheel.toml").write_text(text, encoding="utf-8")
    done = run("status", "--shop", empty)
    assert_one_line(done, 2, said)
    assert "docs/settings.md" in done.err


def test_unreadable_settings_file_is_said(run: Run, empty: Path) -> None:
    path = empty / "cartwheel.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert_one_line(run("status", "--shop", empty), 2, "cannot be read")
    path.unlink()
    path.mkdir()
    assert_one_line(run("status", "--shop", empty), 2, "cannot be read")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CARTWHEEL_CURRENCY", "euro", "currency is .euro. in CARTWHEEL_CURRENCY"),
        ("CARTWHEEL_GUARDRAILS", "much", "variable of the environment"),
        ("CARTWHEEL_TURN__SEED", "x", "turn.seed is .x. in CARTWHEEL_TURN__SEED"),
    ],
)
def test_wrong_environment_names_the_variable(
    run: Run,
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert_one_line(run("status", "--shop", empty), 2, said)
