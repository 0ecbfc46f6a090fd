"""Themes that fit no class: do those come back that the rules are made to forget?

Protocol, written before anything was looked at:

- Three sets: clothing reviews, questions on appliances, Olist's reviews (Portuguese).
  Products are halved by a hash. Words that name nothing, the least count, the odds and
  all else were chosen on `development`; `held-out` was looked at once, at the end.
- Forgotten classes: the rules forget one class, and the sentences that raise no other
  and are a complaint or question are the class's lost sentences. Counted are sets and
  classes of 30 lost sentences or more. A class comes back where most sentences of some
  theme are its. Recall: of the lost sentences, those in a theme. Purity: of the
  sentences of themes that are not there where nothing is forgotten, those that are lost
  ones. The rules themselves miss and mistake sentences (docs/voice.md), so purity is
  also told by `labels/objections.csv`: of labelled sentences that a theme's words find,
  those of the class.
- Peer: NMF on TF-IDF of the same complaints and questions with as many topics as
  themes may be shown, a sentence in its strongest topic if in any (scikit-learn).
- False themes: with nothing forgotten, and with the class of most lost sentences
  forgotten, (a) what is a complaint without a class is dealt out anew among all
  sentences, (b) products and categories among the texts, (c) dates: random days for
  sets without. Counted are runs with any theme (a), with any at a product or category
  (b), with any told as rising (c): at most one in twenty.
- Stability: a random fiftieth of the texts is left out; of the themes, those found
  again, and of these those of the same name.
- Intervals: bootstrap of products; of shares of runs and classes, Wilson's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.measure import Figure, Plan
from bench.new_themes_speed import speed
from bench.shop_texts import OLIST, QUESTIONS, SETS, Shop, half_of, read_shop
from bench.voice import LANGUAGE, read_labels
from cartwheel.levers.voice.fresh import MOST_NEW, Fresh, find_fresh
from cartwheel.levers.voice.heard import hear
from cartwheel.levers.voice.loose import Standpoint, standpoint_of
from cartwheel.levers.voice.page import rising
from cartwheel.levers.voice.reading import Spoken
from cartwheel.levers.voice.recurring import find_recurring
from cartwheel.levers.voice.small_themes import SURE_OF_SEVERAL
from cartwheel.text.objections import CLASSES
from cartwheel.text.objections.corrections import words_pattern
from cartwheel.text.objections.rules import read_sentence
from cartwheel.text.tokens import fold

Array = np.ndarray[Any, Any]

LEAST_LOST = 30
BOOTSTRAPS = 1_000
SHUFFLES, QUICK_SHUFFLES = 200, 5
QUICK_TEXTS = 600
MOST_FALSE = 0.05
YEAR, MONTH = 365, 28
LEFT_OUT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of one forgotten class of one set.

    Attributes:
        product: Product of each sentence of a new theme, then of each lost sentence.
        right: Of the sentences of new themes, whether each is a lost one.
        met: Of the lost sentences, whether each is in a theme.
        back: Whether the class came back.
        labels: Of labelled sentences that a new theme finds, whether each is of it.
    """

    product: tuple[Array, Array]
    right: Array
    met: Array
    back: bool
    labels: list[bool]


def new_themes(plan: Plan) -> Iterator[Figure]:
    """Measure recall, purity, false themes, stability and time."""
    labels = read_labels(plan.data)
    most = QUICK_TEXTS if plan.quick else None
    for half in ("development", "held-out"):
        shops = [read_shop(plan.data, name, half, most) for name in SETS]
        yield from _forgotten(shops, labels, half)
        for shop in shops:
            yield from _false(shop, half, plan.quick)
        yield from _stable(shops, half)
    yield from speed(plan)


def themes_of(shop: Shop) -> list[Fresh]:
    """Return the new themes of a shop in which each text has a writer of its own."""
    return find_fresh(
        shop.sentences,
        shop.standpoints(),
        shop.days_ago,
        np.arange(len(shop)),
        shop.places,
    )


