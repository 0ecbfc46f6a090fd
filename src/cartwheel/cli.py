"""The command line. Heavy modules are imported inside the commands that need them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cartwheel.cli_errors import run_guarded
from cartwheel.content_command import app as contents
from cartwheel.errors import Misuse
from cartwheel.measure.commands import measure
from cartwheel.measure.earnings.command import earnings
from cartwheel.measure.experiment.commands import app as experiments
from cartwheel.measure.health.command import health
from cartwheel.measure.journey.command import journey
from cartwheel.measure.kpi_command import kpis
from cartwheel.measure.off_policy_command import off_policy
from cartwheel.measure.weekly.command import report
from cartwheel.simulator.commands import app as simulations
from cartwheel.support_command import app as support
from cartwheel.voice_command import app as voice

if TYPE_CHECKING:
    from cartwheel.ledger.entry import Entry
    from cartwheel.shop import Shop

app = typer.Typer(
    name="cartwheel",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A self-hosted AI flywheel for online stores.",
)
keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
users = typer.Typer(no_args_is_help=True, help="Add people who sign in.")
app.add_typer(keys, name="key")
app.add_typer(users, name="user")
app.add_typer(simulations, name="simulate")
app.add_typer(experiments, name="experiment")
app.add_typer(contents, name="content")
app.add_typer(support, name="support")
app.add_typer(voice, name="voice")
app.command()(measure)
app.command("kpis")(kpis)
app.command()(earnings)
app.command("off-policy")(off_policy)
app.command()(health)
app.command()(journey)
app.command()(report)

ShopOption = Annotated[
    Path,
    typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HERE = Path()


def main() -> None:
    """Run the command line; every error is one line with a next step."""
    # One thread per BLAS call: two cores serve better as two processes.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    sys.exit(run_guarded(lambda: app(prog_name="cartwheel", standalone_mode=False)))


def say(line: str) -> None:
    """Print a line of progress where it does not disturb JSON."""
    print(line, file=sys.stderr, flush=True)


def show(value: Any, *, as_json: bool, lines: Iterable[str]) -> None:
    """Print one JSON object, or lines for people."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=str))
    else:
        for line in lines:
            print(line)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out in columns of even width."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _open(folder: Path) -> Shop:
    from cartwheel.shop import open_shop

    return open_shop(folder)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="New folder.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "",
    timezone: Annotated[str, typer.Option(help="IANA zone.")] = "",
    name: Annotated[str, typer.Option(help="Name of the shop.")] = "My shop",
    database_url: Annotated[
        str, typer.Option(help="PostgreSQL address of the operational database.")
    ] = "",
    lake_catalogue_url: Annotated[
        str, typer.Option(help="PostgreSQL connection string of the lake's catalogue.")
    ] = "",
) -> None:
    """Make a shop. Example: cartwheel init s --currency EUR --timezone UTC."""
    from cartwheel.shop import make_shop

    shop = make_shop(
        folder,
        currency=currency or "GBP",
        timezone=timezone or "UTC",
        name=name,
        database_url=database_url or None,
        lake_catalogue_url=lake_catalogue_url or None,
    )
    assumed = [
        text
        for given, text in (
            (currency, "currency GBP (set it with --currency)"),
            (timezone, "time zone UTC (set it with --timezone)"),
        )
        if not given
    ]
    print(f"Made the shop {shop.folder}.")
    if assumed:
        print(f"Assumed: {', '.join(assumed)}.")
    print(f"Next: cartwheel import KIND PATH --shop {folder}")


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(help="Kind of source.")],
    path: Annotated[Path | None, typer.Argument(help="File or folder.")] = None,
    shop: ShopOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Import a source: files of a shop, its desk or survey, a data set, a plug-in."""
    from cartwheel.connectors.intake import import_source
    from cartwheel.turn.pages import publish_imports

    opened = _open(shop)
    report = import_source(opened, kind, path)
    publish_imports(opened)
    value = report.to_json()
    lines = [
        f"{report.rows_read:,} rows read: {report.rows_kept:,} kept, "
        f"{report.rows_duplicate:,} duplicate, {report.rows_rejected:,} rejected; "
        f"{report.facts_added:,} facts added.",
        *report.notes,
    ]
    if report.rows_rejected:
        lines.append(f"See why: cartwheel rejects --shop {shop}")
    show(value, as_json=as_json, lines=lines)


@app.command()
def rejects(
    shop: ShopOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Most rows shown.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List source rows kept aside: file, line, field, value, reason."""
    from cartwheel.connectors.rejects import read_rejects

    rows = read_rejects(_open(shop), None if as_json else limit)
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False, default=str))
        return
    names = ("file", "line", "field", "value", "reason")
    cells = [[_cell(row[name]) for name in names] for row in rows]
    for line in columns([list(names), *cells]) if cells else ["No row was rejected."]:
        print(line)


