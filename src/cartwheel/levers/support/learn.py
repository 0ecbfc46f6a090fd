"""The support model: evidence, orders, and where the line to a person is drawn."""

from __future__ import annotations

import hashlib

from cartwheel.levers.base import Model
from cartwheel.levers.support.answer import RULE
from cartwheel.levers.support.evidence import evidence_arrays, no_evidence
from cartwheel.levers.support.meaning import meaning_arrays
from cartwheel.levers.support.options import Options
from cartwheel.levers.support.orders import no_orders, order_arrays
from cartwheel.signals.base import Signals


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
    arrays = {**no_evidence(), **no_orders()}
    return Model(rule="a person answers", arrays=arrays, meta=_meta(data, ""))


def _meta(data: Signals, knows: str) -> dict[str, object]:
    context = data.context
    return {
        "as_of": context.when.as_of.isoformat(),
        "currency": context.currency,
        "minor_digits": context.minor_digits,
        "least_evidence": Options.of(data).least_evidence,
        "knows": knows,
    }
