"""`cartwheel voice`: what the published turn found that customers object to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Conflict, Misuse, NotFound
from cartwheel.voice_correcting import correct, corrections

if TYPE_CHECKING:
    from cartwheel.levers.base import Model
    from cartwheel.shop import Shop

MONEY = ("stake_minor", "low_minor", "high_minor")


app = typer.Typer(invoke_without_command=True)
app.command()(correct)
app.command()(corrections)


@app.callback()
def voice(
    context: typer.Context,
    shop: Annotated[
        Path,
        typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
    ] = Path(),
    product: Annotated[
        str | None, typer.Option("--product", help="Of this product only.")
    ] = None,
    objection: Annotated[
        str | None, typer.Option("--objection", help="Of this class only.")
    ] = None,
    top: Annotated[
        int,
        typer.Option("--top", min=1, max=10_000, help="Most products and objections."),
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what customers object to, by money at stake, in their own words."""
    from cartwheel.shop import open_shop

    if context.invoked_subcommand is not None:
        return
    opened = open_shop(shop)
    number, model = read_voice(opened)
    body = themes(model, product=product, objection=objection, top=top)
    if as_json:
        print(json.dumps({"turn": number, **body}, ensure_ascii=False))
        return
    settings = opened.settings
    print("\n".join(to_lines(body, settings.currency, settings.minor_digits)))


def read_voice(shop: Shop) -> tuple[int, Model]:
    """Return the number of the published turn and its model of what is said.

    Raises:
        Conflict: If no turn is published, or the lever had no model in it.
    """
    from cartwheel.turn.publish import turn_in_force
    from cartwheel.turn.steps import stage_of

    number = turn_in_force(shop)
    model = stage_of(shop, number).read_model("voice")
    if model is None or "said" not in model.arrays:
        raise Conflict(
            f"Turn {number} read no texts.",
            "Import reviews, mail or returns, then turn the wheel: cartwheel turn",
        )
    return number, model


def themes(
    model: Model, *, product: str | None, objection: str | None, top: int
) -> dict[str, Any]:
    """Return objections of the whole shop, and by product, as JSON values.

    Args:
        model: The model of the lever `voice`.
        product: Only this product.
        objection: Only this class.
        top: Most rows by product.

    Raises:
        NotFound: If nothing was said of the product.
        Misuse: If there is no such class.
    """
    from cartwheel.levers.voice.small_themes import fresh_of, splits_of
    from cartwheel.text.objections.classes import CLASSES

    classes = list(CLASSES)
    if objection is not None and objection not in CLASSES:
        raise Misuse(
            f"There is no class of objections {objection[:100]!r}.",
            f"Choose one of {', '.join(classes)}.",
        )
    if product is not None and product not in model.arrays["product_id"].tolist():
        raise NotFound(
            f"No text of a year is about a product {product[:100]!r}.",
            "See the products that are written about: cartwheel voice",
        )
    kinds = [at for at, name in enumerate(classes) if objection in (None, name)]
    return {
        "texts": model.meta["texts"],
        "raising": model.meta["raising"],
        "objections": _whole_shop(model, classes, kinds),
        "products": _by_product(model, classes, kinds, product)[:top],
        # A model of a turn before corrections were known has neither.
        "merged": dict(model.meta.get("merged", {})),
        "lessons": list(model.meta.get("lessons", [])),
        "searches": [] if product else _searches(model, objection)[:top],
        "own": [one for one in splits_of(model) if not one["objection"]],
        "fresh": fresh_of(model),
    }


def _whole_shop(
    model: Model, classes: list[str], kinds: list[int]
) -> list[dict[str, Any]]:
    from cartwheel.levers.voice.board import costliest, over_the_shop
    from cartwheel.levers.voice.small_themes import splits_of

    splits = splits_of(model)
    return costliest(
        {
            **over_the_shop(model, at),
            "splits": [one for one in splits if one["objection"] == classes[at]],
        }
        for at in kinds
        if model.arrays["said"][:, at].any()
    )


def _searches(model: Model, objection: str | None) -> list[dict[str, Any]]:
    """Return searches without result, of a class only those that its words raise."""
    from cartwheel.levers.voice.searched import searches_of

    found = searches_of(model)
    return [one for one in found if objection in (None, one["objection"])]


