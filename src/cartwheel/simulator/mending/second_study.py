"""How often what a test foretold of the next fixes came true, over some worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cartwheel.measure.kpi.intervals import wilson
from cartwheel.simulator.mending.second import SecondWave, play_second
from cartwheel.simulator.mending.study import aligned

HEADER: tuple[str, ...] = (
    *("seed", "fixed", "held out", "foretold share", "95 % interval", "mended next"),
    *("back unmended", "truth", "for size alone", "holds it"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondStudy:
    """What was found over some worlds.

    Attributes:
        worlds: Every world, in order.
    """

    worlds: tuple[SecondWave, ...]

    @property
    def told(self) -> int:
        """Worlds whose first test could tell, with a second wave to compare with."""
        return sum(one.covered is not None for one in self.worlds)

    @property
    def covered(self) -> int:
        """Of these, the interval foretold holds the truth."""
        return sum(bool(one.covered) for one in self.worlds)

    @property
    def off(self) -> float | None:
        """Share foretold less the truth, on the average of worlds told."""
        apart = [
            one.foretold[0] - one.truth
            for one in self.worlds
            if one.foretold is not None and one.truth is not None
        ]
        return sum(apart) / len(apart) if apart else None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "worlds": [{**asdict(one), "covered": one.covered} for one in self.worlds],
            "told": self.told,
            "covered": self.covered,
            "off": self.off,
        }


def second_study(
    seeds: Iterable[int], *, say: Callable[[str], None] = lambda _: None
) -> SecondStudy:
    """Play a world with two waves of fixes for each seed, and without any.

    Args:
        seeds: Numbers of the worlds.
        say: Told how far it is, one line a world.
    """
    found = []
    for seed in seeds:
        one = play_second(seed)
        found.append(one)
        say(" ".join(_row(one)))
    return SecondStudy(worlds=tuple(found))


def _row(one: SecondWave) -> tuple[str, ...]:
    share, ends = "not told", "–"
    if one.foretold is not None:
        share = f"{one.foretold[0]:.0%}"
        ends = f"{one.foretold[1]:.0%} to {one.foretold[2]:.0%}"
    holds = {True: "yes", False: "NO", None: "–"}[one.covered]
    return (
        *(str(one.seed), str(one.fixed), str(one.held_out), share, ends),
        *(str(one.mended), str(one.back), _share(one.truth), _share(one.for_size)),
        holds,
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def text_second(found: SecondStudy) -> list[str]:
    """Return a study as lines for a terminal."""
    lines = aligned([HEADER, *(_row(one) for one in found.worlds)])
    low, high = wilson(found.covered, max(found.told, 1))
    off = ""
    if found.off is not None:
        off = f"; foretold less truth {found.off:+.0%} on average"
    return [
        *lines,
        "",
        "The interval foretold holds what the second wave took back in "
        f"{found.covered} of {found.told} worlds told ({low:.0%} to {high:.0%}){off}.",
    ]
