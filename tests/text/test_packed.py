from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.text.packed import find, hashes, pack, unpack


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_packed_texts_come_back(texts: list[str]) -> None:
    said, start = pack(texts)
    assert [unpack(said, start, n) for n in range(len(texts))] == texts


@given(st.sets(st.text(max_size=5), min_size=1))
def test_texts_are_found_by_their_hash(texts: set[str]) -> None:
    keys = np.sort(hashes(sorted(texts)))
    assert all(find(keys, text) >= 0 for text in texts)
    assert find(keys, "not one of them at all") == -1
