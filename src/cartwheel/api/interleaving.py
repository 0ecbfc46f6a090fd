"""One list from the rankings of both arms of an experiment.

The arms' models are asked the same question and their rankings drafted into one list
(`measure/experiment/team_draft.py`). Slots that a ranking drew at random are left out
first, so that only the draft's coins are drawn and each slot's probability is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.api.pins import from_first_slot
from cartwheel.levers.base import Answer, Model, OnlineLever, Request, Slot
from cartwheel.measure.experiment.team_draft import Team, draft

if TYPE_CHECKING:
    from cartwheel.measure.experiment.trial import Trial

RULE = "interleaved"
"""Method named with a list that both arms share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A list that both arms' rankings share.

    Attributes:
        answer: The list, with the probability of each slot.
        teams: Whose pick each product was: "control", "arm", or "" for nobody's.
    """

    answer: Answer
    teams: Mapping[str, Team]


def share_list(
    lever: OnlineLever,
    models: tuple[Model, Model],
    request: Request,
    trial: Trial,
    decision_id: str,
) -> Shared | None:
    """Return one list drafted from both arms' rankings, None where there is none.

    The list goes from the first slot to the last of the page asked for. There is none
    where a ranking has no slot that was not drawn at random, and where a page after the
    first is asked by somebody unknown: nothing tells then how the first was drafted.

    Args:
        lever: The lever that ranks.
        models: Models of control and arm.
        request: The question.
        trial: The experiment.
        decision_id: Id of the decision.
    """
    seed = _seed(request, trial, decision_id)
    if seed is None:
        return None
    asked = from_first_slot(request)
    length = asked.limit
    # One more slot than asked for: the last is the one a lever draws at random.
    whole = replace(asked, limit=length + 1)
    control, arm = (
        lever.answer(model, whole, rng=np.random.default_rng(seed)) for model in models
    )
    rankings = [_settled(one) for one in (control, arm)]
    if not all(rankings):
        return None
    made = draft(
        *([slot.product_id for slot in ranking] for ranking in rankings),
        length=length,
        rng=np.random.default_rng(seed),
    )
    said = {slot.product_id: slot for ranking in reversed(rankings) for slot in ranking}
    slots = [
        replace(said[slot.item], propensity=chance)
        for slot, chance in zip(made.slots, made.chances, strict=True)
    ]
    return Shared(
        answer=replace(
            control,
            slots=tuple(slots),
            eligible_hash=_both(control.eligible_hash, arm.eligible_hash),
            rule=RULE,
            kept_from=control.kept_from | arm.kept_from,
        ),
        teams={slot.item: slot.team for slot in made.slots},
    )


def _settled(answer: Answer) -> list[Slot]:
    """Return the slots before the first that was drawn at random."""
    found: list[Slot] = []
    for slot in answer.slots:
        if slot.propensity < 1:
            break
        found.append(slot)
    return found


def _seed(request: Request, trial: Trial, decision_id: str) -> int | None:
    """Return the seed of the draft: a decision's own, or a search's for all its pages.

    The pages of a search are answered one by one and must be parts of one list.
    """
    told = decision_id
    if request.query:
        who = request.customer or request.visitor
        if who is None and request.offset:
            return None
        if who is not None:
            told = "\n".join((trial.salt, who, " ".join(request.query.split())))
    digest = hashlib.blake2b(told.encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")


def _both(control: str, arm: str) -> str:
    """Return the fingerprint of what either arm could have shown."""
    if control == arm:
        return control
    return hashlib.blake2b(f"{control} {arm}".encode(), digest_size=8).hexdigest()
