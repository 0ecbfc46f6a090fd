"""A block of text in a product's page: how it is written, found and taken out again.

A block is added at the end of a page, between marks that hold its fingerprint, and
nothing else of the page is touched; so taking it out gives back every byte that was
there, and what somebody changed elsewhere in the meantime stays theirs.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cartwheel.text.page_table import Comparison

Markup = Literal["html", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a block.

    Attributes:
        text: What it says.
        question: Question it answers, "" for none.
    """

    text: str
    question: str = ""


def digest(text: str) -> str:
    """Return the fingerprint of a page's text."""
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def page_of(page: Mapping[str, Any]) -> tuple[str, Markup]:
    """Return a page's text as the platform holds it, and how it is written.

    Args:
        page: A product's `page_html` and `description`.
    """
    if page.get("page_html"):
        return str(page["page_html"]), "html"
    return str(page.get("description") or ""), "text"


def block_of(
    heading: str,
    said: Iterable[Mapping[str, Any]],
    markup: Markup,
    table: Comparison | None = None,
) -> str:
    """Return the block that says what a page fix declares sentence by sentence.

    Args:
        heading: Heading.
        said: Objects with `text`, `question` ("" for none) and, for a sentence that
            stands in a paragraph, a true `paragraph`.
        markup: How the page is written.
        table: The product beside others, if it shows them.
    """
    lines, asked, prose = _sorted(said)
    return write_block(heading, lines, asked, markup, paragraph=prose, table=table)


def _sorted(
    said: Iterable[Mapping[str, Any]],
) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Return lines, answered questions and sentences of a paragraph."""
    lines: list[Entry] = []
    asked: list[Entry] = []
    prose: list[Entry] = []
    for one in said:
        entry = Entry(text=str(one["text"]), question=str(one.get("question") or ""))
        where = prose if one.get("paragraph") else asked if entry.question else lines
        where.append(entry)
    return lines, asked, prose


def write_block(
    heading: str,
    lines: Sequence[Entry],
    questions: Sequence[Entry],
    markup: Markup,
    *,
    paragraph: Sequence[Entry] = (),
    table: Comparison | None = None,
) -> str:
    """Return a block as it is added to a page, what joins it to the page included.

    Args:
        heading: Heading.
        lines: Facts, one a line.
        questions: Questions with answers.
        markup: How the page is written.
        paragraph: Sentences that stand together before them.
        table: Products beside one another, after all.
    """
    inside = _inside(heading, lines, questions, markup, paragraph, table)
    if markup == "text":
        return f"\n\n{inside}\n"
    return f'\n<section data-cartwheel="{digest(inside)}">{inside}</section>'


def mail_of(heading: str, said: Iterable[Mapping[str, Any]], markup: Markup) -> str:
    """Return what a paragraph for mails says, as text or as mark-up without marks.

    Args:
        heading: Heading.
        said: Objects with `text`, `question` and `paragraph`, see `block_of`.
        markup: What is wanted.
    """
    lines, asked, prose = _sorted(said)
    return _inside(heading, lines, asked, markup, prose, None)


def _inside(
    heading: str,
    lines: Sequence[Entry],
    questions: Sequence[Entry],
    markup: Markup,
    paragraph: Sequence[Entry],
    table: Comparison | None,
) -> str:
    prose = " ".join(one.text for one in paragraph)
    if markup == "text":
        said = [prose] if prose else []
        said += [f"- {one.text}" for one in lines]
        said += [f"{one.question}\n{one.text}" for one in questions]
        said += table.lines() if table else []
        return "\n".join([heading, *said])
    listed = "".join(f"<li>{html.escape(one.text)}</li>" for one in lines)
    asked = "".join(
        f"<dt>{html.escape(one.question)}</dt><dd>{html.escape(one.text)}</dd>"
        for one in questions
    )
    inside = f"<h3>{html.escape(heading)}</h3>"
    inside += f"<p>{html.escape(prose)}</p>" if prose else ""
    inside += f"<ul>{listed}</ul>" if listed else ""
    inside += f"<dl>{asked}</dl>" if asked else ""
    return inside + (table.html() if table else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A block that is to stand in a page, or no more.

    Attributes:
        id: Decision it belongs to.
        block: The block, as `write_block` made it.
        before: Fingerprint of the page it was written for.
        wanted: It is to stand there; else it is to go.
    """

    id: str
    block: str
    before: str
    wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A page with its changes.

    Attributes:
        text: The page as it should be.
        standing: Changes whose block stands in it.
        refused: Why a change was left undone, by its id.
    """

    text: str
    standing: tuple[str, ...]
    refused: Mapping[str, str]


EDITED = "somebody edited the page after this was written; it is left as they made it"
TWICE = "its text stands in the page more than once; take it out by hand"


def carry_out(page: str, changes: Iterable[Change]) -> Outcome:
    """Return a page with blocks added and taken out, never anything else.

    A block is added only to the page it was written for, blocks of ours aside: when
    somebody else has changed the page since, their text stands and the change is
    refused. A block that is to go is cut out wherever it stands; one that somebody
    edited is not there any more, and the page is left alone.

    Args:
        page: The page as it was last known.
        changes: In the order they were decided.
    """
    changes = tuple(changes)
    standing: list[str] = []
    refused: dict[str, str] = {}
    text = page
    for one in changes:
        if one.wanted or not one.block or one.block not in text:
            continue
        if text.count(one.block) > 1:
            refused[one.id] = TWICE
            continue
        text = text.replace(one.block, "")
    ours = [one.block for one in changes if one.block and one.block in text]
    bare = text
    for block in ours:
        bare = bare.replace(block, "", 1)
    # What a block was written for may have held some of the blocks decided before it.
    known = {digest(bare)}
    grown = bare
    for block in ours:
        grown += block
        known.add(digest(grown))
    known.add(digest(text))
    for one in changes:
        if not one.wanted:
            continue
        if one.block and one.block in text:
            standing.append(one.id)
        elif one.before in known:
            text += one.block
            known.add(digest(text))
            standing.append(one.id)
        else:
            refused[one.id] = EDITED
    return Outcome(text=text, standing=tuple(standing), refused=refused)
