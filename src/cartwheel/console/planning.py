"""Asking a process of its own what a test would cost, within a time limit."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from cartwheel.errors import Busy, Failure
from cartwheel.measure.experiment.terms import Terms, WrongTerm

if TYPE_CHECKING:
    from cartwheel.shop import Shop

log = logging.getLogger("cartwheel.console")

PROGRAM = "cartwheel.measure.experiment.plan_child"
SECONDS = 90
"""Longest a plan may take. It loads the statistics and reads the lake: 2 s of computing
for a small shop, several times that beside a turn on a small machine."""

WAIT_SECONDS = 20
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Terms as they would be agreed, and what they cost.

    Attributes:
        terms: Checked, with products enrolled.
        plan: As `Plan.to_json` gives it, None when it was not asked for.
    """

    terms: Terms
    plan: Mapping[str, Any] | None


def ask_plan(shop: Shop, terms: Terms, today: date, *, plan: bool = True) -> Planned:
    """Return terms as they would be agreed and what the test would cost.

    Args:
        shop: The shop.
        terms: What somebody asks for.
        today: Last day whose facts count.
        plan: False when only the products shall be enrolled.

    Raises:
        WrongTerm: If a term does not fit.
        Busy: If another plan is being made for too long.
        Failure: If the plan takes too long or its program breaks.
    """
    question = {
        "shop": str(shop.folder.resolve()),
        "today": today.isoformat(),
        "terms": terms.to_json(),
        "plan": plan,
    }
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise Busy("Another plan is being made.", "Ask again in a minute.")
    try:
        done = subprocess.run(
            [sys.executable, "-m", PROGRAM],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failure(
            f"The plan took longer than {SECONDS} seconds; nothing was begun.",
            "Ask again when no turn runs, or use: cartwheel experiment create --plan",
        ) from None
    finally:
        _one_at_a_time.release()
    if done.returncode != 0:
        log.error("The plan's program failed: %s", done.stderr[-2000:])
        raise Failure(
            f"The plan's program ended with code {done.returncode}; nothing was begun.",
            "The server's log says why.",
        )
    found = json.loads(done.stdout)
    if "error" in found:
        error = found["error"]
        raise WrongTerm(error["message"], error["next_step"], error["term"])
    return Planned(terms=Terms.from_json(found["terms"]), plan=found["plan"])