def _forgotten(
    shops: Iterable[Shop], labels: list[dict[str, str]], half: str
) -> Iterator[Figure]:
    ours: list[Told] = []
    peers: list[Told] = []
    for shop in shops:
        usual = {one.key for one in themes_of(shop)}
        here = [
            row
            for row in labels
            if row["set"] == shop.name and half_of(row["product"]) == half
        ]
        for objection in CLASSES:
            less = shop.without(objection)
            lost = _lost(shop, less, objection)
            if len(lost) < LEAST_LOST:
                continue
            themes = [one for one in themes_of(less) if one.key not in usual]
            told = _told(less, lost, _groups(themes))
            told.labels.extend(_labelled(themes, here, objection, shop.name))
            ours.append(told)
            peers.append(_told(less, lost, _topics(less)))
            yield _figure(
                f"{objection} forgotten: lost sentences in themes; purity "
                f"{_mean(told.right):.2f}; NMF {_mean(peers[-1].met):.2f}, "
                f"{_mean(peers[-1].right):.2f}; "
                f"{', '.join(one.title for one in themes) or 'no theme'}",
                f"{len(lost)} of {shop.name}, {half}",
                [_mean(told.met)],
            )
    for who, told_all in (("themes", ours), ("NMF", peers)):
        yield from _sums(told_all, who, half)
    found = [one for told in ours for one in told.labels]
    yield _share(
        "purity by labels, themes", f"{len(found)} labelled sentences, {half}", found
    )


def _sums(told: list[Told], who: str, half: str) -> Iterator[Figure]:
    sentences = np.concatenate([one.right for one in told])
    yield _bootstrapped(
        f"purity, {who}",
        f"{len(sentences)} sentences of themes, {half}",
        sentences,
        np.concatenate([one.product[0] for one in told]),
    )
    met = np.concatenate([one.met for one in told])
    yield _bootstrapped(
        f"recall of lost sentences, {who}",
        f"{len(met)} lost sentences, {half}",
        met,
        np.concatenate([one.product[1] for one in told]),
    )
    each = [_mean(one.met) for one in told]
    yield _figure(
        f"recall of lost sentences, mean of classes, {who}",
        f"{len(told)} forgotten classes, {half}",
        [float(np.mean(each))],
    )
    back = [one.back for one in told]
    yield _share(f"classes that come back, {who}", f"{len(back)}, {half}", back)


def _lost(shop: Shop, less: Shop, objection: str) -> set[tuple[int, str]]:
    """Return the sentences, by text, that raise nothing once a class is forgotten."""
    return {
        (at, one.text)
        for at, (said, stands) in enumerate(
            zip(less.sentences, less.standpoints(), strict=True)
        )
        for place, (one, stand) in enumerate(zip(said, stands, strict=True))
        if stand != Standpoint.OTHER
        and objection in shop.sentences[at][place].objections
    }


def _groups(themes: Iterable[Fresh]) -> list[list[tuple[int, str]]]:
    return [
        [(at, one.text) for at, one in zip(theme.texts, theme.spoken, strict=True)]
        for theme in themes
    ]


def _told(
    shop: Shop, lost: set[tuple[int, str]], groups: list[list[tuple[int, str]]]
) -> Told:
    said = [one for group in groups for one in group]
    within = set(said)
    order = sorted(lost)
    return Told(
        product=(
            shop.product[[at for at, _ in said]],
            shop.product[[at for at, _ in order]],
        ),
        right=np.array([one in lost for one in said], bool),
        met=np.array([one in within for one in order], bool),
        back=any(
            2 * sum(one in lost for one in group) > len(group) for group in groups
        ),
        labels=[],
    )


def _labelled(
    themes: Iterable[Fresh], rows: Iterable[dict[str, str]], objection: str, name: str
) -> Iterator[bool]:
    """Yield of labelled sentences that a theme finds whether they have the class."""
    patterns = [words_pattern(one.words) for one in themes]
    for row in rows:
        said = read_sentence(row["text"], [LANGUAGE[name]])
        one = Spoken(
            text=row["text"],
            languages=(LANGUAGE[name],),
            blamed=False,
            objections=tuple(said.objections),
            mood=said.mood,
            asked=said.asked,
            key="",
        )
        source = "question" if name == QUESTIONS else "review"
        free = set(said.objections) <= {objection} and standpoint_of(one, source, None)
        if free and any(pattern.search(fold(row["text"])) for pattern in patterns):
            yield objection in row["objections"].split("|")


def _topics(shop: Shop) -> list[list[tuple[int, str]]]:
    """Return what NMF makes of the same complaints and questions."""
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfVectorizer

    loose = [
        (at, one.text)
        for at, (said, stands) in enumerate(
            zip(shop.sentences, shop.standpoints(), strict=True)
        )
        for one, stand in zip(said, stands, strict=True)
        if stand != Standpoint.OTHER
    ]
    words = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=5,
        stop_words=None if shop.name == OLIST else "english",
    ).fit_transform([fold(text) for _, text in loose])
    weights = NMF(n_components=MOST_NEW, init="nndsvda", random_state=1).fit_transform(
        words
    )
    best = weights.argmax(axis=1)
    return [
        [
            one
            for one, topic, weight in zip(loose, best, weights.max(axis=1), strict=True)
            if topic == number and weight > 0
        ]
        for number in range(MOST_NEW)
    ]


