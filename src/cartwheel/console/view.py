"""What every page shares: templates, the frame around a page, answers to a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from cartwheel.api.security import User, current_user
from cartwheel.channels.purchase_order import order_cost
from cartwheel.console import formatting, words
from cartwheel.console.formatting import Formatter
from cartwheel.console.published import (
    Published,
    latest_turn,
    read_published,
    read_titles,
)
from cartwheel.contacts import count_waiting
from cartwheel.ledger.entry import UNDO, Entry
from cartwheel.ledger.store import count_decisions

if TYPE_CHECKING:
    from cartwheel.shop import Shop

FOLDER = Path(__file__).parent
DONE_WORDS = {
    "approve": ("approved", "is approved"),
    "reject": ("rejected", "is rejected"),
    "undo": ("undone", "is taken back"),
    "edit": ("saved", "is saved"),
}
"""What a form did, by the verb in its address: for many decisions, for one."""

_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(
    kind_title=words.kind_title,
    order_cost=order_cost,
    state_words=words.STATE_WORDS,
    title_of=formatting.title_of,
    quote=partial(quote, safe=""),
)


def shop_of(request: Request) -> Shop:
    """Return the shop this server serves."""
    shop: Shop = request.app.state.shop
    return shop


def formatter_of(request: Request) -> Formatter:
    """Return what writes values for this shop."""
    settings = shop_of(request).settings
    return Formatter(
        currency=settings.currency,
        minor_digits=settings.minor_digits,
        timezone=settings.timezone,
    )


def page(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    published: Published | None = None,
    status: int = 200,
) -> HTMLResponse:
    """Return a page inside the console's frame."""
    engine = shop_of(request).database
    if published is None:
        published = read_published(engine)
    frame = {
        "published": published,
        "levers": published.levers,
        "waiting": count_decisions(engine, state="proposed"),
        "asking": count_waiting(engine),
        "path": request.url.path,
        "here": here(request),
        "done": done_message(request),
    }
    return draw(request, template, {**frame, **values}, status=status)


def draw(
    request: Request, template: str, values: Mapping[str, Any], *, status: int = 200
) -> HTMLResponse:
    """Return a template drawn without reading anything for the frame."""
    user = current_user(request)
    fmt = formatter_of(request)
    context = {
        "fmt": fmt,
        "subject_title": _late_titles(request),
        "shop": shop_of(request).settings,
        "user": user,
        "lever_title": words.lever_title,
        "may_act": may_act(user),
        "undoable": {state.value for state in UNDO},
        "action_text": partial(words.action_text, fmt=fmt),
        "field_rows": partial(words.field_rows, fmt=fmt),
        "figure_text": partial(formatting.figure_text, fmt=fmt),
        "interval_text": partial(formatting.interval_text, fmt=fmt),
        "ago": partial(formatting.ago, now=datetime.now(UTC)),
        "here": "/",
        **values,
    }
    text = _environment.get_template(template).render(context)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def titled(request: Request) -> Callable[[Entry], str]:
    """Return what names a decision's subject by the published titles."""
    engine = shop_of(request).database
    titles = read_titles(engine, latest_turn(engine))
    return partial(words.subject_title, titles=titles)


def _late_titles(request: Request) -> Callable[[Entry], str]:
    # Read on first use: a sign-in or error page names no decision and reads nothing.
    found: list[Callable[[Entry], str]] = []

    def name(entry: Entry) -> str:
        if not found:
            found.append(titled(request))
        return found[0](entry)

    return name


def may_act(user: User | None) -> bool:
    """Return whether buttons are shown; the routes check again."""
    return user is not None and user.role == "owner"


def here(request: Request) -> str:
    """Return this page's own address, for a form to come back to."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "done"]
    query = urlencode(kept)
    return request.url.path + (f"?{query}" if query else "")


def back(to: str, done: str = "") -> RedirectResponse:
    """Return to a page of this console after a form was sent.

    Args:
        to: Address to return to; one that leaves this console is replaced.
        done: What was done, as `done_message` reads it.
    """
    if not to.startswith("/") or to.startswith("//") or "\\" in to or len(to) > 2000:
        to = "/"
    if any(ord(c) < 33 or ord(c) == 127 for c in to):
        to = "/"
    if done:
        path, _, fragment = to.partition("#")
        to = f"{path}{'&' if '?' in path else '?'}done={quote(done, safe='.')}"
        to += f"#{fragment}" if fragment else ""
    return RedirectResponse(quote(to, safe="/?&=#%:+,;@"), status_code=303)


def wants_partial(request: Request) -> bool:
    """Return whether the page's script sent the form and swaps one element."""
    return "x-partial" in request.headers


def done_message(request: Request) -> dict[str, str] | None:
    """Return what the form before this page did, as `verb.count.id`.

    Only known verbs and numbers are turned into words, so a link made by somebody
    else cannot put words on the page.
    """
    verb, _, rest = request.query_params.get("done", "").partition(".")
    count, _, decision = rest.partition(".")
    if verb == "turn":
        return {"text": "A turn is asked for.", "undo": ""}
    if verb == "live":
        return {"text": "A week is asked for.", "undo": ""}
    if verb == "rule":
        return {"text": "The rule is in force.", "undo": ""}
    if verb == "unrule":
        return {"text": "The rule is ended.", "undo": ""}
    if verb == "begin":
        return {"text": "The experiment is on record.", "undo": ""}
    if verb == "stop":
        text = "It is stopped; decisions act on everybody again from the next turn on."
        return {"text": text, "undo": ""}
    if verb in ("correct", "uncorrect"):
        said = "is on record" if verb == "correct" else "is taken back"
        text = f"The correction {said}; it acts from the next turn on."
        return {"text": text, "undo": ""}
    if verb in ("cut", "restore"):
        text = "The change acts from the next turn on."
        return {"text": text, "undo": ""}
    if verb not in DONE_WORDS or not count.isdecimal() or len(count) > 6:
        return None
    many, one = DONE_WORDS[verb]
    if int(count) == 1:
        text = f"The decision {one}."
    else:
        text = f"{int(count):,} decisions {many}."
    undo = decision if verb in ("approve", "reject") and int(count) == 1 else ""
    return {"text": text, "undo": undo}
