"""The offline writer: it only recombines what the shop already states.

For an objection it picks the attributes whose names speak to it, the answered questions
that raise it, what the shop promises about it and, for sizes, what customers found. No
sentence is made up: each stands in a fact or counts texts, and each names its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cartwheel.levers.content.promises import Policy, promises
from cartwheel.levers.content.wording import plain, words_of
from cartwheel.text.claims.source import Source
from cartwheel.text.language import language_of
from cartwheel.text.objections import LANGUAGES, read_sentence
from cartwheel.text.page_table import Comparison
from cartwheel.text.sentences import sentences

BY_PROMISE = frozenset(
    {"shipping_time", "shipping_cost", "damaged", "wrong_item", "service"}
)
"""Objections that the shop's terms alone can answer."""

FORMS: Mapping[str, str] = {
    "size_fit": "size note",
    "compatibility": "compatibility table",
    "missing_information": "facts and questions",
    "missing_instructions": "facts and questions",
    "shipping_time": "delivery note",
    "shipping_cost": "delivery note",
    "damaged": "service note",
    "wrong_item": "service note",
    "service": "service note",
}
"""What an addition is called, by its objection; else a changed paragraph."""

TABLE = "comparison table"
"""What an addition is called that is a table and nothing else."""

MOST_LINES = 12
MOST_QUESTIONS = 6
LONGEST_QUESTION = 200

OF_ALL = frozenset({"missing_information"})
"""Objections that any attribute or answer speaks to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence or line of a draft.

    Attributes:
        text: What it says.
        sources: Ids of the facts it rests on.
        question: Question it answers, "" for none.
    """

    text: str
    sources: tuple[str, ...]
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be added to a page.

    Attributes:
        form: What it is called.
        heading: Heading.
        lines: Facts, one a line.
        questions: Questions with their answers.
        paragraph: Sentences that a text service drafted, which stand before them.
        table: The product beside others, which stands after all; None for none.
    """

    form: str
    heading: str
    lines: tuple[Line, ...]
    questions: tuple[Line, ...]
    paragraph: tuple[Line, ...] = ()
    table: Comparison | None = None

    @property
    def says(self) -> tuple[Line, ...]:
        """Everything it says."""
        return self.paragraph + self.lines + self.questions


def write(
    objection: str,
    facts: Sequence[Source],
    policies: Mapping[str, Policy],
    page: Mapping[str, Any],
) -> Draft | None:
    """Return what the facts have to say about an objection, None for nothing new.

    Args:
        objection: Class of `CLASSES`.
        facts: Facts about the product and the shop.
        policies: What each policy is about, by its id as a fact.
        page: Row of the signal `listing`.
    """
    language = page_language(page)
    shown = shown_on(page)
    lines = [
        *_counted(objection, facts, language),
        *speaking_attributes(objection, facts, language),
        *_promised(objection, facts, policies, language),
    ]
    lines = [one for one in lines if not stands_in(one.text, shown)]
    asked = [
        one
        for one in speaking_answers(objection, facts, language)
        if not stands_in(one.text, shown)
    ]
    own = [one for one in lines if not one.sources[0].startswith("policy:")]
    if not own and not asked and objection not in BY_PROMISE:
        # The shop's terms alone would be the same words on page after page.
        return None
    if not lines and not asked:
        return None
    words = words_of(language)["headings"]
    heading = words[objection] if lines else words["questions"]
    form = FORMS.get(objection, "changed paragraph") if lines else "questions"
    return Draft(
        form=form,
        heading=heading,
        lines=tuple(lines),
        questions=tuple(asked),
    )


def with_table(
    draft: Draft | None, table: Comparison, objection: str, page: Mapping[str, Any]
) -> Draft:
    """Return a draft with a table, which can be all that there is to add.

    Args:
        draft: What the facts of the product alone say; None for nothing new.
        table: The product beside others.
        objection: Class of `CLASSES`.
        page: Row of the signal `listing`.
    """
    if draft is not None:
        return replace(draft, table=table)
    heading = words_of(page_language(page))["headings"][objection]
    return Draft(form=TABLE, heading=heading, lines=(), questions=(), table=table)


def in_table(line: Line, table: Comparison | None) -> bool:
    """Whether a line is an attribute that the table tells."""
    rows = () if table is None else table.rows
    return line.sources[0] in {f"attribute:{row.attribute}" for row in rows}


def form_of(draft: Draft) -> str:
    """Return what is added: the table alone where it tells all lines there are."""
    beside = any(not in_table(line, draft.table) for line in draft.lines)
    return draft.form if beside or draft.paragraph or draft.questions else TABLE


def shown_on(page: Mapping[str, Any]) -> str:
    """Return what a page says already, in one form."""
    return plain(" ".join(str(page.get(n) or "") for n in ("title", "description")))


def stands_in(text: str, shown: str) -> bool:
    """Whether a text stands in what a page says already."""
    return plain(text) in shown


def page_language(page: Mapping[str, Any]) -> str:
    """Return the language a page is in, English where no words are known for it."""
    return _language(str(page.get("description") or page.get("title") or ""))


@lru_cache(maxsize=20_000)
def _language(text: str) -> str:
    # Pages seldom change, and telling a language takes longer than all else here.
    found = language_of(text)
    return found if found in LANGUAGES else "en"


def _counted(objection: str, facts: Iterable[Source], language: str) -> list[Line]:
    wanted = f"count:{objection}:{language}"
    return [Line(text=s.text, sources=(s.id,)) for s in facts if s.id == wanted]


def speaking_attributes(
    objection: str, facts: Iterable[Source], language: str
) -> list[Line]:
    """Return attributes whose names speak to the objection, as `Name: value`."""
    found = [
        Line(text=f"{s.name}: {s.text}", sources=(s.id,))
        for s in facts
        if s.kind == "attribute" and speaks_to(s.name, objection, language)
    ]
    return found[:MOST_LINES]


def speaks_to(name: str, objection: str, language: str) -> bool:
    """Whether an attribute of a name speaks to an objection."""
    if objection in OF_ALL:
        return True
    starts = words_of(language)["attributes"].get(objection, ())
    return any(f" {plain(start)}" in f" {plain(name)}" for start in starts)


def _promised(
    objection: str,
    facts: Iterable[Source],
    policies: Mapping[str, Policy],
    language: str,
) -> list[Line]:
    starts = words_of(language)["promises"].get(objection, ())
    found = promises(objection, facts, policies, tuple(starts))
    return [Line(text=text, sources=(source,)) for text, source in found]


def speaking_answers(
    objection: str, facts: Iterable[Source], language: str
) -> list[Line]:
    """Return answered questions that raise the objection."""
    found = []
    for source in facts:
        if source.kind != "answer" or len(source.name) > LONGEST_QUESTION:
            continue
        if asks_of(source.name, objection, language):
            found.append(
                Line(text=source.text, sources=(source.id,), question=source.name)
            )
    return found[:MOST_QUESTIONS]


def asks_of(question: str, objection: str, language: str) -> bool:
    """Whether a question raises an objection; one of no class lacks information."""
    raised = {
        name
        for sentence in sentences(question)
        for name in read_sentence(sentence, [language]).objections
    }
    return objection in raised or (objection in OF_ALL and not raised)
