"""What was shown when somebody corrected it, and whether what they say of it fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cartwheel.errors import Conflict, Misuse
from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.objections.corrections import (
    DISMISS,
    LONGEST_TITLE,
    MERGE,
    MOVE,
    NOT_THIS,
    OF_A_SENTENCE,
    SPLIT,
    TEACH,
    Standing,
    read_title,
    read_words,
)

MOST_SPLITS = 5
"""Themes of their own beneath one class."""

MOST_OWN = 20
"""Themes of their own beneath no class."""

OF_A_CLASS = (NOT_THIS, MOVE, MERGE, SPLIT)
OF_A_NEW_THEME = (SPLIT, TEACH, DISMISS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was shown when somebody said something of it.

    Attributes:
        objection: Class whose sentences were shown, "" for a new theme.
        keys: Fingerprints of sentences that were shown together.
        fresh: The new theme, as the turn published it; None for a class.
    """

    objection: str = ""
    keys: tuple[str, ...] = ()
    fresh: Mapping[str, Any] | None = None


def check_said(typed: Mapping[str, str], shown: Shown) -> dict[str, str]:
    """Return the columns of the record that a kind of correction has.

    Args:
        typed: `kind`, and what that kind needs: `sentence`, `into`, `words`, `title`.
        shown: What it is said of.

    Raises:
        Misuse: If a value does not fit, or the sentence was not shown.
    """
    kind = typed.get("kind", "")
    known = OF_A_CLASS if shown.fresh is None else OF_A_NEW_THEME
    if kind not in known:
        raise Misuse(
            f"The correction is {kind[:50]!r}.", f"Use one of {', '.join(known)}."
        )
    if shown.fresh is not None:
        return _of_new_theme(kind, typed, shown.fresh)
    found = {"kind": kind, "objection": shown.objection}
    if kind in (MOVE, MERGE):
        found["into_objection"] = _class(typed.get("into", ""), shown.objection)
    if kind in OF_A_SENTENCE:
        key = typed.get("sentence", "")
        if key not in shown.keys:
            raise Misuse(
                "The published turn quotes no such sentence here.",
                "Open the page again; a turn may have been published meanwhile.",
            )
        found["sentence"] = key
        found["beside"] = " ".join(one for one in shown.keys if one != key)
    if kind == SPLIT:
        found["words"] = "\n".join(read_words(typed.get("words", "")))
        found["title"] = read_title(typed.get("title", ""))
    return found


def check_new(said: Mapping[str, Any], stands: Standing) -> None:
    """Refuse what is said already, and what would have no effect.

    Args:
        said: Columns of the record.
        stands: What stands.

    Raises:
        Conflict: Naming what stands.
    """
    kind, objection = said["kind"], said["objection"] or ""
    if kind in OF_A_SENTENCE:
        instead = said["into_objection"] or ""
        if stands.sentences.get((said["sentence"], objection)) == instead:
            raise Conflict(
                "This sentence is corrected so already.", "The next turn reads it so."
            )
    if kind == MERGE:
        _check_merge(objection, said["into_objection"], stands)
    if kind == SPLIT:
        _check_split(objection, said["title"], stands)
    if not objection:
        _check_untold(said["words"].split("\n"), stands)


def _of_new_theme(
    kind: str, typed: Mapping[str, str], fresh: Mapping[str, Any]
) -> dict[str, str]:
    found = {
        "kind": kind,
        "words": "\n".join(fresh["words"]),
        "title": str(fresh["title"])[:LONGEST_TITLE],
    }
    if kind == TEACH:
        found["into_objection"] = _class(typed.get("into", ""), "")
    if kind == SPLIT:
        found["title"] = read_title(typed.get("title", ""))
    return found


def _class(name: str, objection: str) -> str:
    if name not in CLASSES or name == objection:
        raise Misuse(
            f"The other theme is {name[:50]!r}.",
            f"Choose another of the themes: {', '.join(CLASSES)}.",
        )
    return name


def _check_merge(objection: str, into: str, stands: Standing) -> None:
    if stands.counted_as(into) == objection:
        raise Conflict(
            f"{CLASSES[into]} is counted under {CLASSES[objection]} already.",
            "Take that back first.",
        )
    if stands.counted_as(objection) != objection:
        raise Conflict(
            f"{CLASSES[objection]} is counted under another theme already.",
            "Take that back first.",
        )


def _check_split(objection: str, title: str, stands: Standing) -> None:
    beside = [one for one in stands.splits if one.objection == objection]
    titles = {one.title.casefold() for one in beside}
    most = MOST_SPLITS if objection else MOST_OWN
    if title.casefold() in titles or len(beside) >= most:
        where = f"beneath {CLASSES[objection]}" if objection else "of the shop's own"
        raise Conflict(
            f"There are {len(beside)} themes {where}, at most {most} of different "
            "names.",
            "Choose another name, or take one back.",
        )


def _check_untold(words: Iterable[str], stands: Standing) -> None:
    told = stands.told_of(words)
    if told is not None:
        raise Conflict(
            f"Something is said of this theme already: {told.title!r}, {told.kind}.",
            "The next turn reads it so; take that back first to say something else.",
        )
