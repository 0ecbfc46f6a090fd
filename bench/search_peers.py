"""Peers of the search bench; one that is not installed is named as skipped."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from bench.search_shop import MEANING
from cartwheel.text.meaning.port import open_embedder

Ranker = Callable[[str], Sequence[int]]

DEPTH = 1000
MIXED = 0.3
"""Weight of the characters beside BM25, each divided by its best score."""


def peers(
    titles: Sequence[str], vectors: np.ndarray[Any, Any] | None = None
) -> Iterator[tuple[str, Ranker | str]]:
    """Yield each peer's name and its ranker, or why it is skipped.

    Args:
        titles: What is found.
        vectors: The titles' vectors by the sentence model, None without it.
    """
    makers: dict[str, Callable[[Sequence[str]], Ranker]] = {
        "bm25s": lambda t: _bm25s(t, stemmed=False),
        "bm25s, stemmed": lambda t: _bm25s(t, stemmed=True),
        "bm25s, stemmed, with characters": _with_characters,
        "tantivy": _tantivy,
        "SQLite FTS5": _fts5,
    }
    if vectors is not None:
        makers |= {
            "sentence model": lambda t: _best_of(_cosines(vectors)),
            "bm25s, stemmed, and sentence model": lambda t: _fused(t, vectors),
        }
    for name, make in makers.items():
        try:
            yield name, make(titles)
        except ImportError as error:
            yield name, f"skipped: not installed ({error.name})"


def _bm25s(titles: Sequence[str], *, stemmed: bool) -> Ranker:
    scores = _bm25_scores(titles, stemmed=stemmed)
    return lambda query: _best(scores(query))


def _bm25_scores(
    titles: Sequence[str], *, stemmed: bool
) -> Callable[[str], np.ndarray[Any, Any]]:
    import bm25s

    stemmer = None
    if stemmed:
        import Stemmer

        stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()

    def cut(texts: Sequence[str], *, ids: bool) -> Any:
        return bm25s.tokenize(
            list(texts),
            stemmer=stemmer,
            stopwords="en",
            show_progress=False,
            return_ids=ids,
        )

    index.index(cut(titles, ids=True), show_progress=False)

    def scores(query: str) -> np.ndarray[Any, Any]:
        said = cut([query], ids=False)[0]
        return index.get_scores(said) if said else np.zeros(len(titles))

    return scores


def _with_characters(titles: Sequence[str]) -> Ranker:
    """Return BM25 mixed with TF-IDF of 3 to 5 characters inside words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = _bm25_scores(titles, stemmed=True)
    cutter = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32
    )
    letters = cutter.fit_transform(titles).T.tocsr()

    def ranker(query: str) -> Sequence[int]:
        said = words(query)
        alike = np.asarray((cutter.transform([query]) @ letters).todense()).ravel()
        mixed = said / max(float(said.max()), 1e-9)
        return _best(mixed + MIXED * alike / max(float(alike.max()), 1e-9))

    return ranker


def _cosines(
    vectors: np.ndarray[Any, Any],
) -> Callable[[str], np.ndarray[Any, Any]]:
    embedder, whole = open_embedder(MEANING), vectors.astype(np.float32)
    return lambda query: whole @ embedder.embed([query])[0]


def _best_of(scores: Callable[[str], np.ndarray[Any, Any]]) -> Ranker:
    return lambda query: _best(scores(query))


def _fused(titles: Sequence[str], vectors: np.ndarray[Any, Any]) -> Ranker:
    """Return the two rankings joined by reciprocal ranks (Cormack and others, 2009)."""
    both = (_bm25_scores(titles, stemmed=True), _cosines(vectors))

    def ranker(query: str) -> Sequence[int]:
        joined = np.zeros(len(titles))
        for scores in both:
            said = scores(query)
            best = np.argsort(-said, kind="stable")[:DEPTH]
            best = best[said[best] > 0]
            joined[best] += 1.0 / (60.0 + np.arange(1, len(best) + 1))
        return _best(joined)

    return ranker


def _best(scores: np.ndarray[Any, Any]) -> Sequence[int]:
    order = np.argsort(-scores, kind="stable")[:DEPTH]
    return [int(at) for at in order]


def _tantivy(titles: Sequence[str]) -> Ranker:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("title", tokenizer_name="en_stem")
    builder.add_integer_field("at", stored=True)
    index = tantivy.Index(builder.build())
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for at, title in enumerate(titles):
        writer.add_document(tantivy.Document(title=[title], at=[at]))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ranker(query: str) -> Sequence[int]:
        said = " ".join(re.findall(r"\w+", query.lower()))
        if not said:
            return []
        parsed, _ = index.parse_query_lenient(said, ["title"])
        hits = searcher.search(parsed, DEPTH).hits
        return [int(searcher.doc(address)["at"][0]) for _, address in hits]

    return ranker


def _fts5(titles: Sequence[str]) -> Ranker:
    con = sqlite3.connect(":memory:", check_same_thread=False)
    con.execute("CREATE VIRTUAL TABLE t USING fts5(title, tokenize = 'porter')")
    con.executemany(
        "INSERT INTO t (rowid, title) VALUES (?, ?)", list(enumerate(titles, 1))
    )

    def ranker(query: str) -> Sequence[int]:
        said = re.findall(r"\w+", query.lower())
        if not said:
            return []
        asked = " OR ".join(f'"{word}"' for word in said)
        rows = con.execute(
            "SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT ?", (asked, DEPTH)
        )
        return [int(row[0]) - 1 for row in rows]

    return ranker