def _false(shop: Shop, half: str, quick: bool) -> Iterator[Figure]:
    worst = max(CLASSES, key=lambda name: len(_lost(shop, shop.without(name), name)))
    runs = QUICK_SHUFFLES if quick else SHUFFLES
    for what, one in (("nothing", shop), (worst, shop.without(worst))):
        size = f"{runs} runs, {shop.name}, {half}, {what} forgotten"
        for name, happened in _shuffled(one, runs).items():
            yield _share(name, size, happened, most=MOST_FALSE)


def _shuffled(shop: Shop, runs: int) -> dict[str, list[bool]]:
    rng = np.random.default_rng(1)
    writer = np.arange(len(shop))
    heard = hear(shop.sentences, shop.standpoints(), shop.days_ago)
    themes = themes_of(shop)
    days = shop.days_ago
    if not days.any():
        days = rng.integers(0, YEAR, len(shop))
    found: dict[str, list[bool]] = {
        "any theme though complaints are dealt out anew": [],
        "any theme at a place though places are dealt out anew": [],
        "any theme rising though days are dealt out anew": [],
    }
    dealt, placed, dated = found.values()
    for _ in range(runs):
        again = heard.dealt(rng.permutation(heard.stand))
        dealt.append(bool(find_recurring(again, writer, shop.places)))
        order = rng.permutation(len(shop))
        places = {name: of[order] for name, of in shop.places.items()}
        placed.append(
            any(one.place != "shop" for one in find_recurring(heard, writer, places))
        )
        dated.append(_any_rises(themes, days[rng.permutation(len(shop))]))
    return found


def _any_rises(themes: Iterable[Fresh], days: Array) -> bool:
    recent, before = days < MONTH, (days >= MONTH) & (days < 2 * MONTH)
    return any(
        rising(
            int(recent[list(one.texts)].sum()),
            int(before[list(one.texts)].sum()),
            int(recent.sum()),
            int(before.sum()),
            sure=SURE_OF_SEVERAL,
        )
        for one in themes
    )


def _stable(shops: Iterable[Shop], half: str) -> Iterator[Figure]:
    rng = np.random.default_rng(1)
    again: list[bool] = []
    named: list[bool] = []
    for shop in shops:
        for less in (shop, *(shop.without(name) for name in CLASSES)):
            kept = np.flatnonzero(rng.integers(0, LEFT_OUT, len(less)) > 0)
            titles = {one.key: one.title for one in themes_of(less.chosen(kept))}
            for one in themes_of(less):
                again.append(one.key in titles)
                if one.key in titles:
                    named.append(titles[one.key] == one.title)
    size = f"{len(again)} themes, a fiftieth of the texts left out, {half}"
    yield _share("themes found again", size, again)
    yield _share("names kept, of those found again", size, named)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _bootstrapped(name: str, size: str, values: Array, product: Array) -> Figure:
    names, of = np.unique(product, return_inverse=True)
    right = np.bincount(of, weights=values, minlength=len(names))
    every = np.bincount(of, minlength=len(names))
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), BOOTSTRAPS)
    shares = drawn @ right / np.maximum(drawn @ every, 1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return _figure(name, size, [float(low), _mean(values), float(high)])


def _share(
    name: str, size: str, happened: Iterable[bool], most: float | None = None
) -> Figure:
    """Return a share with Wilson's interval; the share itself is in the middle."""
    values = np.array(list(happened), float)
    if not len(values):
        return _figure(f"{name}: none", size, [0.0], most)
    share, many, z = float(values.mean()), len(values), 1.96
    middle = (share + z * z / (2 * many)) / (1 + z * z / many)
    spread = np.sqrt(share * (1 - share) / many + z * z / (4 * many**2))
    spread *= z / (1 + z * z / many)
    ends = [max(float(middle - spread), 0.0), share, float(middle + spread)]
    return _figure(name, size, ends, most)


def _figure(
    name: str, size: str, values: list[float], most: float | None = None
) -> Figure:
    return Figure(
        part="new-themes", name=name, size=size, unit="", values=values, most=most
    )
