"""Search by meaning: what words do not say, within everything words must keep to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.levers.base import Model
from cartwheel.levers.search import Search, meaning
from cartwheel.signals.base import Signals
from cartwheel.signals.search_clicks import SEARCH_CLICKS
from tests.levers.made import replace, with_options
from tests.levers.test_search import ask, found, shop

LEVER = Search()
MEANINGS = {
    word: number
    for number, words in enumerate(
        [
            ["sofa", "couch", "settee"],
            ["lamp", "light", "lantern"],
            ["cup", "mug", "beaker"],
            ["spade", "shovel", "digging"],
        ]
    )
    for word in words
}
TITLES = ["Grey sofa", "Desk lamp", "Blue mug", "Garden spade", "Red couch"]


class Concepts:
    """Words that mean alike point the same way; others point nowhere in particular."""

    dimensions = 8

    def __init__(self, fingerprint: str = "one") -> None:
        self.fingerprint = fingerprint
        self.read: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        self.read += texts
        out = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().replace(".", " ").split():
                out[row, MEANINGS.get(word, 4 + len(word) % 4)] += (
                    1.0 if word in MEANINGS else 0.2
                )
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def concepts(monkeypatch: pytest.MonkeyPatch) -> Concepts:
    made = Concepts()
    monkeypatch.setattr(meaning, "open_embedder", lambda where: made)
    monkeypatch.setattr(meaning, "_queries", meaning._Queries())
    monkeypatch.setattr(meaning, "_refused", set())
    return made


def shop_by_meaning(titles: Sequence[str] = TITLES, **columns: Any) -> Signals:
    options = {"search": {"model_folder": "made", **columns.pop("options", {})}}
    return with_options(shop(titles, **columns), options)


def learned(data: Signals, previous: Model | None = None) -> Model:
    return LEVER.learn(data, previous, seed=1)


def test_a_paraphrase_is_found_by_its_meaning(concepts: Concepts) -> None:
    model = learned(shop_by_meaning())
    assert found(model, "settee") == ["p00", "p04"]
    assert found(model, "sofa") == ["p00", "p04"]  # the word itself comes first
    (slot,) = ask(model, "beaker").slots
    assert slot.product_id == "p02"
    assert slot.reason == "Close in meaning to what was searched for"
    assert ask(model, "sofa").slots[0].reason == "Says sofa"


def test_without_a_model_words_are_all_there_is(concepts: Concepts) -> None:
    assert found(learned(shop(TITLES)), "settee") == []
    assert concepts.read == []


def test_who_is_held_out_gets_words_alone(concepts: Concepts) -> None:
    assert found(learned(shop_by_meaning()), "settee", holdout=True) == []
    assert found(learned(shop_by_meaning()), "sofa", holdout=True) == ["p00"]


def test_meaning_keeps_to_what_may_be_shown(concepts: Concepts) -> None:
    data = shop_by_meaning(active=[True, True, True, True, False])
    assert found(learned(data), "settee") == ["p00"]
    assert found(learned(data), "settee", excluded=frozenset(["p00"])) == []


def test_constraints_hold_for_what_is_found_by_meaning(concepts: Concepts) -> None:
    model = learned(shop_by_meaning(price_minor=[90000, 3000, 900, 2500, 40000]))
    answer = ask(model, "settee under 500")
    assert [slot.product_id for slot in answer.slots] == ["p04"]
    assert [chip["query"] for chip in answer.about["chips"]] == ["settee"]


def test_a_text_is_read_once_and_again_when_it_changes(concepts: Concepts) -> None:
    first = learned(shop_by_meaning())
    assert len(concepts.read) == len(TITLES)
    again = learned(shop_by_meaning(), first)
    assert len(concepts.read) == len(TITLES)
    assert again.fingerprint() == first.fingerprint()
    changed = learned(shop_by_meaning(["Floor lantern", *TITLES[1:], "Cup"]), again)
    assert sorted(concepts.read[len(TITLES) :]) == ["Cup", "Floor lantern"]
    assert set(found(changed, "light")) == {"p00", "p01"}
    assert set(found(changed, "beaker")) == {"p02", "p05"}
    assert found(changed, "settee") == ["p04"]


def test_a_turn_reads_so_many_and_the_next_goes_on(concepts: Concepts) -> None:
    data = shop_by_meaning(options={"model_texts": 2})
    model = None
    for read in (2, 4, 5, 5):
        model = learned(data, model)
        assert len(concepts.read) == read
    assert found(model, "settee") == ["p00", "p04"]


def test_vectors_of_another_model_are_not_compared(
    concepts: Concepts, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = learned(shop_by_meaning())
    other = Concepts("two")
    monkeypatch.setattr(meaning, "open_embedder", lambda where: other)
    assert found(old, "settee") == []  # words alone
    assert found(old, "sofa") == ["p00"]
    new = learned(shop_by_meaning(), old)
    assert len(other.read) == len(TITLES)
    assert found(new, "settee") == ["p00", "p04"]


def test_a_model_that_is_gone_leaves_words(
    concepts: Concepts, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = learned(shop_by_meaning())

    def gone(where: str) -> Concepts:
        raise Misuse(f"{where} is gone.", "Bring it back.")

    monkeypatch.setattr(meaning, "open_embedder", gone)
    assert found(model, "sofa") == ["p00"]
    with pytest.raises(Misuse, match="gone"):
        learned(shop_by_meaning())


@pytest.mark.parametrize("value", [3, True, None, ["made"]])
def test_a_folder_is_text(value: Any) -> None:
    with pytest.raises(Misuse, match=r"levers\.search\.model_folder .* expected text"):
        learned(with_options(shop(TITLES), {"search": {"model_folder": value}}))


def test_the_order_is_learned_from_meanings_too(concepts: Concepts) -> None:
    """What is clicked is close in meaning and says no word of the query."""
    kinds = list(dict.fromkeys(MEANINGS.values()))
    words = {kind: [w for w, k in MEANINGS.items() if k == kind] for kind in kinds}
    titles = [f"{words[k][0]} item{i:03}" for k in kinds for i in range(60)]
    data = shop_by_meaning(titles, options={"clicks_to_learn": 1})
    rows = [
        {
            "query": f"{words[k][2]} item{i:03}",
            "product_id": f"p{60 * k + (i * 7 + j) % 60:02}",
            "shown": 4,
            "expected_clicks": 1.0,
            "clicks": 4,
            "carts": 1,
        }
        for k in kinds
        for i in range(60)
        for j in range(2)
    ]
    model = learned(replace(data, SEARCH_CLICKS, pd.DataFrame(rows)))
    assert model.meta["clicks"] > 0
    best = found(model, words[1][2], limit=20)
    assert len(best) == 20
    assert all(titles[int(name[1:])].startswith(words[1][0]) for name in best)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80), st.booleans(), st.integers(0, 10))
def test_any_query_is_answered_with_open_products_once(
    text: str, holdout: bool, offset: int
) -> None:
    made = Concepts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meaning, "open_embedder", lambda where: made)
        patch.setattr(meaning, "_queries", meaning._Queries())
        model = learned(shop_by_meaning(active=[True, True, False, True, True]))
        names = found(model, f"settee {text}", holdout=holdout, offset=offset)
    assert len(names) == len(set(names))
    assert "p02" not in names
