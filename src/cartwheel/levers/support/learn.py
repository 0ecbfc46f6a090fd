"""The support model: evidence, orders, and where the line to a person is drawn."""

from __future__ import annotations

import hashlib

from cartwheel.levers.base import Model
from cartwheel.levers.support.answer import RULE
from cartwheel.levers.support.evidence import evidence_arrays
from cartwheel.levers.support.meaning import meaning_arrays
from cartwheel.levers.support.options import Options
from cartwheel.levers.support.orders import order_arrays
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.listing import LISTING
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.questions import QUESTIONS

READS: tuple[Signal, ...] = (POLICIES, QUESTIONS, LISTING, CATALOGUE, ORDER_STATES)
"""Signals that the evidence and the orders are read from."""


def learn_model(data: Signals) -> Model:
    """Return the model.

    Args:
        data: The lever's signals.
    """
    arrays = evidence_arrays(data)
    arrays |= meaning_arrays(arrays, Options.of(data).model_folder)
    arrays |= order_arrays(data)
    digest = hashlib.blake2b(digest_size=8)
    for name in ("policy_text", "about_text"):
        digest.update(arrays[name].tobytes())
    return Model(rule=RULE, arrays=arrays, meta=_meta(data, digest.hexdigest()))


def unlearned(data: Signals) -> Model:
    """Return the fallback's model: it knows nothing, so it hands over."""
    names = [one.name for one in READS]
    nothing = data.restricted(names, cut=names)
    arrays = {**evidence_arrays(nothing), **order_arrays(nothing)}
    return Model(rule="a person answers", arrays=arrays, meta=_meta(data, ""))


def _meta(data: Signals, knows: str) -> dict[str, object]:
    return {
        "as_of": data.context.when.as_of.isoformat(),
        "least_evidence": Options.of(data).least_evidence,
        "knows": knows,
    }
