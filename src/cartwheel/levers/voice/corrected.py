"""What the voice model holds of corrections: splits, what stands, what was learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartwheel.levers.voice.mentions import Mentions
from cartwheel.levers.voice.quotes import LONGEST_QUOTE, newest_quotes, pack_quotes

Array = np.ndarray[Any, Any]


def count_splits(mentions: Mentions, place: Array, products: int) -> dict[str, Array]:
    """Return counts by product and split, and quotes of them."""

    def count(rows: Array) -> Array:
        made = np.zeros((products, mentions.split.shape[1]), np.int64)
        np.add.at(made, place[rows], mentions.split[rows].astype(np.int64))
        return made

    said = count(np.ones(len(mentions), bool))
    held = newest_quotes(mentions, place, mentions.split_quotes)
    return {
        "split_said": said,
        "split_recent": count(mentions.recent),
        "split_before": count(mentions.before),
        **pack_quotes("split", held, {at: float(said[at]) for at in held}),
    }


def corrected_meta(mentions: Mentions) -> dict[str, Any]:
    """Return what corrections stand, what they met and what they taught."""
    stands = mentions.stands
    return {
        "standing": list(stands.by_id),
        "merged": dict(stands.merged),
        "splits": [
            {
                "correction_id": one.correction_id,
                "objection": stands.counted_as(one.objection),
                "title": one.title,
                "words": list(one.words),
            }
            for one in stands.splits
        ],
        "corrected": {
            key: [text[:LONGEST_QUOTE], times]
            for key, (text, times) in mentions.corrected.items()
        },
        "lessons": [one.to_json() for one in mentions.lessons],
    }
