"""How long the search for new themes takes, after the texts are read."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import numpy as np

from bench.measure import Figure, Plan
from bench.shop_texts import CLOTHING, HALVES, read_shop
from cartwheel.levers.voice.fresh import find_fresh
from cartwheel.levers.voice.reading import Spoken

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (100, 1_000)
MOST_SECONDS = 60.0


def speed(plan: Plan) -> Iterator[Figure]:
    """Measure the search in reviews of clothes, repeated until there are enough.

    From the second time on each sentence has a word of its own, so that none is a copy.
    """
    shops = [read_shop(plan.data, CLOTHING, half) for half in HALVES]
    sentences = [said for shop in shops for said in shop.sentences]
    standpoints = [stands for shop in shops for stands in shop.standpoints()]
    places = {
        name: np.concatenate([shop.places[name] for shop in shops])
        for name in ("product", "category")
    }
    for size in QUICK_SIZES if plan.quick else SIZES:
        at = np.arange(size) % len(sentences)
        texts = [
            [_changed(one, number // len(sentences)) for one in sentences[place]]
            for number, place in enumerate(at.tolist())
        ]
        began = time.perf_counter()
        find_fresh(
            texts,
            [standpoints[place] for place in at.tolist()],
            np.arange(size) % 365,
            np.arange(size),
            {name: of[at] for name, of in places.items()},
        )
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for name, unit, value, most in (
            ("search for new themes, texts read", "s", took, MOST_SECONDS),
            ("peak memory, the bench's own included", "MB", peak, 3_000.0),
        ):
            yield Figure(
                part="new-themes",
                name=name,
                size=f"{size:,} reviews",
                unit=unit,
                values=[value],
                most=most,
            )


def _changed(one: Spoken, time_: int) -> Spoken:
    if not time_:
        return one
    word = "".join(chr(ord("a") + int(digit)) for digit in str(time_))
    return Spoken(
        text=f"{one.text} zz{word}",
        languages=one.languages,
        blamed=one.blamed,
        objections=one.objections,
        mood=one.mood,
        asked=one.asked,
        key=one.key,
    )
