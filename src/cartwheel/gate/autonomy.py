"""Rule 6: how far each kind of decision may go without a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cartwheel.gate.base import Candidate, GateContext, Verdict
from cartwheel.levers.base import Autonomy


def autonomy(candidates: Sequence[Candidate], context: GateContext) -> Verdict:
    """Apply what may act by itself; leave the rest as proposals."""
    return Verdict(
        [replace(c, state=_state(c.decision.kind, context)) for c in candidates], []
    )


def _state(kind: str, context: GateContext) -> str:
    chosen = context.settings.autonomy.get(kind)
    level = Autonomy(chosen) if chosen else context.kinds[kind].autonomy
    return "applied" if level is Autonomy.AUTO else "proposed"
