"""Planning a test in a process of its own, asked and answered in JSON.

Its statistics and the lake's engine take a second and many megabytes to load, which a
process that answers pages must not pay. So the console asks this program:

    python -m cartwheel.measure.experiment.plan_child < question.json

A question holds `shop` (its folder), `today`, `terms` as `Terms.to_json` gives them and
`plan`, False when only the products shall be enrolled. The answer holds `terms` as they
would be agreed and `plan`, or `error` with `message`, `next_step` and `term`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cartwheel.errors import CartwheelError


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the answer to a question is.

    Args:
        question: `shop`, `today`, `terms` and `plan`.
    """
    from cartwheel.measure.experiment.plan import enrolled, plan
    from cartwheel.measure.experiment.terms import Terms, check_terms
    from cartwheel.shop import open_shop
    from cartwheel.wheel import find_levers

    try:
        shop = open_shop(Path(question["shop"]))
        today = date.fromisoformat(question["today"])
        asked = enrolled(shop, Terms.from_json(question["terms"]), today)
        terms = check_terms(asked, levers=find_levers(), today=today)
        expected = plan(shop, terms, today).to_json() if question["plan"] else None
    except CartwheelError as error:
        return {
            "error": {
                "message": error.message,
                "next_step": error.next_step,
                "term": getattr(error, "term", ""),
            }
        }
    return {"terms": terms.to_json(), "plan": expected}


def main() -> None:
    """Answer the question on standard input on standard output."""
    # Before numpy loads: the few small sums here are slower on several threads.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    question = json.load(sys.stdin)
    json.dump(answer(question), sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
