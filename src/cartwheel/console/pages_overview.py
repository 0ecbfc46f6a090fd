"""Overview: what to do next, the wheel with live values, how fresh the data is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cartwheel.api.security import User, owner, viewer
from cartwheel.console.arrivals import MINUTES, read_arrivals, seconds_ago
from cartwheel.console.changes import with_changes
from cartwheel.console.charts import WheelLink, WheelNode, wheel
from cartwheel.console.formatting import title_of
from cartwheel.console.pages_living import world_values
from cartwheel.console.published import (
    Published,
    ask_for,
    read_page,
    read_progress,
    read_published,
    turn_before,
)
from cartwheel.console.view import back, draw, formatter_of, page, shop_of
from cartwheel.errors import Conflict
from cartwheel.ledger.store import list_decisions
from cartwheel.wheel import (
    cut_link,
    find_levers,
    find_links,
    parse_link,
    read_cuts,
    restore_link,
)

MOST_ACTIONS = 12
OPEN_ACTIONS = 6
"""Actions shown at once; the others of the dozen are one click away."""

router = APIRouter()


@router.get("/")
def overview(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show the overview, or the first steps when nothing was published yet."""
    engine = shop_of(request).database
    published = read_published(engine)
    progress = read_progress(engine)
    if published.turn is None:
        values: dict[str, Any] = {"progress": progress, **arrival_values(request)}
        return page(request, "welcome.html", values, published=published)
    nodes, links = wheel_parts(published)
    number = turn_before(engine, published.turn)
    before = read_page(engine, number, "overview") or {}
    values = {
        "progress": progress,
        **arrival_values(request),
        "world": world_values(request),
        "before": number,
        "figures": with_changes(
            published.overview.get("figures") or [],
            before.get("figures") or [],
            formatter_of(request),
        ),
        "actions": list_decisions(
            engine, state="proposed", turn=published.turn, limit=MOST_ACTIONS
        ),
        "wheel": wheel(nodes, links, "The wheel: levers and the signals between them"),
        "links": link_rows(published, read_cuts(engine), before.get("links") or []),
        "lever_names": {str(x.get("name")) for x in published.levers},
        "freshness": published.overview.get("freshness") or [],
        "missing": published.overview.get("missing") or [],
        "holdout": published.overview.get("holdout") or {},
        "as_of": published.overview.get("as_of"),
        "open_actions": OPEN_ACTIONS,
    }
    if progress is None and request.query_params.get("done") in ("turn", "live"):
        values["done"] = None  # what was asked for is over
    return page(request, "overview.html", values, published=published)


@router.get("/progress")
def progress(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show how the present turn goes; the page's script asks for it now and then."""
    values = {"progress": read_progress(shop_of(request).database)}
    return draw(request, "progress.html", values)


@router.get("/arrivals")
def arrivals(request: Request, user: Annotated[User, Depends(viewer)]) -> HTMLResponse:
    """Show what came in just now; the page's script asks for it now and then."""
    return draw(request, "arrivals.html", arrival_values(request))


def arrival_values(request: Request) -> dict[str, Any]:
    """Return what the line about the newest events says."""
    now = datetime.now(UTC)
    found = read_arrivals(shop_of(request).database, now)
    return {
        "arrivals": found,
        "arrivals_minutes": MINUTES,
        "arrivals_ago": seconds_ago(found.newest_at, now),
    }


@router.post("/turn")
def turn(request: Request, user: Annotated[User, Depends(owner)]) -> RedirectResponse:
    """Ask the worker for a turn."""
    if not ask_for(shop_of(request).database, "turn", actor=user.name):
        raise Conflict(
            "A turn or a week waits or runs already.",
            "Wait for it; the overview shows how far.",
        )
    return back("/", "turn")


@router.post("/links")
def change_link(
    request: Request,
    user: Annotated[User, Depends(owner)],
    link: Annotated[str, Form(max_length=300)],
    change: Annotated[str, Form(pattern="^(cut|restore)$")],
) -> Response:
    """Cut or restore a link from the next turn on."""
    engine = shop_of(request).database
    found = parse_link(link, find_links(find_levers()))
    if change == "cut":
        cut_link(engine, found, actor=user.name)
    else:
        restore_link(engine, found)
    return back("/#links", change)


def wheel_parts(
    published: Published,
) -> tuple[list[WheelNode], list[WheelLink]]:
    """Return the wheel's nodes and links from a turn's published overview."""
    levers = published.levers
    names = {str(x.get("name")) for x in levers}
    rows = published.overview.get("links") or []
    links = [
        WheelLink(
            start=source_of(row, names),
            end=str(row.get("to")),
            signal=str(row.get("signal")),
            value=str(row.get("value") or ""),
            state="cut" if row.get("cut") else str(row.get("state") or "live"),
        )
        for row in rows
    ]
    # A lever's own signal read back by itself is no link to another lever.
    links = [link for link in links if link.start != link.end]
    sources = dict.fromkeys(
        name for link in links for name in (link.start, link.end) if name not in names
    )
    nodes = [_lever_node(x) for x in sorted(levers, key=_by_group)]
    nodes += [_source_node(name, links) for name in sources]
    return nodes, links


def source_of(row: Mapping[str, Any], levers: set[str]) -> str:
    """Return the node a link leaves: a lever, or the signal made from the lake."""
    start = str(row.get("from"))
    return start if start in levers else str(row.get("signal") or start)


def link_rows(
    published: Published,
    cuts: frozenset[str],
    before: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return the links as a table: what flows, between whom, cut now or not.

    Args:
        published: The turn in force.
        cuts: Links cut from the next turn on.
        before: Links as the turn before published them.
    """
    earlier = {str(row.get("name")): str(row.get("value") or "") for row in before}
    levers = {str(x.get("name")) for x in published.levers}
    rows = []
    for row in published.overview.get("links") or []:
        name = f"{row.get('signal')}→{row.get('to')}"
        rows.append(
            {
                "name": name,
                "signal": str(row.get("signal")),
                "start": source_of(row, levers),
                "end": str(row.get("to")),
                "value": str(row.get("value") or ""),
                "was": earlier.get(str(row.get("name")), ""),
                "doc": str(row.get("doc") or ""),
                "state": "cut" if row.get("cut") else str(row.get("state") or "live"),
                "cut_next": name in cuts,
            }
        )
    return sorted(rows, key=lambda r: (r["end"], r["signal"]))


def _by_group(lever: Mapping[str, Any]) -> tuple[int, str]:
    order = ("growth", "profitability", "value chain", "productivity")
    group = str(lever.get("group"))
    return (order.index(group) if group in order else 9, str(lever.get("name")))


def _lever_node(lever: Mapping[str, Any]) -> WheelNode:
    name, state = str(lever.get("name")), str(lever.get("state") or "")
    count = int(lever.get("decisions") or 0)
    decided = f"{count:,} decision{'' if count == 1 else 's'}"
    return WheelNode(
        name=name,
        title=str(lever.get("title") or title_of(name)),
        detail=decided if count or state == "healthy" else state,
        group=str(lever.get("group") or "growth").replace(" ", "-"),
        state=state,
        href=f"/levers/{name}",
    )


def _source_node(name: str, links: Sequence[WheelLink]) -> WheelNode:
    out = [x for x in links if x.start == name]
    shown = next((x for x in out if x.state != "cut"), out[0] if out else None)
    return WheelNode(
        name=name,
        title=title_of(name),
        detail="" if shown is None else shown.value,
        state="stale" if any(x.state == "stale" for x in out) else "",
    )
