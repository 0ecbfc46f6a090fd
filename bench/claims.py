"""The claim check on drafts written to deceive it, and how fast it reads.

Protocol:

- Drafts of one to four sentences with the facts of a made product, in
  `labels/claims/`: true ones as an honest writer puts them, false ones with at least
  one claim that no fact says, of twenty kinds, most sharing nearly all words with the
  facts. Their writers knew neither the check nor each other's drafts, and read each
  label again.
- Each part has products of its own. Rules were written on the development parts. The
  drafts of `development-4` were written by who wrote the rules for facts in other
  words: the first 219 before these rules, of which the drafts of the last twelve
  products were counted before they were read, and 61 more false ones against them.
- `development-5` is about who pays and who does what: 100 drafts on 10 products, by who
  wrote the rule for it, after its first form. The last five products were counted once
  before they were read.
- `development-6` and `development-7` were held out until the rules for facts in other
  words and for who pays were made, and then released; the drafts of half of their
  products (by the hash of the title) were read for later rules, those of the other half
  only counted.
- No draft of `held-out-3` was read for a rule. It was counted once before terms of
  policies had to stand word for word, which was decided after that; `held-out-4` was
  written for it, and is counted once.
- "check" is the product's: terms of policies in their own words. "terms in other words"
  is with `guardrails.terms_in_other_words`.
- A false draft is blocked when any of its sentences is; a true one when any is. Goals:
  98 % of false ones, at most 5 % of true ones. Intervals: bootstrap of products.
- In the product only blocked sentences are left out: their share of true drafts is told
  too.
- Peer: the same screens, and every term of the draft stands in some fact, wherever.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Figure, Plan
from cartwheel.text.claims import Brand, Source, check_draft
from cartwheel.text.claims.duties import duties
from cartwheel.text.claims.knowledge import is_light, knowledge
from cartwheel.text.claims.source import sayings
from cartwheel.text.claims.words import english, read

Array = np.ndarray[Any, Any]

FOLDER = Path(__file__).parent / "labels" / "claims"
DEVELOPMENT = (
    "development",
    "development-2",
    "development-3",
    "development-4",
    "development-5",
    "development-6",
    "development-7",
)
HELD_OUT = ("held-out-3", "held-out-4")
BRAND = Brand(quoted_terms=True)
HALVED = ("development-6", "development-7")
"""Parts of which the drafts of one half of the products were read for rules."""
BOOTSTRAPS = 1_000
GOAL_FALSE, GOAL_TRUE = 0.98, 0.05


def claims(plan: Plan) -> Iterator[Figure]:
    """Measure what is blocked of false and of true drafts, by part and by kind."""
    for part in (*DEVELOPMENT, *HELD_OUT):
        if (FOLDER / f"{part}.jsonl").exists():
            yield from _part(part)
    yield from _speed(plan)


def _part(part: str) -> Iterator[Figure]:
    rows = read_drafts(part)
    facts = [facts_of(row["facts"]) for row in rows]
    false = np.array([row["label"] == "false" for row in rows])
    product = np.array([row["facts"]["title"] for row in rows])
    told, freely = (
        [
            [bool(one.blocked) for one in check_draft(row["draft"], known, brand)]
            for row, known in zip(rows, facts, strict=True)
        ]
        for brand in (BRAND, Brand())
    )
    blocked = np.array([any(one) for one in told])
    goals = part == HELD_OUT[-1]
    yield from _shares(part, blocked, false, product, "check", goals=goals)
    yield _sentences(part, [one for one, no in zip(told, false, strict=True) if not no])
    loose = np.array([any(one) for one in freely])
    yield from _shares(part, loose, false, product, "terms in other words", goals=False)
    if part in HALVED:
        unread = np.array([is_unread(title) for title in product])
        name = f"{part}, products not read"
        for found, who in ((blocked, "check"), (loose, "terms in other words")):
            yield from _shares(
                name, found[unread], false[unread], product[unread], who, goals=False
            )
        true = unread & ~false
        yield _sentences(
            name, [one for one, is_true in zip(told, true, strict=True) if is_true]
        )
    bare = np.array(
        [_bare(row["draft"], known) for row, known in zip(rows, facts, strict=True)]
    )
    yield from _shares(part, bare, false, product, "words alone", goals=False)
    if part in HELD_OUT:
        yield from _by_trick(part, rows, blocked)


def is_unread(title: str) -> bool:
    """Whether a product of a halved part is one whose drafts were only counted."""
    return int(hashlib.sha256(title.encode()).hexdigest(), 16) % 2 == 1


def _sentences(part: str, true: Sequence[Sequence[bool]]) -> Figure:
    """Return the share of the sentences of true drafts that are blocked."""
    count = sum(map(len, true))
    return Figure(
        part="claims",
        name="sentences of true drafts blocked, check",
        size=f"{count} sentences, {part}",
        unit="share",
        values=[sum(map(sum, true)) / count],
    )


def read_drafts(part: str) -> list[dict[str, Any]]:
    """Return the drafts of a part, with facts and label."""
    text = (FOLDER / f"{part}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def facts_of(held: Mapping[str, Any]) -> list[Source]:
    """Return a made product's facts as the shop's are read."""
    found = [
        Source(id="title", kind="title", text=held["title"]),
        Source(id="category", kind="category", text=held["category"]),
        Source(id="brand", kind="brand", text=held["brand"], name="Brand"),
    ]
    for name, value in held["attributes"].items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        found.append(
            Source(id=f"attribute:{name}", kind="attribute", name=name, text=text)
        )
    if held["variants"]:
        text = "\n".join(held["variants"])
        found.append(Source(id="variants", kind="variants", name="Variants", text=text))
    if held["price"]:
        found.append(Source(id="price", kind="price", name="Price", text=held["price"]))
    for one in held["answers"]:
        found.append(
            Source(
                id=f"answer:{one['id']}",
                kind="answer",
                name=one["question"],
                text=one["answer"],
            )
        )
    for kind, many in (("policy", held["policies"]), ("quote", held["quotes"])):
        found += [
            Source(
                id=f"{kind}:{one['id']}",
                kind="policy" if kind == "policy" else "quote",
                text=one["text"],
            )
            for one in many
        ]
    return found


def _bare(draft: str, facts: Sequence[Source]) -> bool:
    """Whether a check of single words would block a draft."""
    known = knowledge()
    plain = english(draft)
    if any(pattern.search(plain) for pattern in known.screens.values()):
        return True
    held = {term for one in sayings(facts) for term in one.said.terms | one.named.terms}
    held |= {t for s in facts if s.kind == "quote" for t in read(s.text).terms}
    light = known.editorial | known.attribution
    return any(
        token.term not in held and token.word not in light and not is_light(token.word)
        for token in read(draft).tokens
    )


def _shares(
    part: str,
    blocked: Array,
    false: Array,
    product: Array,
    who: str,
    *,
    goals: bool,
) -> Iterator[Figure]:
    for label, chosen in (("false", false), ("true", ~false)):
        names, of = np.unique(product[chosen], return_inverse=True)
        hits = np.bincount(of, blocked[chosen])
        sizes = np.bincount(of)
        rng = np.random.default_rng(1)
        drawn = rng.integers(0, len(names), (BOOTSTRAPS, len(names)))
        shares = hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
        low, high = np.quantile(shares, [0.025, 0.975])
        yield Figure(
            part="claims",
            name=f"{label} drafts blocked, {who}",
            size=f"{int(chosen.sum())} drafts, {part}",
            unit="share",
            values=[float(low), float(hits.sum() / sizes.sum()), float(high)],
            least=GOAL_FALSE if goals and label == "false" else None,
            most=GOAL_TRUE if goals and label == "true" else None,
        )


def _by_trick(
    part: str, rows: Sequence[Mapping[str, Any]], blocked: Array
) -> Iterator[Figure]:
    tricks = sorted({row["trick"] for row in rows if row["label"] == "false"})
    for trick in tricks:
        mine = np.array([row["trick"] == trick for row in rows])
        yield Figure(
            part="claims",
            name=f"blocked: {trick}",
            size=f"{int(mine.sum())} drafts, {part}",
            unit="share",
            values=[float(blocked[mine].mean())],
        )


def _speed(plan: Plan) -> Iterator[Figure]:
    rows = read_drafts("development")
    facts = [facts_of(row["facts"]) for row in rows]
    values = []
    for _ in range(plan.repeats(5)):
        read.cache_clear()
        duties.cache_clear()
        began = time.perf_counter()
        for row, known in zip(rows, facts, strict=True):
            check_draft(row["draft"], known)
        values.append((time.perf_counter() - began) / len(rows) * 1000)
    yield Figure(
        part="claims",
        name="one draft checked",
        size=f"{len(rows)} drafts",
        unit="ms",
        values=values,
    )
