"""An outsider's policy runs a world against the public interface and nothing else."""

from __future__ import annotations

import importlib.util
import tomllib
from types import ModuleType

from cartwheel.simulator.arms.base import Page
from cartwheel.simulator.referee.play import play_out
from cartwheel.simulator.world.spec import Size, load_world
from cartwheel.simulator.world.world import World
from tests.turned import ROOT

FOLDER = ROOT / "examples" / "cover-first"
SOURCE = FOLDER / "cover_first.py"
SIZE = Size(products=30, customers=600, warmup_days=7, days=35)


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cover_first", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_example_imports_the_public_interface_only() -> None:
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    ours = {line.split()[1] for line in lines if line.startswith("from cartwheel")}
    assert ours == {"cartwheel.simulator.arms.base"}


def test_example_declares_the_entry_point_the_referee_looks_for() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
    points = project["project"]["entry-points"]["cartwheel.arms"]
    assert points == {"cover-first": "cover_first:CoverFirst"}


def test_example_runs_a_world_to_its_end() -> None:
    world = World(load_world("consumables"), SIZE, 1)
    policy = example().CoverFirst()
    play_out(world, policy)
    assert world.over
    assert world.books.counts["orders"].sum() > 0
    page = Page(
        key=1, placement="home", customer=None, visitor="d1", context=(), limit=5
    )
    (slate,) = policy.slates([page])
    assert len(slate) >= 5
