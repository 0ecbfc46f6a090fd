"""`cartwheel experiment`: plan, begin, follow and stop experiments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from cartwheel.measure.experiment.store import Record
    from cartwheel.measure.experiment.terms import Guard, Terms
    from cartwheel.shop import Shop

app = typer.Typer(no_args_is_help=True, help="Plan, begin, follow, stop experiments.")

ShopOption = Annotated[
    Path,
    typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HERE = Path()
CLI = "cli"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Short name, such as price-march.")],
    lever: Annotated[str, typer.Option(help="Lever left out in the control.")] = "",
    unit: Annotated[
        str,
        typer.Option(
            help="customer, visitor, product, product-week, period, geography, or "
            "answer: both rankings share every list."
        ),
    ] = "",
    metric: Annotated[
        str,
        typer.Option(
            help="Metric that decides: margin, revenue, orders, units, preference."
        ),
    ] = "",
    wanted: Annotated[
        float, typer.Option(help="Smallest change that matters, .1 for a tenth.")
    ] = 0.0,
    question: Annotated[str, typer.Option(help="What you want to know.")] = "",
    stop: Annotated[
        str, typer.Option(help="fixed: read on the last day; always-valid: any day.")
    ] = "",
    mode: Annotated[str, typer.Option(help="sandbox (needs a budget), production.")] = (
        ""
    ),
    until: Annotated[str, typer.Option(help="Last day, such as 2026-09-30.")] = "",
    start: Annotated[str, typer.Option(help="First day; tomorrow without it.")] = "",
    control_share: Annotated[
        float, typer.Option(help="Share of customers or products left alone.")
    ] = 0.5,
    budget: Annotated[
        int, typer.Option(min=0, help="Most outlay, in minor units; 0: no limit.")
    ] = 0,
    other: Annotated[
        list[str] | None, typer.Option(help="Another metric to tell; repeat.")
    ] = None,
    guard: Annotated[
        list[str] | None,
        typer.Option(help="METRIC=SHARE that it must not lose; repeat."),
    ] = None,
    period_days: Annotated[int, typer.Option(min=1, help="Days of a period.")] = 7,
    burn_in_days: Annotated[
        int, typer.Option(min=0, help="First days of a period left out.")
    ] = 1,
    option: Annotated[
        str, typer.Option(help="Option of the lever that the arms differ in.")
    ] = "",
    control_value: Annotated[
        float | None, typer.Option(help="Its value in the control.")
    ] = None,
    arm_value: Annotated[
        float | None, typer.Option(help="Its value in the arm.")
    ] = None,
    link: Annotated[
        str,
        typer.Option(help="Link, such as margin->recommend, that is cut in the arm."),
    ] = "",
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Only tell what it would cost.")
    ] = False,
    shop: ShopOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Fix an experiment's terms, tell what it costs, and begin it."""
    from cartwheel.measure.experiment.plan import plan
    from cartwheel.measure.experiment.store import create as put_on_record
    from cartwheel.measure.experiment.store import shop_day
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    today = shop_day(opened.database)
    terms = asked_terms(
        {
            "name": name,
            "question": question,
            "lever": lever,
            "unit": unit,
            "metric": metric,
            "wanted": wanted,
            "stop": stop,
            "mode": mode,
            "starts_on": start,
            "ends_on": until,
            "control_share": control_share,
            "budget_minor": budget or None,
            "others": other or (),
            "guards": guard or (),
            "period_days": period_days,
            "burn_in_days": burn_in_days,
            "option": option,
            "control_value": control_value,
            "arm_value": arm_value,
            "link": link,
        },
        opened,
        today,
    )
    expected = plan(opened, terms, today)
    value: dict[str, Any] = {"terms": terms.to_json(), "plan": expected.to_json()}
    lines = plan_lines(terms, expected.to_json())
    if not plan_only:
        record = put_on_record(opened.database, terms, actor=CLI)
        value["fingerprint"] = record.terms.fingerprint
        lines.append(
            f"On record as {terms.name} ({terms.fingerprint}); it begins with the "
            f"first turn that acts on {terms.starts_on} or later."
        )
    _show(value, lines, as_json=as_json)


