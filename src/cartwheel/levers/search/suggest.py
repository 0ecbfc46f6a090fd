"""Suggestions while somebody types: queries, products and categories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cartwheel.levers.base import Model, Request
from cartwheel.levers.search.answer import answer_query
from cartwheel.text.packed import unpack
from cartwheel.text.tokens import fold

Array = np.ndarray[Any, Any]


def suggest(model: Model, request: Request) -> dict[str, Any]:
    """Return past queries that begin like this one, products it meets, categories."""
    arrays = model.arrays
    typed = " ".join(fold(request.query[:200]).split())
    if not typed:
        return {"queries": [], "products": [], "categories": []}
    asked = replace(request, query=request.query + _rest(model, typed), offset=0)
    answer = answer_query(model, asked)
    names = arrays["product_id"]
    products = []
    for slot in answer.slots:
        at = int(names.searchsorted(slot.product_id))
        title = unpack(arrays["name_text"], arrays["name_start"], at)
        products.append({"product_id": slot.product_id, "title": title})
    found = [one for one in answer.about["facets"] if one["name"] == "category"]
    categories = [
        {"category": one["value"], "label": one["label"], "count": one["count"]}
        for facet in found
        for one in facet["values"][: request.limit]
    ]
    return {
        "queries": _queries(model, typed, request.limit),
        "products": products,
        "categories": categories,
    }


def _queries(model: Model, typed: str, limit: int) -> list[str]:
    begin, end = _run(model, typed)
    counts = model.arrays["query_count"][begin:end]
    best = begin + np.lexsort((np.arange(end - begin), -counts))[:limit]
    text, start = model.arrays["query_text"], model.arrays["query_start"]
    return [unpack(text, start, int(at)) for at in best]


def _run(model: Model, typed: str) -> tuple[int, int]:
    """Return which of the sorted past queries begin with a text."""
    text, start = model.arrays["query_text"], model.arrays["query_start"]
    wanted = typed.encode()

    def first(key: bytes, strict: bool) -> int:
        low, high = 0, len(start) - 1
        while low < high:
            middle = (low + high) // 2
            said = text[int(start[middle]) : int(start[middle + 1])].tobytes()
            head = said[: len(wanted)]
            if head < key or (strict and head == key):
                low = middle + 1
            else:
                high = middle
        return low

    return first(wanted, strict=False), first(wanted, strict=True)


def _rest(model: Model, typed: str) -> str:
    """Return what completes the word being typed, "" where it is a word already."""
    arrays = model.arrays
    last = typed.rpartition(" ")[2]
    if len(last) < 2 or not len(arrays["word_count"]):
        return ""
    text, start = arrays["word_text"], arrays["word_start"]
    low, high = 0, len(start) - 1
    wanted = last.encode()
    while low < high:
        middle = (low + high) // 2
        said = text[int(start[middle]) : int(start[middle + 1])].tobytes()
        if said < wanted:
            low = middle + 1
        else:
            high = middle
    best, count = "", 0.0
    for at in range(low, min(low + 500, len(start) - 1)):
        word = unpack(text, start, at)
        if not word.startswith(last):
            break
        if word == last:
            return ""
        if float(arrays["word_count"][at]) > count:
            best, count = word, float(arrays["word_count"][at])
    return best[len(last) :]
