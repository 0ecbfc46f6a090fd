"""`cartwheel voice correct` and `corrections`: what the console's page Voice does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartwheel.errors import Misuse, NotFound

if TYPE_CHECKING:
    from cartwheel.shop import Shop
    from cartwheel.voice_desk import Shown

KINDS = {
    "not-this": "not_this",
    "move": "move",
    "merge": "merge",
    "split": "split",
    "keep": "split",
    "teach": "teach",
    "dismiss": "dismiss",
}
"""Kind on the record by what is typed; besides, take-back."""

OF_NEW = ("keep", "teach", "dismiss")
TAKE_BACK = "take-back"
ACTOR = "cli"

ShopOption = Annotated[
    Path,
    typer.Option("--shop", envvar="CARTWHEEL_SHOP", help="Folder of the shop."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def correct(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(KINDS)} or {TAKE_BACK}.")],
    subject: Annotated[
        str,
        typer.Argument(help="Class; new theme's key or name; id of a correction."),
    ],
    shop: ShopOption = Path(),
    product: Annotated[
        str | None, typer.Option("--product", help="Product of the sentence.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Own theme the sentence is shown in.")
    ] = None,
    sentence: Annotated[
        str, typer.Option("--sentence", help="The sentence, as it is quoted.")
    ] = "",
    into: Annotated[str, typer.Option("--into", help="Class instead.")] = "",
    words: Annotated[
        str, typer.Option("--words", help="Words of an own theme, commas between.")
    ] = "",
    title: Annotated[str, typer.Option("--title", help="Name of an own theme.")] = "",
    who: Annotated[
        str, typer.Option("--who", help="Owner on record who says it; else cli.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Correct how texts are read, from the next turn on, as on the page Voice."""
    from cartwheel.shop import open_shop
    from cartwheel.voice_desk import add_correction, take_back

    opened = open_shop(shop)
    actor = _actor(opened, who)
    if kind == TAKE_BACK:
        take_back(opened.database, subject, actor)
        name, said = subject, "is taken back"
    elif kind in KINDS:
        typed = {"kind": KINDS[kind], "into": into, "words": words, "title": title}
        shown, key = _shown(opened, kind, subject, (product, split, sentence))
        typed["sentence"] = key
        name = add_correction(opened.database, typed, shown, actor)
        said = "is on record"
    else:
        raise Misuse(
            f"The correction is {kind[:50]!r}.",
            f"Use one of {', '.join(KINDS)}, {TAKE_BACK}.",
        )
    if as_json:
        print(json.dumps({"correction_id": name, "kind": kind, "by": actor}))
    else:
        print(f"Correction {name} {said}; it acts from the next turn on.")


def corrections(shop: ShopOption = Path(), as_json: JsonOption = False) -> None:
    """List the corrections that stand, and those taken back."""
    from cartwheel.shop import open_shop
    from cartwheel.voice_desk import describe_record, read_record

    opened = open_shop(shop)
    stand, ended = describe_record(read_record(opened.database), _published(opened))
    if as_json:
        body = {"standing": stand, "taken_back": ended}
        print(json.dumps(body, ensure_ascii=False))
        return
    lines = [_line(row) for row in stand] or ["No correction stands."]
    lines += [f"{_line(row)}; taken back by {row['back']['made_by']}" for row in ended]
    print("\n".join(lines))


def _actor(shop: Shop, who: str) -> str:
    """Return who is put on record: an owner of the shop, or the command line.

    Raises:
        Misuse: If somebody else is named.
    """
    from sqlalchemy import select

    from cartwheel.operations import reading, users

    if not who:
        return ACTOR
    with reading(shop.database) as con:
        query = select(users.c.role).where(users.c.name == who)
        role = con.execute(query).scalar()
    if role != "owner":
        raise Misuse(
            f"{who[:50]!r} is {'a viewer' if role else 'nobody'} of this shop.",
            "Only an owner corrects; name one, or leave --who out.",
        )
    return who


def _published(shop: Shop) -> dict[str, Any]:
    from cartwheel.operations import page_data
    from cartwheel.turn.publish import turn_in_force

    number = turn_in_force(shop)
    return page_data(shop.database, "voice", number) or {}


def _shown(
    shop: Shop, kind: str, subject: str, place: tuple[str | None, str | None, str]
) -> tuple[Shown, str]:
    """Return what the published turn shows there, and the sentence's fingerprint.

    Raises:
        Misuse: If a sentence is needed and its product or text is not given.
        NotFound: If the published turn shows no such thing.
    """
    from cartwheel.voice_desk import Shown, find_fresh, find_place

    published = _published(shop)
    if kind in OF_NEW:
        titled = (
            str(one["key"])
            for one in published.get("fresh", ())
            if one["title"] == subject
        )
        return Shown(fresh=find_fresh(published, next(titled, subject))), ""
    product, split, sentence = place
    if kind not in ("not-this", "move"):
        return find_place(published, subject, None, None).shown, ""
    if product is None or not sentence:
        raise Misuse(
            f"{kind} is said of one sentence.",
            "Name its --product and give the --sentence as it is quoted.",
        )
    found = find_place(published, subject, product, split)
    return found.shown, _key(found.quotes, sentence)


def _key(quotes: list[Mapping[str, Any]], sentence: str) -> str:
    from cartwheel.text.objections import sentence_key

    typed = sentence_key(sentence)
    for one in quotes:
        if typed in (one["key"], sentence_key(str(one["text"]))):
            return str(one["key"])
    raise NotFound(
        f"The published turn quotes no sentence {sentence[:80]!r} here.",
        "See what it quotes: cartwheel voice --product PRODUCT",
    )


def _line(row: Mapping[str, Any]) -> str:
    about = row["objection"] or row["title"] or ""
    into = f" into {row['into_objection']}" if row["into_objection"] else ""
    title = f" {row['title']!r}" if row["objection"] and row["title"] else ""
    acts = "" if row["acts"] or row["back"] else ", from the next turn on"
    said = f': "{row["said"][0]}"' if row["said"][0] else ""
    return (
        f"{row['correction_id']}  {row['kind']} {about}{title}{into}{said} "
        f"({row['made_by']}, {row['made_at'][:10]}{acts})"
    )