@app.command()
def turn(
    shop: ShopOption = HERE,
    as_of: Annotated[
        str, typer.Option("--as-of", help="Last day whose facts may be used.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Turn the wheel once: sense, learn, decide, gate, publish."""
    from cartwheel.child_process import step_back
    from cartwheel.turn.workflow import run_turn

    step_back()
    summary = run_turn(_open(shop), as_of=_day(as_of), progress=say)
    lines = [
        f"Turn {summary['turn']} as of {summary['as_of']} is {summary['state']} "
        f"after {summary['seconds']:.1f} s.",
        *_lever_lines(summary["levers"]),
    ]
    show(summary, as_json=as_json, lines=lines)


@app.command()
def status(shop: ShopOption = HERE, as_json: JsonOption = False) -> None:
    """Show facts by table, their freshness, the published turn and the holdout."""
    from cartwheel.measure.freshness import table_states
    from cartwheel.turn.workflow import list_turns

    opened = _open(shop)
    states = table_states(opened)
    made = list_turns(opened)
    published = max(
        (t["turn"] for t in made if t["state"] == "published"), default=None
    )
    value = {
        "shop": opened.settings.name,
        "facts": {s.table: s.rows for s in states},
        "freshness": {s.table: s.newest for s in states},
        "published_turn": published,
        "holdout_share": opened.settings.holdout.share_bps / 10_000,
        "turns": made,
    }
    rows = [["table", "facts", "newest"]]
    rows += [[s.table, f"{s.rows:,}", s.newest or "-"] for s in states]
    lines = [f"{opened.settings.name}: published turn {published or 'none yet'}"]
    lines += columns(rows)
    lines += [
        f"turn {t['turn']}  as of {t['as_of']}  {t['state']}"
        + (f" at {t['step']}" if t["state"] == "running" else "")
        for t in made
    ]
    lines.append(f"holdout: {value['holdout_share']:.1%} of customers")
    show(value, as_json=as_json, lines=lines)


@app.command()
def wheel(
    shop: ShopOption = HERE,
    cut: Annotated[
        list[str] | None, typer.Option(help="Cut a link, e.g. 'stock->recommend'.")
    ] = None,
    restore: Annotated[
        list[str] | None, typer.Option(help="Restore a cut link.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the links of the wheel; cut or restore one from the next turn on."""
    from cartwheel.wheel import (
        cut_link,
        find_levers,
        find_links,
        parse_link,
        read_cuts,
        restore_link,
    )

    opened = _open(shop)
    links = find_links(find_levers())
    chosen = [parse_link(text, links) for text in cut or []]
    wanted = [parse_link(text, links) for text in restore or []]
    for link in chosen:
        cut_link(opened.database, link, actor="cli")
    for link in wanted:
        restore_link(opened.database, link)
    cuts = read_cuts(opened.database)
    value = [
        {
            "link": link.name,
            "signal": link.signal,
            "writer": link.writer,
            "reader": link.reader,
            "lagged": link.lagged,
            "cut": link.name in cuts,
        }
        for link in links
    ]
    rows = [["link", "written by", "state"]]
    for link in links:
        state = "cut" if link.name in cuts else "lagged" if link.lagged else "live"
        rows.append([link.name, link.writer, state])
    lines = columns(rows)
    if chosen or wanted:
        lines.append("The change holds from the next turn on.")
    show(value, as_json=as_json, lines=lines)


@app.command()
def decisions(
    shop: ShopOption = HERE,
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    state: Annotated[str, typer.Option(help="Only this state.")] = "",
    number: Annotated[int, typer.Option("--turn", help="Only this turn.")] = 0,
    lever: Annotated[str, typer.Option(help="Only this lever.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows shown to people.")] = 25,
    as_json: JsonOption = False,
) -> None:
    """List decisions with reason, predicted value and state; JSON is one a line."""
    from cartwheel.ledger.store import list_decisions

    entries = list_decisions(
        _open(shop).database,
        kind=kind or None,
        state=state or None,
        turn=number or None,
        lever=lever or None,
        limit=None if as_json else limit,
    )
    if as_json:
        for entry in entries:
            print(json.dumps(entry.to_json(), ensure_ascii=False))
        return
    for entry in entries:
        print(f"{entry.id}  {entry.state}  {entry.kind}  {entry.subject}")
        print(f"    {entry.reason}")
    if not entries:
        print("No decision matches.")


@app.command()
def approve(
    ids: Annotated[list[str], typer.Argument(help="Decision ids.")],
    shop: ShopOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Approve proposed decisions."""
    from cartwheel.channels.act import act

    entries = act(_open(shop), "approve", ids, actor="cli")
    _show_moved(entries, as_json)


@app.command()
def reject(
    ids: Annotated[list[str], typer.Argument(help="Decision ids.")],
    shop: ShopOption = HERE,
    note: Annotated[str, typer.Option(help="Why; it is kept on record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Reject proposed decisions."""
    from cartwheel.channels.act import act

    entries = act(_open(shop), "reject", ids, actor="cli", note=note)
    _show_moved(entries, as_json)


@app.command()
def undo(
    ids: Annotated[list[str], typer.Argument(help="Decision ids.")],
    shop: ShopOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take back approvals, applications and rejections."""
    from cartwheel.channels.act import act

    _show_moved(act(_open(shop), "undo", ids, actor="cli"), as_json)


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Decision ids.")] = None,
    shop: ShopOption = HERE,
    draw: Annotated[int, typer.Option(min=0, help="Draw this many at random.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Make past decisions again from snapshot, model and seed, and compare bytes."""
    from cartwheel.errors import Failure
    from cartwheel.ledger.replay import drawn
    from cartwheel.ledger.replay import replay as remake

    opened = _open(shop)
    wanted = list(ids or []) + drawn(opened, draw, seed=seed)
    if not wanted:
        raise Misuse("No decision is named.", "Name ids, or draw some with --draw 50.")
    results = remake(opened, wanted)
    same = sum(r.identical for r in results)
    value = {
        "replayed": len(results),
        "identical": same,
        "different": [r.id for r in results if not r.identical],
    }
    lines = [f"{same} of {len(results)} identical."]
    for r in results:
        if not r.identical:
            lines += [f"{r.id}", f"  recorded: {r.recorded}", f"  remade: {r.remade}"]
    show(value, as_json=as_json, lines=lines)
    if same < len(results):
        raise Failure(
            f"{len(results) - same} decisions differ from the record.",
            "Check that the installed version is the one that made them.",
        )


@app.command()
def rollback(shop: ShopOption = HERE, as_json: JsonOption = False) -> None:
    """Take the published turn out of force and restore the one before it."""
    from cartwheel.channels.outbox import refresh
    from cartwheel.turn.publish import roll_back, turn_in_force
    from cartwheel.wheel import find_kinds, find_levers

    opened = _open(shop)
    number = turn_in_force(opened)
    left = roll_back(opened, number, actor="cli")
    refresh(opened, find_kinds(find_levers()))
    show(
        {"rolled_back": number, "published_turn": left},
        as_json=as_json,
        lines=[f"Turn {number} is rolled back; in force is turn {left or 'none'}."],
    )


@app.command()
def backtest(
    shop: ShopOption = HERE,
    number: Annotated[int, typer.Option("--turn", help="Turn; 0: the published.")] = 0,
    days: Annotated[int, typer.Option(min=7, max=365, help="Days after it.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Compare a turn's decisions with what happened in the days after it."""
    from cartwheel.measure.backtest import backtest as look_back
    from cartwheel.measure.backtest import format_lines
    from cartwheel.turn.publish import turn_in_force

    opened = _open(shop)
    result = look_back(opened, number or turn_in_force(opened), days=days)
    show(result, as_json=as_json, lines=format_lines(result))


@app.command()
def serve(
    shop: ShopOption = HERE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port.")] = 8642,
    worker: Annotated[bool, typer.Option(help="Drain and turn beside it.")] = True,
) -> None:
    """Serve the API and the console; a worker beside it drains events and turns."""
    from cartwheel.serving import serve_shop

    serve_shop(_open(shop), host=host, port=port, worker=worker, say=say)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Folder of the demo shop.")] = Path(
        "demo-shop"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port.")] = 8642,
    storefront_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port of its storefront; the next one without it."
        ),
    ] = None,
    serving: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve console and storefront.")
    ] = True,
) -> None:
    """Make a sample shop that has lived for weeks, serve console and storefront."""
    from cartwheel.demo import make_demo
    from cartwheel.serving import port_above, serve_shop

    shop = make_demo(folder, say=say)
    if not serving:
        return
    chosen = storefront_port
    serve_shop(
        shop,
        host=host,
        port=port,
        worker=True,
        say=say,
        storefront=port_above(host) if chosen is None else lambda _port: chosen,
    )


@app.command()
def storefront(
    shop: ShopOption = HERE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port.")] = 8643,
    api: Annotated[
        str, typer.Option(help="Where a shopper's browser finds the API.")
    ] = "http://127.0.0.1:8642",
) -> None:
    """Serve a demo shop's storefront, whose events go to the API."""
    from cartwheel.serving import serve_storefront

    serve_storefront(_open(shop), host=host, port=port, api=api, say=say)


@app.command()
def live(
    shop: ShopOption = HERE,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="Weeks to live.")] = 1,
    approve_all: Annotated[
        bool, typer.Option("--approve-all", help="Approve every proposal first.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a demo shop live: carry out what was agreed to, a week of trade, a turn."""
    from cartwheel.simulator.living.living import live as live_days

    opened = _open(shop)
    lived = [
        live_days(opened, approve_as="cli" if approve_all else None, say=say)
        for _ in range(weeks)
    ]
    value = {
        "weeks": len(lived),
        "last_day": lived[-1].last_day.isoformat(),
        "carried": [week.carried for week in lived],
        "published_turn": lived[-1].turn,
    }
    lines = [
        f"Lived until {week.last_day}: {week.carried:,} decisions carried out; "
        f"in force is turn {week.turn or 'none'}."
        for week in lived
    ]
    show(value, as_json=as_json, lines=lines)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Archive to write (.tar.gz).")],
    shop: ShopOption = HERE,
) -> None:
    """Write the whole shop into one file, consistent while it is in use."""
    from cartwheel.backup import write_backup

    size = write_backup(_open(shop), file)
    print(f"Wrote {file} ({size / 1e6:,.1f} MB).")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="Archive written by backup.")],
    shop: ShopOption = HERE,
) -> None:
    """Restore a shop from a backup into a new or empty folder."""
    from cartwheel.backup import restore_backup

    restored = restore_backup(file, shop)
    print(f"Restored {restored.settings.name} into {restored.folder}.")


@keys.command("make")
def make_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scopes: Annotated[
        list[str], typer.Option("--scope", help="Scope, repeat for several.")
    ],
    shop: ShopOption = HERE,
) -> None:
    """Make an API key and print it once."""
    from cartwheel.api.keys import make_key as make

    print(make(_open(shop).database, name, scopes))


@keys.command("list")
def list_keys(shop: ShopOption = HERE, as_json: JsonOption = False) -> None:
    """List API keys by prefix."""
    from cartwheel.api.keys import list_keys as listed

    rows = listed(_open(shop).database)
    values = [row if isinstance(row, dict) else _as_dict(row) for row in rows]
    show(values, as_json=as_json, lines=[str(v) for v in values] or ["No key yet."])


@keys.command("revoke")
def revoke_key(
    prefix: Annotated[str, typer.Argument(help="First characters of the key.")],
    shop: ShopOption = HERE,
) -> None:
    """Revoke an API key at once."""
    from cartwheel.api.keys import revoke_key as revoke

    revoke(_open(shop).database, prefix)
    print(f"Revoked {prefix}.")


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    role: Annotated[str, typer.Option(help="owner or viewer.")] = "viewer",
    shop: ShopOption = HERE,
) -> None:
    """Add a person; the password is asked for, or read from standard input."""
    from cartwheel.api.security import create_user

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if role not in ("owner", "viewer"):
        raise Misuse(f"role is {role!r}; expected owner or viewer.", "Correct it.")
    chosen: Literal["owner", "viewer"] = "owner" if role == "owner" else "viewer"
    create_user(_open(shop).database, name, chosen, password or None)
    print(f"Added {name} as {role}.")


@users.command("link")
def sign_in_link(
    name: Annotated[str, typer.Argument(help="Person to make a link for.")],
    shop: ShopOption = HERE,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="Valid for.")] = 30,
) -> None:
    """Print the path of a one-time sign-in link."""
    from cartwheel.api.security import make_sign_in_link

    token = make_sign_in_link(_open(shop).database, name, minutes)
    print(f"/sign-in?token={token}")


def _as_dict(row: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(row)


def _lever_lines(levers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = [
        [name, run["state"], f"{run['decisions']:,}", _cell(run["reason"], 150)]
        for name, run in levers.items()
    ]
    return columns([["lever", "state", "decisions", "reason"], *rows])


def _show_moved(entries: Sequence[Entry], as_json: bool) -> None:
    show(
        [{"id": e.id, "state": e.state.value} for e in entries],
        as_json=as_json,
        lines=[f"{e.id} is {e.state}." for e in entries],
    )


def _cell(value: Any, width: int = 60) -> str:
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= width else text[: width - 1] + "…"


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f"--as-of is {text!r}; expected a day such as 2011-11-09.",
            "Correct the day.",
        ) from None


if __name__ == "__main__":
    main()
