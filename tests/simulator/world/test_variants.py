"""Variants of worlds: one thing changed, within its range, and the same luck."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.simulator.world.spec import WORLDS, WorldSpec, load_world
from cartwheel.simulator.world.state import make_state
from cartwheel.simulator.world.variants import (
    PARAMETERS,
    split_name,
    variant_names,
    vary,
)
from tests.simulator.world.made import SIZE, make_spec


def changed(one: WorldSpec, other: WorldSpec) -> set[str]:
    """Return which fields of which sections differ."""
    a, b = one.model_dump(), other.model_dump()
    return {
        f"{part}.{name}" if isinstance(a[part], dict) else part
        for part in a
        for name in (a[part] if isinstance(a[part], dict) else [part])
        if (a[part][name] if isinstance(a[part], dict) else a[part])
        != (b[part][name] if isinstance(b[part], dict) else b[part])
    }


@pytest.mark.parametrize("world", WORLDS)
def test_every_variant_of_a_shipped_world_loads(world: str) -> None:
    base = load_world(world)
    names = variant_names(world)
    assert len(set(names)) == 2 * len(PARAMETERS)
    for name in names:
        spec = load_world(name)
        assert spec.name == name
        assert spec.luck == base.luck == world
        assert len(changed(base, spec) - {"name"}) == 1


def test_a_parameter_is_multiplied() -> None:
    base = load_world("apparel")
    low, high = load_world("apparel--markup-low"), load_world("apparel--markup-high")
    assert low.goods.markup == pytest.approx([1.35, 1.8])
    assert high.goods.markup == pytest.approx([2.05, 3.4])
    assert load_world("apparel--visits-high").visits.per_person_day == pytest.approx(
        1.5 * base.visits.per_person_day
    )
    back = [c.returns for c in load_world("apparel--returns-low").goods.categories]
    assert back == [c.returns / 2 for c in base.goods.categories]
    bad = load_world("apparel--supply-high").supply.suppliers[0]
    known = base.supply.suppliers[0]
    assert bad.spread == pytest.approx(1.5 * known.spread)
    assert bad.disruptions == pytest.approx(1.5 * known.disruptions)


@given(st.floats(0.0, 1.0), st.floats(0.001, 1.0), st.sampled_from(PARAMETERS))
def test_values_stay_possible(share: float, visits: float, parameter: object) -> None:
    base = make_spec(visits={"per_person_day": visits})
    values = base.model_dump(mode="json")
    for category in values["goods"]["categories"]:
        category["returns"] = share
    spec = WorldSpec.model_validate(values)
    for way in ("low", "high"):
        vary(spec, f"{parameter.name}-{way}")  # type: ignore[attr-defined]


def test_a_variant_has_the_people_of_its_world() -> None:
    base = make_spec()
    one, other = (
        make_state(spec, SIZE, 1) for spec in (base, vary(base, "returns-high"))
    )
    assert np.array_equal(one.people.taste, other.people.taste)
    assert np.array_equal(one.goods.usual_minor, other.goods.usual_minor)
    assert one.draws.one("visit", 1, 2) == other.draws.one("visit", 1, 2)


@pytest.mark.parametrize(
    "name", ["apparel--", "apparel--taste", "apparel--taste-up", "apparel--luck-low"]
)
def test_an_unknown_variant_is_refused(name: str) -> None:
    with pytest.raises(Misuse):
        load_world(name)


def test_a_variant_of_a_settings_file_is_found(tmp_path: object) -> None:
    assert split_name("my/own--shop.toml--taste-low") == (
        "my/own--shop.toml",
        "taste-low",
    )
    assert split_name("apparel") == ("apparel", "")