@app.command("list")
def list_(shop: ShopOption = HERE, as_json: JsonOption = False) -> None:
    """List experiments, running ones first."""
    from cartwheel.measure.experiment.store import list_experiments
    from cartwheel.shop import open_shop

    records = list_experiments(open_shop(shop).database)
    lines = [
        f"{one.terms.name}  {one.state}  {one.terms.lever} by {one.terms.unit}  "
        f"{one.terms.starts_on} to {one.terms.ends_on}  {_said(one)}"
        for one in records
    ]
    value = {"experiments": [one.to_json() for one in records]}
    _show(value, lines or ["There is no experiment."], as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")],
    on: Annotated[
        str, typer.Option(help="Look from this day instead of the last look.")
    ] = "",
    shop: ShopOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show an experiment: terms, last look, verdict or what it waits for."""
    from dataclasses import replace

    from cartwheel.measure.experiment.lessons import page_of
    from cartwheel.measure.experiment.look import look
    from cartwheel.measure.experiment.store import (
        find,
        list_experiments,
        looks,
        shop_day,
    )
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    record = find(opened.database, name)
    if on or (record.standing is None and record.state == "running"):
        day = read_day("--on", on) if on else shop_day(opened.database)
        record = replace(record, standing=look(opened, record.terms, day).to_json())
    value = {
        **record.to_json(),
        "looks": [
            {"day": day.isoformat(), "sentence": found["sentence"]}
            for day, found in looks(opened.database, name)
        ],
    }
    page = page_of(record, list_experiments(opened.database))
    _show(value, page.splitlines(), as_json=as_json)


@app.command()
def stop(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")],
    why: Annotated[str, typer.Option(help="Why, for the learning record.")] = "",
    shop: ShopOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Stop an experiment before its time; what was found stays on record."""
    from cartwheel.measure.experiment.store import close
    from cartwheel.shop import open_shop

    if not why.strip():
        raise Misuse(
            "--why is missing; a stopped experiment teaches only with its reason.",
            "Example: --why 'suppliers changed, the comparison is void'.",
        )
    opened = open_shop(shop)
    record = close(opened.database, name, "stopped", actor=CLI, why=why.strip())
    lines = [f"Stopped {name}. Decisions act on everybody again from the next turn on."]
    _show(record.to_json(), lines, as_json=as_json)


def asked_terms(given: Mapping[str, Any], shop: Shop, today: date) -> Terms:
    """Return checked terms of what somebody typed, products enrolled.

    Args:
        given: Every term by name; days as ISO texts or "", guards as METRIC=SHARE.
        shop: The shop.
        today: Day looked from.

    Raises:
        Misuse: Naming the first term that does not fit.
    """
    from cartwheel.measure.experiment.plan import enrolled
    from cartwheel.measure.experiment.terms import Terms, check_terms
    from cartwheel.wheel import ARROW, find_levers

    starts = given["starts_on"]
    if not given["ends_on"]:
        raise Misuse(
            "ends_on is missing; every experiment has a last day.",
            "Example: --until 2026-09-30.",
        )
    terms = Terms(
        **{
            **given,
            "starts_on": (
                read_day("starts_on", starts) if starts else today + timedelta(days=1)
            ),
            "ends_on": read_day("ends_on", given["ends_on"]),
            "others": tuple(given["others"]),
            "guards": read_guards(given["guards"]),
            "link": given["link"].replace("->", ARROW).replace(" ", ""),
        }
    )
    return check_terms(enrolled(shop, terms, today), levers=find_levers(), today=today)


def read_guards(given: Sequence[str]) -> tuple[Guard, ...]:
    """Read guards as typed: METRIC=SHARE.

    Raises:
        Misuse: If a text has another form.
    """
    from cartwheel.measure.experiment.terms import METRICS, Guard

    found = []
    for text in given:
        name, _, share = text.partition("=")
        try:
            worst = float(share)
        except ValueError:
            worst = -1.0
        metric = next((one for one in METRICS if one == name.strip()), None)
        if metric is None or not 0 <= worst <= 1:
            raise Misuse(
                f"guard is {text[:80]!r}; expected METRIC=SHARE with a metric of "
                f"{', '.join(METRICS)} and a share of 0 to 1.",
                "Example: --guard revenue=0.05.",
            )
        found.append(Guard(metric=metric, worst=worst))
    return tuple(found)


def read_day(what: str, text: str) -> date:
    """Read an ISO day.

    Raises:
        Misuse: If it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misuse(
            f"{what} is {text[:40]!r}; expected a day such as 2026-09-30.",
            "Correct it.",
        ) from None


def plan_lines(terms: Terms, plan: Mapping[str, Any]) -> list[str]:
    """Return what a test would cost, for people."""
    lines = [
        f"{terms.starts_on} to {terms.ends_on}, {terms.days} days, drawn by "
        f"{terms.unit}."
    ]
    if terms.option:
        what = f"levers.{terms.lever}.{terms.option}"
        control, arm = f"{terms.control_value:g}", f"{terms.arm_value:g}"
    else:
        what, control, arm = f"The link {terms.link}", "whole", "cut"
    if terms.unit == "answer":
        lines.append(
            f"{what} is {control} in one ranking and {arm} in the other; every list is "
            "drafted from both, and clicks vote. It says which is clicked more, not "
            "what it earns."
        )
    elif terms.two_models:
        lines.append(
            f"{what} is {control} in the control and for whoever takes no part, {arm} "
            "in the arm."
        )
    if plan["units"]:
        told = ", ".join(f"{name} {n:,}" for name, n in plan["units"].items())
        lines.append(f"As drawn today: {told}.")
    if terms.unit == "geography":
        lines.append(
            f"{len(terms.places)} places in {len(terms.places) // 2} pairs; the "
            "interval is one of pairs, however many customers they hold."
        )
    lines.append(plan["sentence"])
    if plan["cost_minor"] is not None:
        lines.append(
            f"If the lever earns the {terms.wanted:.0%} wanted, leaving the control "
            f"alone forgoes {plan['cost_minor']:,} minor units."
        )
    return lines


def _said(record: Record) -> str:
    if record.standing is not None:
        return str(record.standing["sentence"])
    return record.why or "no look yet"


def _show(value: Any, lines: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
    else:
        print("\n".join(lines))
