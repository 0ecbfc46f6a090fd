"""New themes as the voice model holds them: counts by product, and quotes."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.voice.counting import is_quotable
from cartwheel.levers.voice.fresh import find_fresh
from cartwheel.levers.voice.mentions import Mentions
from cartwheel.levers.voice.quotes import newest_quotes, pack_quotes

Array = np.ndarray[Any, Any]


def count_fresh(
    mentions: Mentions, place: Array, products: int, category: Array
) -> tuple[dict[str, Array], list[dict[str, Any]]]:
    """Return counts by product and new theme with quotes, and what the themes are.

    Args:
        mentions: The texts.
        place: Number of the product of each text.
        products: Number of products.
        category: Category of each text, "" where none is known.
    """
    themes = find_fresh(
        mentions.sentences,
        mentions.standpoints,
        mentions.days_ago,
        mentions.writer,
        {"product": mentions.product_id, "category": category},
    )
    said, recent, before = (
        np.zeros((products, len(themes)), np.int64) for _ in range(3)
    )
    sentences: dict[tuple[int, int], str] = {}
    for at, theme in enumerate(themes):
        texts = np.array(theme.texts)
        np.add.at(said[:, at], place[texts], 1)
        np.add.at(recent[:, at], place[texts], mentions.recent[texts])
        np.add.at(before[:, at], place[texts], mentions.before[texts])
        for text, one in zip(theme.texts, theme.spoken, strict=True):
            if is_quotable(one):
                sentences[text, at] = one.text
    held = newest_quotes(mentions, place, sentences)
    arrays = {
        "fresh_said": said,
        "fresh_recent": recent,
        "fresh_before": before,
        **pack_quotes("fresh", held, {at: float(said[at]) for at in held}),
    }
    return arrays, [one.to_json() for one in themes]
