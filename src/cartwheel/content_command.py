"""`cartwheel content`: page fixes as proposals, with their diff, applied and undone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from cartwheel.ledger.entry import Entry
    from cartwheel.shop import Shop

ShopOption = Annotated[
    Path,
    typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
IdsArgument = Annotated[list[str], typer.Argument(help="Ids of page fixes.")]

MAIL = "mail_paragraph"
ACTING = ("page_fix", MAIL)
OUTLINE = "guide_outline"
KINDS = (*ACTING, "page_task", OUTLINE)

app = typer.Typer(
    no_args_is_help=True,
    help="Mend product pages from the shop's own facts.",
)


@app.command()
def propose(
    shop: ShopOption = Path(),
    product: Annotated[
        str | None, typer.Option("--product", help="Of this product only.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what the last turn proposes for pages, and what facts are missing."""
    from cartwheel.ledger.store import list_decisions
    from cartwheel.shop import open_shop
    from cartwheel.turn.publish import turn_in_force

    opened = open_shop(shop)
    turn = turn_in_force(opened)
    subject = None if product is None else f"product:{product}"
    found = [
        entry
        for kind in KINDS
        for entry in list_decisions(
            opened.database, kind=kind, turn=turn, subject=subject, limit=None
        )
    ]
    if as_json:
        body = {"turn": turn, "proposals": [one.to_json() for one in found]}
        print(json.dumps(body, ensure_ascii=False))
        return
    print("\n".join(_listed(opened, found, turn)))


def _listed(shop: Shop, found: Sequence[Entry], turn: int) -> list[str]:
    from cartwheel.text.objections import CLASSES

    if not found:
        return [
            f"Turn {turn} proposes nothing for any page.",
            "It needs objections (cartwheel voice) and facts that answer them: "
            "attributes, answered questions, policies.",
        ]
    settings = shop.settings
    lines = []
    for one in found:
        name = CLASSES.get(str(one.action.get("objection")), "category").lower()
        stake = ""
        if one.worth_minor is not None:
            amount = one.worth_minor / 10**settings.minor_digits
            stake = f", {amount:,.0f} {settings.currency} a year at stake"
        if one.predicted is not None:
            value, low, high = (
                one.predicted[end] / 10**settings.minor_digits
                for end in ("value", "low", "high")
            )
            stake += f", takes back {value:,.0f} ({low:,.0f} to {high:,.0f})"
        what = str(one.action.get("form") or "facts are missing")
        if one.kind == OUTLINE:
            what = "a buying guide to write"
        lines.append(
            f"{one.id}  {one.state}  {one.subject.partition(':')[2]}  {name}: "
            f"{what}{stake}"
        )
        if one.refusal:
            lines.append(f"    left out: {one.refusal['reason']}")
        if one.kind == "page_task":
            lines += [f"    to find out: {text}" for text in one.action["questions"]]
        lines += [f"    to picture: {text}" for text in one.action.get("photos", ())]
    return lines


