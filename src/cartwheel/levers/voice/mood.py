"""Who is displeased: by words known beforehand, and by what a shop's own stars teach.

Words of the rules tell the mood of many sentences, and of many nothing. Where customers
have given stars, a model learned from their texts tells those that words leave open. It
knows the shop's own trade and language, and is learned anew each turn; no text is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cartwheel.levers.voice.reading import Spoken, Texts
from cartwheel.text.sentiment import fit

BAD, GOOD = 2, 4
"""Stars up to which a text is displeased, and from which it is pleased."""

FEWEST = 100
"""Texts of either kind from which stars teach."""

MOST = 1_000
"""Texts of either kind that are learned from: as many of both, so that a shop praised
by most learns no praise by heart."""

LIKELY = 0.5
"""Probability of being pleased below which a sentence is told displeased."""

Displeased = Callable[[Spoken], bool]


def learn_mood(
    texts: Texts, said: Sequence[str], stars: Sequence[int | None], *, seed: int
) -> tuple[Displeased, int]:
    """Return what tells whether a sentence is displeased, and texts it learned from.

    A reason of a return is displeased; a question is by words alone.

    Args:
        texts: Texts as they were read.
        said: The same as written.
        stars: Stars of each, None without.
        seed: Seed of what is learned.
    """
    bad = _some([t for t, s in zip(said, stars, strict=True) if s and s <= BAD])
    good = _some([t for t, s in zip(said, stars, strict=True) if s and s >= GOOD])
    size = min(len(bad), len(good))
    if size < FEWEST:
        return by_words, 0
    bad, good = _some(bad, size), _some(good, size)
    model = fit([*bad, *good], [False] * size + [True] * size, seed=seed)
    open_ones = {
        id(one): one
        for said_here in texts.sentences
        for one in said_here
        if one.objections and not one.mood and not one.asked and not one.blamed
    }
    likely = model.read([one.text for one in open_ones.values()])
    glum = {
        key for key, chance in zip(open_ones, likely, strict=True) if chance < LIKELY
    }
    return lambda one: by_words(one) or id(one) in glum, 2 * size


def by_words(one: Spoken) -> bool:
    """Tell whether a sentence is displeased by its words, or a reason of a return."""
    return one.mood < 0 or one.blamed


def _some(texts: list[str], most: int = MOST) -> list[str]:
    """Return texts spread evenly over all."""
    if len(texts) <= most:
        return texts
    return [
        texts[at] for at in np.linspace(0, len(texts) - 1, most).round().astype(int)
    ]
