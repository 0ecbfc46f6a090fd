"""One question answered: from evidence, with its sources, or handed to a person.

Every sentence of an answer is the shop's own, with where it stands. Nothing a shopper
writes is an instruction; what cannot be answered for certain is handed over with the
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cartwheel.levers.base import Answer, Model, Request
from cartwheel.levers.support.compare import About, says_term
from cartwheel.levers.support.evidence import Evidence, knows_anything
from cartwheel.levers.support.meaning import near_in_meaning
from cartwheel.levers.support.orders import meant, named_order, orders_of, tell
from cartwheel.levers.support.weigh import AFTER, BEFORE, Weighed, weigh
from cartwheel.levers.support.words import USUAL, sentences_in
from cartwheel.text.asking import Reading, read_question, read_said
from cartwheel.text.asking.lexicon import LANGUAGES
from cartwheel.text.asking.reading import LONGEST
from cartwheel.text.asking.slips import mended
from cartwheel.text.language import language_of
from cartwheel.text.packed import hashed
from cartwheel.text.tokens import terms

RULE = "evidence"
LONGEST_QUOTE = 600
SURELY_TOLD = 60
"""Characters from which a message in another language is surely in it."""

FEW = 2
"""Units up to which a question that names no product is asked back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a question.

    Attributes:
        outcome: answered, asked_back or handed_over.
        why: Reason, a word; `cartwheel.contacts.REASONS` says each for a merchant.
        notice: What the shopper is told beside the answer.
        says: Sentences with their sources.
        chance: Chance that the evidence answers it; None where none was weighed.
    """

    outcome: str
    why: str
    notice: str
    says: tuple[Mapping[str, str], ...] = ()
    chance: float | None = None


def answer_question(model: Model, request: Request) -> Answer:
    """Return the answer to a request of the placement `support`.

    Args:
        model: A published model.
        request: `query` is the message, `context` ends with the product looked at,
            `customer` is set only where the shop has verified who asks.
    """
    asked = request.query[:LONGEST]
    told = language_of(asked)
    language = told if told in LANGUAGES else USUAL
    found = _outcome(model, request, asked, told, language)
    about = {
        "outcome": found.outcome,
        "why": found.why,
        "notice": found.notice,
        "automated": sentences_in(language)["automated"],
        "leave_address": sentences_in(language)["leave_address"],
        "says": [dict(one) for one in found.says],
        "evidence": None if found.chance is None else round(found.chance, 4),
        "language": language,
        "as_of": model.meta["as_of"],
    }
    return Answer(
        slots=(),
        eligible_hash=f"{hashed(model.meta['knows']):016x}",
        rule=model.rule,
        about=about,
    )


def _outcome(
    model: Model, request: Request, asked: str, told: str, language: str
) -> Outcome:
    """Return what becomes of a message; `told` is its language, "" for none told."""
    write = sentences_in(language)
    reading = read_question(asked, language)
    for sign in ("urgent", "safety", "person", "modality"):
        if sign in reading.signs:
            words = write["handed_over"] if sign == "person" else write[sign]
            return Outcome(outcome="handed_over", why=sign, notice=words)
    if request.holdout:
        return Outcome(
            outcome="handed_over", why="held_out", notice=write["handed_over"]
        )
    if "greeting" in reading.signs:
        return Outcome(outcome="asked_back", why="greeting", notice=write["greeting"])
    if told and told != language and len(asked) > SURELY_TOLD:
        return Outcome(outcome="handed_over", why="language", notice=write["refused"])
    if "order" in reading.signs or named_order(asked):
        return _about_order(model, request, asked, language)
    return _from_evidence(model, request, asked, reading, language)


def _about_order(model: Model, request: Request, asked: str, language: str) -> Outcome:
    write = sentences_in(language)
    if request.customer is None:
        return Outcome(outcome="asked_back", why="unverified", notice=write["verify"])
    rows = orders_of(model, request.customer)
    picked = meant(asked, rows)
    if not picked:
        why = "not_yours" if rows or named_order(asked) else "no_order"
        words = write["not_yours"] if why == "not_yours" else write["no_orders"]
        return Outcome(outcome="handed_over", why=why, notice=words)
    says: list[Mapping[str, str]] = []
    late = False
    for row in picked:
        told, behind = tell(row, str(model.meta["as_of"]), language)
        late |= behind
        says += [
            {"text": one.text, "source": f"order:{one.order_id}", "heading": ""}
            for one in told
        ]
    return Outcome(
        outcome="answered",
        why="late_order" if late else "order",
        notice="",
        says=tuple(says),
    )


def _from_evidence(
    model: Model, request: Request, asked: str, reading: Reading, language: str
) -> Outcome:
    write = sentences_in(language)
    weighed, known = candidates(model, request, asked, reading, language)
    found = weighed[0] if weighed else None
    if found is not None and found.chance >= float(model.meta["least_evidence"]):
        return Outcome(
            outcome="answered",
            why="evidence",
            notice="",
            says=tuple(quoted(found)),
            chance=found.chance,
        )
    chance = None if found is None else found.chance
    pointing = "points" in reading.signs or bool(reading.kinds)
    if not knows_anything(model):
        return Outcome(
            outcome="handed_over", why="no_evidence", notice=write["refused"]
        )
    if not reading.units:
        return Outcome(
            outcome="asked_back", why="unclear", notice=write["unclear"], chance=chance
        )
    if not known and pointing and reading.of_product and len(reading.units) <= FEW:
        return Outcome(
            outcome="asked_back",
            why="which_product",
            notice=write["which_product"],
            chance=chance,
        )
    return Outcome(
        outcome="handed_over",
        why="no_evidence",
        notice=write["refused"],
        chance=chance,
    )


def candidates(
    model: Model, request: Request, asked: str, reading: Reading, language: str
) -> tuple[list[Weighed], bool]:
    """Return the evidence, likeliest first, and whether a product is known.

    Args:
        model: A published model.
        request: The request.
        asked: The message.
        reading: Its reading.
        language: Its language.
    """
    evidence = Evidence(model)
    passages = evidence.policies()
    place = evidence.place(request.context[-1]) if request.context else -1
    guessed = place < 0
    if guessed:
        place = evidence.named(terms(asked))
    title = ""
    if place >= 0:
        passages = [*passages, *evidence.product(place)]
        title = evidence.title(place)
    meant = near_in_meaning(model, asked)
    about = About.of(title, language, guessed=guessed)
    written = mended(asked, language, lambda term: says_term(passages, term, language))
    if written != asked:
        reading = read_question(written, language)
    said = read_said(written, language)
    return weigh(reading, said, passages, about, language, meant), place >= 0


def quoted(found: Weighed) -> list[Mapping[str, str]]:
    """Return the sentences quoted of a source, each with where it stands."""
    passage = found.passage
    begin = max(found.at - BEFORE, 0)
    taken = passage.sentences[begin : found.at + AFTER]
    return [
        {
            "text": text[:LONGEST_QUOTE],
            "source": passage.source,
            "heading": passage.heading,
            "product_id": passage.product_id,
        }
        for text in taken
    ]
