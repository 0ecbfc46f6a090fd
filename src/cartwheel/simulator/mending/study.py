"""How often a size confusion is found first, and the measured effect is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cartwheel.measure.kpi.intervals import wilson
from cartwheel.simulator.mending.play import Mended, play


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What was found over some worlds.

    Attributes:
        worlds: Every world, in order.
    """

    worlds: tuple[Mended, ...]

    @property
    def first(self) -> int:
        """Worlds in which the confusion is the costliest proposal."""
        return sum(one.first for one in self.worlds)

    @property
    def told(self) -> int:
        """Worlds with enough products on both sides for an interval."""
        return sum(one.covered is not None for one in self.worlds)

    @property
    def covered(self) -> int:
        """Of these, the interval holds the truth."""
        return sum(bool(one.covered) for one in self.worlds)

    @property
    def decided(self) -> int:
        """Of these, the interval leaves zero out."""
        return sum(
            one.score.found is not None and one.score.found.decided
            for one in self.worlds
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "worlds": [
                {
                    **{k: v for k, v in asdict(one).items() if k != "score"},
                    "covered": one.covered,
                    "found": None
                    if one.score.found is None
                    else one.score.found.to_json(),
                    "lacks": one.score.lacks,
                }
                for one in self.worlds
            ],
            "first": self.first,
            "told": self.told,
            "covered": self.covered,
            "decided": self.decided,
        }


def study(
    seeds: Iterable[int], *, say: Callable[[str], None] = lambda _: None
) -> Study:
    """Play a world for each seed, with fixes and without.

    Args:
        seeds: Numbers of the worlds.
        say: Told how far it is, one line a world.
    """
    found = []
    for seed in seeds:
        one = play(seed)
        found.append(one)
        say(" ".join(_row(one)))
    return Study(worlds=tuple(found))


HEADER: tuple[str, ...] = (
    *("seed", "cut small", "notes", "right", "first", "fixed", "held out"),
    *("truth", "measured", "95 % interval", "holds it"),
)


def _row(one: Mended) -> tuple[str, ...]:
    found = one.score.found
    told = ("not told", one.score.lacks, "–")
    if found is not None:
        told = (
            f"{found.effect:+.1%}",
            f"{found.low:+.1%} to {found.high:+.1%}",
            "yes" if one.covered else "NO",
        )
    return (
        str(one.seed),
        str(one.confused),
        str(one.proposed),
        str(one.right),
        "yes" if one.first else "no",
        str(one.fixed),
        str(one.held_out),
        f"{one.truth:+.1%}",
        *told,
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose cells stand below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def text_study(found: Study) -> list[str]:
    """Return a study as lines for a terminal."""
    lines = aligned([HEADER, *(_row(one) for one in found.worlds)])
    count = len(found.worlds)
    low, high = wilson(found.covered, max(found.told, 1))
    notes = sum(one.proposed for one in found.worlds)
    right = sum(one.right for one in found.worlds)
    return [
        *lines,
        "",
        f"Costliest proposal is a size note on an article cut small: {found.first} of "
        f"{count} worlds; {right:,} of {notes:,} notes are on such articles.",
        f"The interval of the return rate holds the truth in {found.covered} of "
        f"{found.told} worlds told ({low:.0%} to {high:.0%}); it leaves out zero in "
        f"{found.decided}.",
    ]
