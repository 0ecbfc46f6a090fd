"""A slate of a large catalogue is what scoring all of it would give."""

from __future__ import annotations

from dataclasses import replace as changed

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.levers.base import Model
from cartwheel.levers.recommend import Recommend, shortlist
from cartwheel.levers.recommend.model import bestsellers_model
from cartwheel.levers.recommend.reader import find_reader
from cartwheel.levers.recommend.scoring import Visit, best_first, boosted, scores
from cartwheel.levers.recommend.shortlist import ranked, shown, with_cells
from cartwheel.signals.interest import INTEREST
from tests.levers.made import for_lever, made_signals, replace, with_looks

LEVER = Recommend()
PRODUCTS = 400
KINDS = ("bought", "looked", "opened", "bestsellers")


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    made = made_signals(customers=300, products=PRODUCTS)
    bought, opened = for_lever(LEVER, made), for_lever(LEVER, with_looks(made))
    gone = ("exposures", "clicks", "recent_exposures", "recent_clicks")
    unshown = opened.frame(INTEREST).assign(**dict.fromkeys(gone, 0))
    looked = replace(opened, INTEREST, unshown)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortlist, "SMALL", 0)
        found = {
            "bought": LEVER.learn(bought, None, seed=1),
            "looked": LEVER.learn(looked, None, seed=1),
            "opened": LEVER.learn(opened, None, seed=1),
            "bestsellers": bestsellers_model(bought),
        }
    assert all("cell_item" in model.arrays for model in found.values())
    assert "taste_vector" in found["opened"].arrays
    assert "price_level" in found["looked"].arrays
    return found


def dense(
    model: Model,
    context: np.ndarray,
    placement: str,
    excluded: np.ndarray,
    boosts: dict[str, float],
    who: tuple[str | None, str | None],
    count: int,
) -> list[int]:
    score = scores(model, find_reader(model, *who), context, placement)
    free = shown(model, excluded)
    return best_first(boosted(model, score, boosts), free, count).tolist()


product = st.integers(0, PRODUCTS - 1)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    context=st.lists(product, max_size=6),
    excluded=st.lists(product, max_size=30, unique=True),
    boosts=st.dictionaries(
        st.integers(0, PRODUCTS + 3), st.sampled_from([0.1, 0.9, 3.0, 50.0]), max_size=4
    ),
    placement=st.sampled_from(["home", "product", "cart", "email", "category"]),
    customer=st.none() | st.integers(0, 310).map("c{:05d}".format),
    visitor=st.none() | st.integers(0, 310).map("w{:04d}".format),
    count=st.integers(1, 60),
    short=st.integers(5, 200),
)
def test_the_short_way_is_the_long_way(
    models: dict[str, Model],
    kind: str,
    context: list[int],
    excluded: list[int],
    boosts: dict[int, float],
    placement: str,
    customer: str | None,
    visitor: str | None,
    count: int,
    short: int,
) -> None:
    model = models[kind]
    seen, gone = np.array(context, np.int64), np.array(excluded, np.int64)
    named = {f"p{number:05d}": factor for number, factor in boosts.items()}
    who = (customer, visitor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortlist, "SHORT", short)
        found = ranked(
            model,
            find_reader(model, *who),
            seen,
            placement,
            excluded=gone,
            boosts=named,
            count=count,
        )
    assert found.tolist() == dense(model, seen, placement, gone, named, who, count)


# Of 400 products, nearly all are neighbours of what anybody looked at.
@pytest.mark.parametrize("kind", ["bought", "opened", "bestsellers"])
def test_most_answers_score_a_part_of_the_products(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(shortlist, "SHORT", 60)
    scored: list[int] = []
    whole = Visit.scores

    def counted(visit: Visit, at: np.ndarray | None = None) -> np.ndarray:
        scored.append(PRODUCTS if at is None else len(at))
        return whole(visit, at)

    monkeypatch.setattr(Visit, "scores", counted)
    model = models[kind]
    for number in range(50):
        reader = find_reader(model, None, f"w{number:04d}")
        context = np.array([number, 3 * number])
        free = {"excluded": context, "boosts": {}, "count": 10}
        ranked(model, reader, context, "home", **free)  # type: ignore[arg-type]
    assert np.median(scored) < 0.6 * PRODUCTS


def test_a_bound_guessed_too_high_costs_a_second_look_and_no_more(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two products wanted of a bound that leaves one: scored again, not all."""
    monkeypatch.setattr(shortlist, "SHORT", 1)
    scored: list[int] = []
    whole = Visit.scores

    def counted(visit: Visit, at: np.ndarray | None = None) -> np.ndarray:
        scored.append(PRODUCTS if at is None else len(at))
        return whole(visit, at)

    monkeypatch.setattr(Visit, "scores", counted)
    model, none = models["bought"], np.zeros(0, np.int64)
    excluded = none
    for _ in range(40):  # the best are excluded one by one, so that bounds differ
        free = {"excluded": excluded, "boosts": {}, "count": 3}
        context = np.array([0, 5, 9])
        found = ranked(model, find_reader(model, None), context, "home", **free)  # type: ignore[arg-type]
        excluded = np.append(excluded, found[0])
    assert len(scored) > 40  # some took a second look
    assert PRODUCTS not in scored


def test_chances_near_one_are_not_bounded_and_all_is_scored(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A factor decides where all chances are near 1: the bound says nothing then."""
    monkeypatch.setattr(shortlist, "SMALL", 0)
    monkeypatch.setattr(shortlist, "SHORT", 10)
    model = models["bestsellers"]
    rng = np.random.default_rng(1)
    arrays = {
        **model.arrays,
        "base_logit": rng.uniform(5, 30, PRODUCTS).astype(np.float32),
        "factor": rng.uniform(0.9, 1.1, PRODUCTS).astype(np.float32),
    }
    model = with_cells(changed(model, arrays=arrays))
    none = np.zeros(0, np.int64)
    reader, free = find_reader(model, None), {"excluded": none, "boosts": {}}
    found = ranked(model, reader, none, "home", count=10, **free)  # type: ignore[arg-type]
    assert found.tolist() == dense(model, none, "home", none, {}, (None, None), 10)


def test_a_model_of_before_is_still_answered_from(models: dict[str, Model]) -> None:
    model, none = models["looked"], np.zeros(0, np.int64)
    arrays = {n: a for n, a in model.arrays.items() if not n.startswith("cell_")}
    old, reader = changed(model, arrays=arrays), find_reader(model, None, "w0003")
    free = {"excluded": none, "boosts": {}, "count": 10}
    before, now = (
        ranked(one, reader, none, "home", **free)  # type: ignore[arg-type]
        for one in (old, model)
    )
    assert before.tolist() == now.tolist()


def test_a_small_catalogue_has_no_cells(models: dict[str, Model]) -> None:
    model = models["bought"]
    arrays = {n: a for n, a in model.arrays.items() if not n.startswith("cell_")}
    small = changed(model, arrays=arrays)
    assert with_cells(small) is small