def _by_product(
    model: Model, classes: list[str], kinds: list[int], product: str | None
) -> list[dict[str, Any]]:
    import numpy as np

    from cartwheel.levers.voice.board import costliest
    from cartwheel.levers.voice.learn import money_of
    from cartwheel.levers.voice.quotes import quotes_by_place

    arrays, quotes = model.arrays, quotes_by_place(model)
    names = arrays["product_id"]
    wanted = names == product if product else names != ""
    places = np.argwhere((arrays["said"] > 0) & wanted[:, None]).tolist()
    return costliest(
        {
            "product_id": str(names[one]),
            "title": str(arrays["title"][one]),
            "objection": classes[at],
            "mentions": int(arrays["said"][one, at]),
            "texts": int(arrays["texts"][one]),
            "returned_units": int(arrays["returned"][one, at]),
            **dict(zip(MONEY, money_of(arrays["stake"][one, at]), strict=True)),
            "quotes": quotes.get((one, at), []),
        }
        for one, at in places
        if at in kinds
    )


def to_lines(body: dict[str, Any], currency: str, digits: int) -> list[str]:
    """Return the objections for people."""
    from cartwheel.text.objections.classes import CLASSES

    def at_stake(row: dict[str, Any]) -> str:
        if row["stake_minor"] is None:
            return "money at stake not known"
        amounts = [f"{row[name] / 10**digits:,.0f}" for name in MONEY]
        point, low, high = amounts
        return f"{currency} {point} a year at stake ({low} to {high})"

    lines = [
        f"{body['raising']:,} of {body['texts']:,} texts of a year raise an objection."
    ]
    for row in body["objections"]:
        merged = [
            CLASSES[one].lower()
            for one, into in body["merged"].items()
            if into == row["objection"]
        ]
        name = " with ".join([CLASSES[row["objection"]], *merged])
        glum = row["displeased"]
        mood = "" if glum is None else f" {glum:,} displeased;"
        lines.append(f"  {name}: {_counts(row)};{mood} {at_stake(row)}")
        lines += [f"    {one['title']}: {_counts(one)}" for one in row["splits"]]
    lines += [f"  {_lesson(one)}" for one in body["lessons"]]
    lines += [f"  Your own, {one['title']}: {_counts(one)}" for one in body["own"]]
    lines += [f"  New, {_fresh(one)}" for one in body["fresh"]]
    if body["searches"]:
        lines += ["", "Searched for in 90 days and not found; counted in no theme:"]
    lines += [_search(one, currency, digits) for one in body["searches"]]
    if body["products"]:
        lines += ["", "By product:"]
    for row in body["products"]:
        objection = CLASSES[row["objection"]].lower()
        lines.append(
            f"  {row['product_id']} {row['title']}, {objection}: "
            f"{row['mentions']:,} texts, {row['returned_units']:,} units back; "
            f"{at_stake(row)}"
        )
        lines += [f'    "{" ".join(quote.split())}"' for quote in row["quotes"]]
    return lines


def _counts(row: Mapping[str, Any]) -> str:
    rises = ", rising" if row["rising"] else ""
    return (
        f"{row['mentions']:,} texts, {row['recent']:,} in the last 28 days, "
        f"{row['before']:,} in the 28 before{rises}"
    )


def _search(one: Mapping[str, Any], currency: str, digits: int) -> str:
    """Return a search without result in a line."""
    from cartwheel.text.objections.classes import CLASSES

    said = f'  "{" ".join(one["query"].split())}": {one["without_result"]:,} of '
    said += f"{one['searches']:,} searches"
    if one["category"]:
        said += f", asks for {one['category']}"
    if one["sold_out"]:
        said += f", {one['sold_out']:,} products sold out"
    if one["missed_minor"] is not None:
        said += f"; {currency} {one['missed_minor'] / 10**digits:,.0f} missed at most"
    raised = CLASSES.get(one["objection"], "").lower()
    return said + (f"; words of {raised}" if raised else "")


def _fresh(theme: Mapping[str, Any]) -> str:
    place = "" if theme["place"] == "shop" else f", mostly {theme['where']}"
    return f"fits no class: {theme['title']} ({theme['key']}){place}: {_counts(theme)}"


def _lesson(lesson: Mapping[str, Any]) -> str:
    """Return what corrections taught, in a sentence."""
    from cartwheel.text.objections.classes import CLASSES

    words = ", ".join(f'"{one}"' for one in lesson["words"])
    into = CLASSES.get(lesson["into_objection"], "").lower()
    instead = f" but as {into}" if into else ""
    rule = " and what else the same rule meets" if lesson["whole"] else ""
    units = "phrases were wrong" if lesson["whole"] else "were corrected"
    return (
        f"No longer read as {CLASSES[lesson['objection']].lower()}{instead}: "
        f"{words}{rule}; {lesson['corrected']} of {lesson['seen']} {units}."
    )