@app.command()
def show(
    decision: Annotated[str, typer.Argument(help="Id of a page fix.")],
    shop: ShopOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Show a page fix: what changes on the page, and the source of every sentence."""
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    entry = _fix(opened, decision, *ACTING, OUTLINE)
    if entry.kind != "page_fix":
        told = _mail(entry) if entry.kind == MAIL else _outline(entry)
        print("\n".join([json.dumps(entry.to_json())] if as_json else told))
        return
    body = _view(opened, entry)
    if as_json:
        print(json.dumps(body, ensure_ascii=False))
        return
    lines = [
        f"{body['id']}  {body['state']}  {body['product_id']} {body['title']}",
        body["reason"],
        f"Written by {body['writer']}, from the facts below.",
        *_service_told(body["service"]),
        "",
        *body["diff"],
        "",
    ]
    lines += _sources_told(body["said"])
    lines += _table_told(body["table"])
    if body["trouble"]:
        lines += ["", f"Not on the page: {body['trouble']}."]
    print("\n".join(lines))


def _sources_told(said: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for one in said:
        lines.append(f"{one['text']}")
        lines.append(f"    from {', '.join(one['sources'])}")
    return lines


def _mail(entry: Entry) -> list[str]:
    """Return a paragraph for mails, as people look at it before they say yes or no."""
    action = entry.action
    return [
        f"{entry.id}  {entry.state}  {entry.subject.partition(':')[2]}",
        entry.reason,
        f"Written by {action['writer']}, from the facts below.",
        *_service_told(entry.evidence.get("service") or {}),
        "",
        str(action["text"]),
        "",
        *_sources_told(action["said"]),
    ]


def _outline(entry: Entry) -> list[str]:
    """Return the outline of a buying guide, a line a question and a value."""
    lines = [f"{entry.id}  {entry.state}  {entry.action['category']}", entry.reason, ""]
    for one in entry.action["questions"]:
        open_ = "" if one["answered"] else ", not answered yet"
        lines.append(f"{one['question']}")
        lines.append(f"    asked {one['times']} times{open_}")
    for one in entry.action["attributes"]:
        lines += ["", f"By {one['name']}, unknown for {one['without']}:"]
        for value in one["values"]:
            names = ", ".join(product["title"] for product in value["first"])
            lines.append(f"    {value['value']}: {value['products']} ({names})")
    return lines


def _table_told(table: Mapping[str, Any] | None) -> list[str]:
    """Return the cells of a table, each with the product and fact it is of."""
    if table is None:
        return []
    titles = [one["title"] for one in table["products"]]
    lines = []
    for row in table["rows"]:
        lines.append(f"{row['attribute']}, {table['caption'].lower()}")
        lines += [
            f"    {title}: {cell['text']}, from {', '.join(cell['sources'])}"
            for title, cell in zip(titles, row["cells"], strict=True)
        ]
    return lines


def _service_told(service: Mapping[str, Any]) -> list[str]:
    """Return what became of a text service's draft, a line each."""
    lines = []
    if service.get("failed"):
        lines.append(f"The text service did not write it: {service['failed']}.")
    for one in service.get("blocked", ()):
        lines.append(f"    blocked: {one['text']!r}: {one['why']}")
    return lines


@app.command()
def apply(
    ids: IdsArgument,
    visitors: Annotated[
        bool,
        typer.Option(
            "--visitors", help="Show them to a test's visitors, not on the page."
        ),
    ] = False,
    shop: ShopOption = Path(),
) -> None:
    """Approve page fixes and write the pages for the platform's importer."""
    from cartwheel.channels.act import act, bring_to_page, show_to_visitors
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    fixes = [_fix(opened, one) for one in ids]
    if visitors:
        entries = show_to_visitors(opened, ids, actor="cli")
    else:
        # What visitors were shown has its yes already.
        moved = bring_to_page(opened, [one.id for one in fixes])
        ids = [one for one in ids if one not in moved]
        for name in moved:
            print(f"{name} goes to its page.")
        entries = act(opened, "approve", ids, actor="cli")
    for entry in entries:
        print(_came_of(opened, entry))
    _say_where(opened)


def _came_of(shop: Shop, entry: Entry) -> str:
    """Return what came of a yes, in a sentence."""
    body: Mapping[str, Any] = {} if entry.kind == MAIL else _view(shop, entry)
    if body.get("to_visitors"):
        return (
            f"{entry.id} is {entry.state}: visitors of a test's arm see it, and no "
            "page changes."
        )
    if body.get("trouble"):
        return f"{entry.id} is {entry.state}, not on the page: {body['trouble']}."
    if entry.state == "applied":
        return f"{entry.id} is applied."
    return (
        f"{entry.id} is {entry.state}; it is not carried out while its kind "
        f"is on suggest (autonomy.{entry.kind})."
    )


@app.command()
def undo(ids: IdsArgument, shop: ShopOption = Path()) -> None:
    """Take page fixes back: the page is what it was, byte for byte."""
    from cartwheel.channels.act import act
    from cartwheel.shop import open_shop

    opened = open_shop(shop)
    for one in ids:
        _fix(opened, one)
    for entry in act(opened, "undo", ids, actor="cli"):
        print(f"{entry.id} is {entry.state}.")
    _say_where(opened)


@app.command()
def score(shop: ShopOption = Path(), as_json: JsonOption = False) -> None:
    """Show what page fixes brought, against products held out from them."""
    from cartwheel.measure.page_fixes_page import NAME, published_score
    from cartwheel.shop import open_shop
    from cartwheel.turn.publish import turn_in_force

    opened = open_shop(shop)
    body = published_score(opened.database, turn_in_force(opened))
    if as_json:
        print(json.dumps({"page": NAME, **body}, ensure_ascii=False))
        return
    print("\n".join(_scored(body)))


def _scored(body: dict[str, Any]) -> list[str]:
    if body.get("failed"):
        return [f"It could not be told: {body['failed']}"]
    by_visitor = body.get("by_visitor", [])
    lines = [line for test in by_visitor for line in _scored_by_visitor(test)]
    if body.get("scores"):
        title = (
            f"{body['fixed']} products with a fix against {body['held_out']} held out, "
            f"since {body['since']}."
        )
        return [title, *_score_lines(body["scores"]), *lines]
    if lines:
        return lines
    return [
        "Not yet: nobody is held out from page fixes.",
        "Start a test by product: cartwheel experiment create NAME --lever content "
        "--unit product",
    ]


def _scored_by_visitor(test: dict[str, Any]) -> list[str]:
    ends = "" if test["over"] else " (still running: read it after its last day)"
    return [
        f"{test['name']}: {test['fixed']:,} visitors shown fixes against "
        f"{test['held_out']:,} not, {test['since']} to {test['until']}{ends}.",
        *_score_lines(test["scores"]),
    ]


def _score_lines(scores: list[dict[str, Any]]) -> list[str]:
    lines = []
    for one in scores:
        found = one["found"]
        if found is None:
            lines.append(f"  {one['metric']}: not yet, {one['lacks']}")
            continue
        lines.append(
            f"  {one['metric']}: {found['arm_value']:.4g} against "
            f"{found['control_value']:.4g}, {found['effect']:+.4g} "
            f"({found['low']:+.4g} to {found['high']:+.4g}), p {one['p_value']:.3f} "
            "corrected"
        )
    return lines


def _say_where(shop: Shop) -> None:
    from cartwheel.channels.mail_paragraphs import FILE as MAIL_FILE
    from cartwheel.channels.pages import FILE

    for file, where in ((FILE, "the platform's importer"), (MAIL_FILE, "order mails")):
        path = shop.outbox / file
        if path.exists():
            print(f"Bring {path} to {where}.")


def _fix(shop: Shop, decision: str, *kinds: str) -> Entry:
    """Return a decision of some kinds, of those that act where none is named."""
    from cartwheel.ledger.store import find

    entry = find(shop.database, decision)
    if entry.kind not in (kinds or ACTING):
        raise Misuse(
            f"Decision {entry.id} is a {entry.kind}, not a page fix or a paragraph "
            "for mails.",
            "List both with: cartwheel content propose",
        )
    return entry


def _view(shop: Shop, entry: Entry) -> dict[str, Any]:
    """Return a page fix as JSON values, with its diff and what keeps it off the page.

    Args:
        shop: The shop.
        entry: A decision of the kind `page_fix`.
    """
    from cartwheel.channels.pages import fix_views

    return fix_views(shop, [entry])[0]
