"""Why support misses development questions: `python -m bench.support_causes`.

Of each question that has an answer one cause is told, the first that holds:

- taken for something else: a sign (danger, eyes, an order) decided before the evidence;
- product not known: the fact is a product's, and none is looked at or named;
- not found: no sentence that answers is among those weighed, mostly for want of a word;
- another ahead: one is weighed, but another sentence is likelier, refused or answered;
- below the line: the right sentence is the likeliest, and not likely enough.
"""

from __future__ import annotations

from collections import Counter

from bench.support import installed
from bench.support_sets import Part, Row, made_model, parts, request_of, says_it
from cartwheel.levers.base import Model
from cartwheel.levers.support.answer import answer_question, candidates, quoted
from cartwheel.text.asking import read_question

WEIGHED = ("evidence", "no_evidence", "which_product", "unclear")
"""Reasons of an outcome that was weighed against the evidence."""


def cause(part: Part, model: Model, row: Row) -> str:
    """Return what became of a question that has an answer, and why.

    Args:
        part: Its set.
        model: The shop's model.
        row: The question.
    """
    about = answer_question(model, request_of(row)).about
    answered = about["outcome"] == "answered"
    if answered and says_it(row, [one["text"] for one in about["says"]]):
        return "answered right"
    if about["why"] not in WEIGHED:
        return f"taken for something else ({about['why']})"
    reading = read_question(row["text"], "en")
    found, known = candidates(model, request_of(row), row["text"], reading, "en")
    said = "answered wrong" if answered else "refused"
    right = [
        at
        for at, one in enumerate(found)
        if says_it(row, [text["text"] for text in quoted(one)])
    ]
    policies = {one["policy_id"] for one in part.manual()["policies"]}
    if not right and not known and row["source"] not in policies:
        return f"product not known, {said}"
    if not right:
        return f"not found, {said}"
    return f"another ahead, {said}" if right[0] else "below the line, refused"


def main() -> None:
    """Print causes of each development part, for each way to find evidence."""
    for name, folder in installed().items():
        for part in parts():
            if part.held_out:
                continue
            model = made_model(part.manual(), folder)
            rows = [row for row in part.rows() if row["answerable"]]
            counted = Counter(cause(part, model, row) for row in rows)
            print(f"{name}, {part.label}, {len(rows)} with an answer")
            for why, count in counted.most_common():
                print(f"  {count:3d} {why}")


if __name__ == "__main__":
    main()
