"""Settings files: the shipped ones load, impossible ones are refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.simulator.world.spec import (
    SIZES,
    WORLDS,
    load_world,
    read_world,
    size_of,
)

SHARES = (
    ("goods", "new_share"),
    ("people", "tracked"),
    ("funnel", "pay"),
    ("service", "resale"),
    ("mail", "dogs"),
    ("rival", "react"),
    ("promotions", "cut"),
)
NEVER_NEGATIVE = (
    ("goods", "quality_sd"),
    ("people", "tier_sd"),
    ("funnel", "rival_weight"),
    ("money", "parcel_minor"),
    ("mail", "fatigue"),
)


def text_of(world: str) -> str:
    path = files("cartwheel.simulator") / "worlds" / f"{world}.toml"
    return path.read_text(encoding="utf-8")


def changed(section: str, name: str, value: object) -> str:
    """Return apparel's settings with one value replaced."""
    return write({**tomllib.loads(text_of("apparel"))}, section, name, value)


def write(settings: dict[str, Any], section: str, name: str, value: object) -> str:
    settings[section] = {**settings[section], name: value}
    head = [f"{key} = {put(v)}" for key, v in settings.items() if not nested(v)]
    parts = [
        f"[{key}]\n" + "\n".join(f"{k} = {put(v)}" for k, v in part.items())
        for key, part in settings.items()
        if nested(part)
    ]
    return "\n".join(head + parts)


def nested(value: object) -> bool:
    return isinstance(value, Mapping)


def put(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {put(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(put(one) for one in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return repr(value)


@pytest.mark.parametrize("name", WORLDS)
def test_every_shipped_world_loads_under_its_name(name: str) -> None:
    world = load_world(name)
    assert world.name == name
    assert world.doc
    assert len({c.name for c in world.goods.categories}) == len(world.goods.categories)


def test_hostile_is_sparse_and_noisy_and_the_others_are_not() -> None:
    assert load_world("hostile").visitors < 1
    assert load_world("hostile").noise > 0
    for name in set(WORLDS) - {"hostile"}:
        assert (load_world(name).visitors, load_world(name).noise) == (1.0, 0.0)


def test_a_world_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(changed("funnel", "pay", 0.25), encoding="utf-8")
    assert load_world(str(path)).funnel.pay == 0.25


@pytest.mark.parametrize("name", ["atlantis", "worlds/none.toml", "apparel.txt", ""])
def test_an_unknown_world_names_the_known_ones(name: str) -> None:
    with pytest.raises(Misuse, match="no world") as said:
        load_world(name)
    assert all(world in said.value.next_step for world in WORLDS)


def test_a_file_that_is_no_toml_is_refused() -> None:
    with pytest.raises(Misuse, match="not readable TOML"):
        read_world("name = ", "mine.toml")


@given(
    field=st.sampled_from(SHARES),
    value=st.one_of(
        st.floats(-1e6, -1e-6), st.floats(1 + 1e-6, 1e6), st.just(float("nan"))
    ),
)
def test_no_share_leaves_its_range(field: tuple[str, str], value: float) -> None:
    with pytest.raises(Misuse) as said:
        read_world(changed(*field, value), "mine.toml")
    assert ".".join(field) in said.value.message
    assert str(value)[:8] in said.value.message


@given(field=st.sampled_from(NEVER_NEGATIVE), value=st.integers(-(10**9), -1))
def test_negative_sizes_are_refused(field: tuple[str, str], value: int) -> None:
    with pytest.raises(Misuse) as said:
        read_world(changed(*field, value), "mine.toml")
    assert ".".join(field) in said.value.message


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("funnel", "payy", 0.3),
        ("visits", "week", [1.0] * 6),
        ("goods", "categories", []),
        ("supply", "suppliers", []),
        ("funnel", "more_units", 1.0),
        ("money", "currency", "euro"),
        ("visits", "per_person_day", 0.0),
        ("funnel", "slots", "many"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    section: str, name: str, value: object
) -> None:
    with pytest.raises(Misuse) as said:
        read_world(changed(section, name, value), "mine.toml")
    assert f"{section}.{name}" in said.value.message


def test_prices_of_a_category_must_be_in_order() -> None:
    text = text_of("apparel").replace("high_minor = ", "high_minor = 1 # ", 1)
    with pytest.raises(Misuse, match="is not above low_minor"):
        read_world(text, "mine.toml")


def test_a_missing_section_is_named() -> None:
    with pytest.raises(Misuse, match="goods"):
        read_world('name = "empty"\ndoc = "Nothing."', "mine.toml")


def test_sizes_grow_and_unknown_ones_are_refused() -> None:
    sizes = [size_of(name) for name in ("small", "standard", "large")]
    assert [s.products for s in sizes] == sorted(s.products for s in sizes)
    assert all(0 < s.warmup_days < s.days for s in SIZES.values())
    with pytest.raises(Misuse, match="no size"):
        size_of("huge")
