"""Keys, people and serving; wrong calls and unforeseen errors."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import duckdb
import pytest
import sqlalchemy.exc

from cartwheel import cli
from tests.cli.program import Run, assert_one_line, program
from tests.turned import CLI, Turned


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("turn", "--fast"), "No such option: --fast.* See: cartwheel turn --help"),
        (("impor",), "No such command 'impor'. Did you mean 'import'"),
        (("import",), "Missing argument"),
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
