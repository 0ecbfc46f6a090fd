"""Asking the shop's text service what a lever wants drafted, before the lever decides.

The answers are staged with the turn as the signal `drafts`, each as soon as it is
there. A turn that was killed asks only for the rest, the next turn pays for no draft
of the same request again, and a replay reads them and asks nobody.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cartwheel.errors import Misuse
from cartwheel.levers.base import DraftingLever
from cartwheel.signals.base import Signals
from cartwheel.signals.drafts import DRAFTS
from cartwheel.text.drafting import DraftRequest, Terms, TextService, Wishes, ask
from cartwheel.text.drafting.ask import TRIES
from cartwheel.text.drafting.service import ChatService
from cartwheel.turn.stage import ASKED, Stage

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger("cartwheel.turn")

GIVES_UP = 3
"""Failed requests in a row after which a turn leaves a service alone."""

Row = dict[str, Any]
Open = Callable[[Terms], TextService]


def wishes_of(lever: DraftingLever, views: Iterable[Signals]) -> list[Wishes]:
    """Return what a lever wants drafted; nothing where it cannot say.

    Args:
        lever: The lever.
        views: What it is shown, by arm of an experiment on it.
    """
    try:
        found = [lever.wishes(view) for view in views]
    except Exception:  # it says so itself when it decides
        log.exception("What %s wants drafted could not be told", lever.name)
        return []
    return [one for one in found if one is not None]


def ask_service(
    stage: Stage,
    before: Stage | None,
    wished: Iterable[Wishes],
    *,
    seconds: float,
    opened: Open = ChatService,
) -> None:
    """Ask for every draft that is wanted and not yet known, and stage the answers.

    Args:
        stage: The turn's folder.
        before: Folder of the last published turn, whose answers hold for the same
            requests; failures are no answers.
        wished: What is wanted.
        seconds: Longest that all requests together may take, about.
        opened: Opens a service on its terms.
    """
    rows = _answers(stage)
    known = {} if before is None else _answers(before)
    ends = time.monotonic() + seconds
    for wish in wished:
        terms = replace(wish.terms, seconds=min(wish.terms.seconds, seconds / TRIES))
        failed = 0
        for request in wish.requests:
            if request.key in rows:
                continue
            row = known.get(request.key)
            if row is None or row["failed"]:
                if failed >= GIVES_UP or time.monotonic() > ends:
                    continue
                row = _asked(request, terms, opened)
                failed = failed + 1 if row["failed"] else 0
            rows[request.key] = row
            stage.write_table(ASKED, DRAFTS.name, _table(rows))


def _asked(request: DraftRequest, terms: Terms, opened: Open) -> Row:
    try:
        answer = ask(opened(terms), request)
    except Misuse as error:
        failed, said = error.message, None
    else:
        failed = answer.failed
        told = [{"text": s.text, "facts": list(s.facts)} for s in answer.sentences]
        said = json.dumps(told, ensure_ascii=False) if told else None
    return {
        "request": request.key,
        "model": request.model,
        "sentences": said,
        "failed": failed or None,
    }


def _answers(stage: Stage) -> dict[str, Row]:
    table = stage.read_tables(ASKED).get(DRAFTS.name)
    rows: list[Row] = [] if table is None else table.to_pylist()
    return {row["request"]: row for row in rows}


def _table(rows: Mapping[str, Row]) -> pa.Table:
    import pyarrow as pa

    return DRAFTS.conform(pa.Table.from_pylist(list(rows.values()), DRAFTS.schema()))
