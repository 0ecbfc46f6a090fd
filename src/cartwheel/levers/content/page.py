"""The content lever's console page: what can be mended, and what is missing for it."""

from __future__ import annotations

from collections.abc import Sequence

from cartwheel.levers.content.drafting import MAIL, PAGE
from cartwheel.levers.content.missing import unanswered
from cartwheel.levers.content.outline import Outline
from cartwheel.levers.content.proposal import Proposal
from cartwheel.levers.report import Figure, Grid, Report
from cartwheel.text.claims.facts import ShopFacts
from cartwheel.text.objections import CLASSES

SHOWN = 25


def page(
    proposals: Sequence[Proposal],
    harmful: Sequence[Proposal],
    shop: ShopFacts,
    guides: Sequence[Outline],
) -> Report:
    """Return what facts can answer, what they cannot, what was blocked or does harm."""
    pages = [one for one in proposals if one.purpose == PAGE]
    mails = [one for one in proposals if one.purpose == MAIL]
    answered = [one for one in pages if one.draft is not None]
    open_ = [one for one in pages if one.draft is None]
    blocked = [
        (one, text, why)
        for one in proposals
        for text, why in (*one.blocked, *(one.written.blocked if one.written else ()))
    ]
    return Report(
        summary=(
            f"For {len(answered):,} of {len(pages):,} products with an objection "
            "the shop's own facts have an answer that the page does not give. Nothing "
            "is written without a source; what a fix brings is told by its test."
        ),
        figures=(
            Figure(
                label="Objections that facts can answer",
                value=len(answered) / len(pages) if pages else None,
                unit="share",
                definition=(
                    "Of products with an objection that several texts raise, those "
                    "where an attribute, an answered question or a policy speaks to it "
                    "and the page does not say it yet."
                ),
                not_yet="Needs products with objections.",
            ),
        ),
        grids=(
            _answered(answered),
            _open(open_, shop),
            *_mailed(mails),
            *_harmful(harmful),
            *_guides(guides),
            *_blocked(blocked),
            *_drafted(proposals),
        ),
    )


def _title(one: Proposal) -> str:
    return str(one.page.get("title") or one.product_id)


def _answered(found: Sequence[Proposal]) -> Grid:
    return Grid(
        title="Pages that can be mended",
        columns=(
            *("product", "objection", "fix", "lines", "texts"),
            *("at stake", "takes back", "from", "to"),
        ),
        units=("", "", "", "units", "units", *["minor"] * 4),
        rows=tuple(
            (
                _title(one),
                CLASSES[one.objection],
                one.draft.form if one.draft else "",
                len(one.draft.says) if one.draft else 0,
                one.mentions,
                one.stake_minor,
                *_saved(one),
            )
            for one in found[:SHOWN]
        ),
        note=(
            "At stake a year, as told by the voice of customers. What a fix takes back "
            "of it, with its 95 % interval, is told by tests of fixes of its kind; "
            "empty where nobody tested one."
        ),
    )


def _saved(one: Proposal) -> tuple[float | None, ...]:
    found = one.saved
    return (None,) * 3 if found is None else (found.value, found.low, found.high)


def _harmful(found: Sequence[Proposal]) -> tuple[Grid, ...]:
    if not found:
        return ()
    return (
        Grid(
            title="Not proposed: a test told that it does harm",
            columns=("product", "objection", "fix", "harm", "tests"),
            units=("", "", "", "", ""),
            rows=tuple(
                (
                    _title(one),
                    CLASSES[one.objection],
                    one.draft.form if one.draft else "",
                    one.harm,
                    ", ".join(one.credit.experiments) if one.credit else "",
                )
                for one in found[:SHOWN]
            ),
            note=f"In all: {len(found):,}.",
        ),
    )


def _open(found: Sequence[Proposal], shop: ShopFacts) -> Grid:
    return Grid(
        title="Pages that lack a fact",
        columns=("product", "objection", "unanswered questions", "texts", "at stake"),
        units=("", "", "units", "units", "minor"),
        rows=tuple(
            (
                _title(one),
                CLASSES[one.objection],
                len(unanswered(one, shop)),
                one.mentions,
                one.stake_minor,
            )
            for one in found[:SHOWN]
        ),
        note="What to find out stands with each proposal.",
    )


def _mailed(found: Sequence[Proposal]) -> tuple[Grid, ...]:
    if not found:
        return ()
    return (
        Grid(
            title="Paragraphs for order mails",
            columns=("product", "objection", "sentences", "returned", "at stake"),
            units=("", "", "units", "units", "minor"),
            rows=tuple(
                (
                    _title(one),
                    CLASSES[one.objection],
                    len(one.draft.says) if one.draft else 0,
                    one.returned_units,
                    one.stake_minor,
                )
                for one in found[:SHOWN]
            ),
            note="Where parcels come back or buyers write, and facts answer it.",
        ),
    )


def _guides(found: Sequence[Outline]) -> tuple[Grid, ...]:
    if not found:
        return ()
    return (
        Grid(
            title="Buying guides to write",
            columns=("category", "products", "texts", "questions", "at stake"),
            units=("", "units", "units", "units", "minor"),
            rows=tuple(
                (
                    one.category,
                    one.products,
                    one.texts,
                    len(one.questions),
                    one.stake_minor,
                )
                for one in found
            ),
            note="What to write about stands with each proposal.",
        ),
    )


def _blocked(found: Sequence[tuple[Proposal, str, str]]) -> tuple[Grid, ...]:
    if not found:
        return ()
    return (
        Grid(
            title="Kept out by the claim check",
            columns=("product", "sentence", "why"),
            units=("", "", ""),
            rows=tuple((_title(one), text, why) for one, text, why in found[:SHOWN]),
            note=f"In all: {len(found):,}.",
        ),
    )


def _drafted(proposals: Sequence[Proposal]) -> tuple[Grid, ...]:
    wanted = [(one, one.written) for one in proposals if one.written]
    if not wanted:
        return ()
    return (
        Grid(
            title="Drafts of the text service",
            columns=("product", "written by", "sentences", "blocked", "why not"),
            units=("", "", "units", "units", ""),
            rows=tuple(
                (
                    _title(one),
                    written.writer,
                    len(one.draft.paragraph) if one.draft else 0,
                    len(written.blocked),
                    written.failed,
                )
                for one, written in wanted[:SHOWN]
            ),
            note=f"In all: {len(wanted):,}. Offline: the facts stand word for word.",
        ),
    )
