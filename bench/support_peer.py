"""The peer of support: the nearest sentence of the manual by TF-IDF."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from bench.support_sets import Part


@cache
def nearest(part: Part) -> list[tuple[float, str]]:
    """Return, for each question, how near the nearest sentence is, and what it says."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    told = _told(part)
    rows = part.rows()
    views = [
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        TfidfVectorizer(analyzer="char_wb", sublinear_tf=True, ngram_range=(2, 4)),
    ]
    texts = [text for _, text in told]
    known = hstack([view.fit_transform(texts) for view in views]).tocsr()
    asked = hstack([view.transform([row["text"] for row in rows]) for view in views])
    near = (asked.tocsr() @ known.T).toarray() / 2
    found = []
    for at, row in enumerate(rows):
        allowed = np.array([name in ("", row["product_id"]) for name, _ in told])
        place = int(np.argmax(np.where(allowed, near[at], -1.0)))
        found.append((float(near[at, place]), told[place][1]))
    return found


def limit_of(part: Part, refused: Sequence[bool]) -> float:
    """Return the similarity that refuses as many of the unanswerable as the lever.

    Args:
        part: Questions.
        refused: Whether the lever refused each.
    """
    can = np.array([bool(row["answerable"]) for row in part.rows()])
    near = np.array([one for one, _ in nearest(part)])
    return float(np.quantile(near[~can], np.array(refused)[~can].mean()))


def _told(part: Part) -> list[tuple[str, str]]:
    """Return the product and the text of each sentence of a manual."""
    from cartwheel.text.sentences import sentences

    told: list[tuple[str, str]] = []
    held = part.manual()
    for one in held["policies"]:
        told += [("", text) for text in sentences(one["body"])]
    for one in held["products"]:
        name = one["product_id"]
        for key, value in (one.get("attributes") or {}).items():
            told.append((name, f"{one['title']} {key}: {value}"))
        told += [(name, text) for text in sentences(one.get("description") or "")]
    told += [(one["product_id"] or "", one["answer"]) for one in held["questions"]]
    return told
