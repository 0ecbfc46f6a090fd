"""The command line as a user meets it: shapes, exit codes, one-line errors."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy.exc

from cartwheel import cli
from cartwheel.shop import Shop, make_shop, open_shop
from cartwheel.turn import workflow
from cartwheel.turn.workflow import summary_of
from tests.turned import CLI, SECOND_DAY, Turned, copy_of, turned_in

HEAVY = (
    *("numpy", "pandas", "pyarrow", "duckdb", "ibis", "scipy", "sklearn", "lightgbm"),
    *("fastapi", "uvicorn", "sqlalchemy", "dbos", "pydantic", "jinja2"),
)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        assert self.code == 0, self.err
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Turned:
    return turned_in(tmp_path_factory.getbasetemp())


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program's own `main` in this process."""

    def call(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["cartwheel", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, said.out, said.err)

    return call


@pytest.fixture
def copied(turned: Turned, tmp_path: Path) -> Path:
    """Return a copy of the turned shop's folder that a test may change."""
    return copy_of(turned.folder, tmp_path / "copy").folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "empty", currency="EUR").folder


def program(*arguments: str | Path, **environment: str) -> Done:
    """Run the program as a process of its own."""
    done = subprocess.run(
        [*CLI, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def assert_one_line(done: Done, code: int, said: str = "") -> None:
    """An error is one line on stderr: what is wrong, and what to do next."""
    assert done.code == code, (done.out, done.err)
    assert done.out == ""
    assert done.err.endswith("\n")
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert re.search(said, line), line
    # What is wrong and the next step are a sentence each.
    assert re.search(r"[.?] [A-Z]", line), line


# --- starting


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


# --- making and filling a shop


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


# --- what is no shop


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


# --- reading a shop


def test_shop_comes_from_the_environment(
    run: Run, turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARTWHEEL_SHOP", str(turned.folder))
    assert run("status", "--json").json()["published_turn"] == 2


def test_status_has_the_shape_other_programs_rely_on(run: Run, turned: Turned) -> None:
    value = run("status", "--shop", turned.folder, "--json").json()
    assert value["published_turn"] == 2
    assert value["holdout_share"] == 0.05
    assert value["facts"]["orders"] == 367
    assert set(value["freshness"]) == set(value["facts"])
    assert value["freshness"]["orders"] == SECOND_DAY.isoformat()
    assert value["freshness"]["receipts"] <= SECOND_DAY.isoformat()
    assert [item["turn"] for item in value["turns"]] == [2, 1]


def test_status_for_people(run: Run, turned: Turned) -> None:
    done = run("status", "--shop", turned.folder)
    assert "My shop: published turn 2" in done.out
    assert re.search(r"^orders +367 +2025-05-30$", done.out, re.M)
    assert "holdout: 5.0% of customers" in done.out


def test_status_of_a_new_shop(run: Run, empty: Path) -> None:
    value = run("status", "--shop", empty, "--json").json()
    assert value["published_turn"] is None
    assert set(value["freshness"].values()) == {None}
    assert "published turn none yet" in run("status", "--shop", empty).out


DECISION = ("id", "turn", "lever", "kind", "subject", "action", "propensity")
DECISION += ("predicted", "reason", "state")


def test_decisions_are_one_object_a_line(run: Run, turned: Turned) -> None:
    rows = run("decisions", "--shop", turned.folder, "--json").lines()
    assert len(rows) == len({row["id"] for row in rows}) > 400
    for row in rows:
        assert set(DECISION) <= set(row)
        assert row["reason"]
        assert isinstance(row["action"], dict)
        if row["predicted"] is not None:
            assert {"metric", "value", "low", "high"} <= set(row["predicted"])
            assert (
                row["predicted"]["low"]
                <= row["predicted"]["value"]
                <= row["predicted"]["high"]
            )
        if row["propensity"] is not None:
            assert 0 < row["propensity"] <= 1
    # Slates with an explored slot, and win-backs drawn against no offer.
    assert any(row["propensity"] not in (None, 1) for row in rows)


def test_decisions_are_filtered(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder, "--json")
    every = run("decisions", *shop).lines()
    for option, name, value in (
        ("--kind", "kind", "reorder"),
        ("--state", "state", "proposed"),
        ("--turn", "turn", 1),
        ("--lever", "lever", "recommend"),
    ):
        rows = run("decisions", *shop, option, str(value)).lines()
        assert rows
        assert rows == [row for row in every if row[name] == value]


def test_decisions_for_people(run: Run, turned: Turned) -> None:
    done = run("decisions", "--shop", turned.folder, "--limit", "3")
    assert len(done.out.splitlines()) == 6
    none = run("decisions", "--shop", turned.folder, "--kind", "nothing")
    assert none.out == "No decision matches.\n"
    wrong = run("decisions", "--shop", turned.folder, "--state", "lost")
    assert_one_line(wrong, 2, "state is 'lost'; expected one of proposed")


def test_wheel_shows_the_links(run: Run, turned: Turned) -> None:
    links = {
        link["link"]: link
        for link in run("wheel", "--shop", turned.folder, "--json").json()
    }
    for name in (
        *("intent→forecast", "stock→recommend", "margin→recommend"),
        *("forecast→replenish", "forecast→price", "stock→price"),
        *("price_plan→forecast", "returns→margin", "stock→lifecycle"),
        *("lifetime_value→lifecycle", "outcomes→forecast"),
    ):
        assert name in links
        assert set(links[name]) == {
            *("link", "signal", "writer", "reader", "lagged", "cut")
        }
        assert links[name]["cut"] is False
    assert links["price_plan→forecast"]["lagged"] is True


@pytest.mark.parametrize("link", ["stock->recommend", "stock→recommend"])
def test_wheel_cuts_and_restores(run: Run, empty: Path, link: str) -> None:
    def cuts(*options: str) -> list[str]:
        links = run("wheel", *options, "--shop", empty, "--json").json()
        return [item["link"] for item in links if item["cut"]]

    assert cuts() == []
    assert cuts("--cut", link) == ["stock→recommend"]
    assert cuts("--cut", link) == ["stock→recommend"]  # safe to repeat
    people = run("wheel", "--shop", empty)
    assert re.search(r"^stock→recommend +lake +cut$", people.out, re.M)
    assert cuts("--restore", link) == []


def test_wheel_refuses_a_link_there_is_not(run: Run, empty: Path) -> None:
    both = ("--cut", "stock->recommend", "--cut", "stock->moon")
    assert_one_line(run("wheel", *both, "--shop", empty), 2, "no link 'stock->moon'")
    links = run("wheel", "--shop", empty, "--json").json()
    assert not any(item["cut"] for item in links)


def test_lists_of_a_new_shop_are_empty_and_not_an_error(run: Run, empty: Path) -> None:
    assert run("decisions", "--shop", empty, "--json") == Done(0, "", "")
    assert run("rejects", "--shop", empty, "--json") == Done(0, "", "")
    assert run("rejects", "--shop", empty).out == "No row was rejected.\n"
    assert run("key", "list", "--shop", empty, "--json").json() == []


# --- turning


def test_turn_prints_its_summary(
    run: Run, turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = summary_of(turned.shop, 2)
    asked = []

    def made(shop: Shop, *, as_of: date | None, progress: Any) -> dict[str, Any]:
        asked.append((shop.folder, as_of))
        progress("turn 2: signals")
        return summary

    monkeypatch.setattr(workflow, "run_turn", made)
    shop = ("--shop", turned.folder)
    done = run("turn", *shop, "--as-of", "2025-05-30", "--json")
    assert done.json() == summary
    assert done.err == "turn 2: signals\n"
    people = run("turn", *shop).out.splitlines()
    assert asked == [(turned.folder, SECOND_DAY), (turned.folder, None)]
    assert people[0].startswith("Turn 2 as of 2025-05-30 is published after ")
    assert people[1].split() == ["lever", "state", "decisions", "reason"]
    assert [line.split()[0] for line in people[2:]] == list(summary["levers"])


def test_turn_on_a_shop_without_facts(run: Run, empty: Path) -> None:
    assert_one_line(run("turn", "--shop", empty), 2, "knows no fact.*cartwheel import")


@pytest.mark.parametrize("day", ["yesterday", "2025-13-01", "2025-02-30", "9999-12-31"])
def test_turn_refuses_a_wrong_day(run: Run, turned: Turned, day: str) -> None:
    done = run("turn", "--shop", turned.folder, "--as-of", day)
    assert_one_line(done, 2, day)


def test_second_turn_at_once_fails_and_says_how_to_follow(copied: Path) -> None:
    import fcntl

    with open(copied / "turn.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = program("turn", "--shop", copied)
    assert_one_line(done, 1, "A turn of this shop is running.*cartwheel status")


# --- answering


def test_approve_undo_and_reject(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    rows = run("decisions", *shop, "--state", "proposed", "--json").lines()
    first, second = rows[0]["id"], rows[1]["id"]
    moved = run("approve", first, second, *shop, "--json").json()
    assert moved == [
        {"id": first, "state": "approved"},
        {"id": second, "state": "approved"},
    ]
    assert_one_line(run("approve", first, *shop), 2, "is approved and cannot become")
    assert run("undo", first, *shop).out == f"{first} is reverted.\n"
    assert_one_line(run("undo", first, *shop), 2, "is reverted; only")
    third = rows[2]["id"]
    assert run("reject", third, *shop, "--note", "no").out == f"{third} is rejected.\n"
    assert run("undo", third, *shop).out == f"{third} is proposed.\n"


def test_answering_several_is_all_or_nothing(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    rows = run("decisions", *shop, "--state", "proposed", "--json").lines()
    good = rows[0]["id"]
    assert_one_line(run("approve", good, "9-none", *shop), 2, "no decision '9-none'")
    state = run("decisions", *shop, "--state", "proposed", "--json").lines()
    assert good in {row["id"] for row in state}


@pytest.mark.parametrize("command", ["approve", "reject", "undo", "replay"])
def test_unknown_decision_is_said(run: Run, turned: Turned, command: str) -> None:
    done = run(command, "9-none", "--shop", turned.folder)
    assert_one_line(done, 2, "There is no decision '9-none'. List them with")


def test_undo_of_nothing_done_is_said(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder)
    rows = run("decisions", *shop, "--state", "proposed", "--json").lines()
    assert_one_line(run("undo", rows[0]["id"], *shop), 2, "is proposed; only approved")


def test_replay_counts_what_is_identical(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder, "--json")
    (row, *_) = run("decisions", *shop, "--turn", "2").lines()
    value = run("replay", row["id"], *shop).json()
    assert value == {"replayed": 1, "identical": 1, "different": []}
    assert_one_line(run("replay", "--shop", turned.folder), 2, "No decision is named")


def test_replay_fails_when_the_record_was_changed(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    rows = run("decisions", *shop, "--lever", "replenish", "--json").lines()
    item = rows[0]["id"]
    with open_shop(copied).database.begin() as con:
        con.exec_driver_sql(
            f"UPDATE decisions SET body = replace(body, 'units', 'U') WHERE id='{item}'"
        )
    done = run("replay", item, *shop, "--json")
    assert done.code == 1
    assert json.loads(done.out)["different"] == [item]
    assert done.err.startswith("error: 1 decisions differ from the record. ")


def test_rollback_twice_and_then_nothing_is_left(run: Run, copied: Path) -> None:
    shop = ("--shop", copied)
    assert run("rollback", *shop, "--json").json() == {
        "rolled_back": 2,
        "published_turn": 1,
    }
    done = run("rollback", *shop)
    assert done.out == "Turn 1 is rolled back; in force is turn none.\n"
    assert run("status", *shop, "--json").json()["published_turn"] is None
    assert_one_line(run("rollback", *shop), 2, "No turn is published. Turn the wheel")
    assert_one_line(run("backtest", *shop), 2, "No turn is published. Turn the wheel")


def test_backtest_of_the_first_turn(run: Run, turned: Turned) -> None:
    shop = ("--shop", turned.folder)
    value = run("backtest", *shop, "--turn", "1", "--days", "28", "--json").json()
    assert value
    assert run("backtest", *shop, "--turn", "1", "--days", "28").out
    assert_one_line(run("backtest", *shop, "--turn", "9"), 2, "There is no turn 9")


# --- keys, people, serving


def test_keys_are_made_listed_and_revoked(run: Run, empty: Path) -> None:
    shop = ("--shop", empty)
    made = run("key", "make", "till", "--scope", "events:write", *shop)
    assert made.code == 0, made.err
    (row,) = run("key", "list", *shop, "--json").json()
    assert row["name"] == "till"
    assert made.out.strip() not in json.dumps(row)
    assert run("key", "revoke", row["prefix"], *shop).code == 0
    (row,) = run("key", "list", *shop, "--json").json()
    assert row["revoked_at"]
    wrong = run("key", "make", "till", "--scope", "everything", *shop)
    assert_one_line(wrong, 2, "everything")


def test_people_are_added_and_signed_in_by_link(empty: Path) -> None:
    shop = ("--shop", str(empty))
    command = [*CLI, "user", "add", "ann", "--role", "owner", *shop]
    done = subprocess.run(
        command,
        input="a long pass phrase\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Added ann as owner.\n"), done.stderr
    link = program("user", "link", "ann", *shop)
    assert re.fullmatch(r"/sign-in\?token=\S+\n", link.out), link.err
    assert_one_line(program("user", "link", "bob", *shop), 2, "bob")
    assert_one_line(program("user", "add", "x", "--role", "king", *shop), 2, "'king'")


def test_port_in_use_is_said_before_anything_is_promised(run: Run, empty: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("serve", "--shop", empty, "--port", str(port))
    assert_one_line(done, 1, f"Port {port} on 127.0.0.1 cannot be used.*--port 0")


def test_demo_leaves_a_real_shop_alone(run: Run, empty: Path) -> None:
    done = run("demo", "--folder", empty, "--no-serve")
    assert_one_line(done, 2, "holds a real shop")


# --- calling it wrongly


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("turn", "--fast"), "No such option: --fast.* See: cartwheel turn --help"),
        (("impor",), "No such command 'impor'. Did you mean 'import'"),
        (("import", "csv"), "Missing argument"),
        (("decisions", "--limit", "0"), "--limit"),
        (("decisions", "--turn", "x"), "--turn"),
        (("serve", "--port", "99999"), "--port"),
        (("backtest", "--days", "3"), "--days"),
        (("restore",), "Missing argument"),
    ],
)
def test_wrong_call_is_one_line(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    assert_one_line(run(*arguments), 2, said)


# --- what nobody foresaw


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.IOException("no\nspace"), "The lake cannot be used .IOException: no."),
        (
            sqlalchemy.exc.OperationalError("SELECT 1", {}, Exception("locked")),
            "The operational database cannot be used",
        ),
        (ZeroDivisionError("by\nzero"), "unforeseen .*ZeroDivisionError: by at test_"),
        (OSError(28, "No space left on device", "/x"), "No space left on device: /x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_unforeseen_error_is_one_line_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def broken(_folder: Path) -> None:
        raise error

    monkeypatch.setattr(cli, "_open", broken)
    assert_one_line(run("status"), 1, said)


def test_spoilt_databases_are_said(run: Run, copied: Path) -> None:
    for name, said in (
        ("operations.sqlite", "operational database cannot be used"),
        ("lake/catalogue.sqlite", "lake cannot be opened"),
    ):
        folder = copied.with_name(f"spoilt-{name.partition('.')[0].replace('/', '-')}")
        shutil.copytree(copied, folder)
        for beside in (folder / name).parent.glob(f"{Path(name).name}-*"):
            beside.unlink()
        (folder / name).write_bytes(b"this is no database" * 1000)
        done = run("status", "--shop", folder)
        assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
        assert re.search(f"^error: .*{said}.* restore a backup.$", done.err), done.err


def test_reader_that_has_enough_ends_it_quietly(turned: Turned) -> None:
    process = subprocess.Popen(
        [*CLI, "decisions", "--shop", str(turned.folder), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert said == b""
