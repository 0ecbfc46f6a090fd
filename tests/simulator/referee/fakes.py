"""A world that takes no time and arms that misbehave; a child imports only this."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cartwheel.errors import Misuse
from cartwheel.simulator.referee import batch
from cartwheel.simulator.referee.batch import Job
from cartwheel.simulator.referee.results import Run


@dataclass(frozen=True)
class Spec:
    """The part of a world's settings that a batch looks at."""

    name: str
    visitors: float = 1.0

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        assert mode == "json"
        return {"name": self.name, "visitors": self.visitors}


def fake_world(name: str) -> Spec:
    """A name as `dull` or the path of a settings file."""
    return Spec(Path(name).stem)


def result(world: str, size: str, seed: int, arm: str, **values: Any) -> Run:
    made: dict[str, Any] = {"seconds": 2.0, "visits": 10, "orders": 1, **values}
    return Run(
        world=fake_world(world).name,
        size=size,
        seed=seed,
        arm=arm,
        state="done",
        **made,
    )


def play(
    world: str,
    size: str,
    seed: int,
    arms: Sequence[str],
    *,
    on_day: Callable[[int, int], None],
    place: Path,
) -> Iterator[Any]:
    """Play arms that behave as they are called, and note each."""
    for arm in arms:
        with open(place / "played.txt", "a", encoding="utf-8") as notes:
            notes.write(f"{seed} {arm}\n")
        on_day(1, 2)
        print("a policy's own words")
        yield behave(arm, functools.partial(result, world, size, seed), place)


def behave(arm: str, of: Callable[..., Run], place: Path) -> Any:
    match arm:
        case "raises" if not (place / "mended").exists():
            return 1 / 0
        case "mistaken":
            raise Misuse("It is wrong.", "Do it right.")
        case "garbage":
            return "a word"
        case "stranger":
            return of("someone-else")
        case "no-number":
            return of(arm, profit_minor=float("nan"))
        case "endless-part":
            return of(arm, parts={"cost": float("-inf") * -1})
        case "fraction":
            return of(arm, profit_minor=1.5)
        case "unstorable":
            return of(arm, figures={"\ud800": 1.0})
        case "unsendable":
            return of(arm, figures={"a": lambda: None})
        case "out-of-memory":
            raise MemoryError
        case "leaves":
            sys.exit(0)
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "quits":
            os._exit(7)
        case "hangs":
            # Held open as long as this process lives.
            os.open(place / "alive", os.O_WRONLY)
            signal.pause()
        case "no-ai" | "isolated" | "outsider":
            return of(arm, figures={"process": float(os.getpid())})
        case "by-path":
            return replace(of(arm), world="some/folder/dull.toml")
        case "threads":
            return of(arm, figures={n: float(os.environ[n]) for n in batch.ONE_THREAD})
    return of(arm, profit_minor=100)


def play_first(
    world: str, size: str, seed: int, arms: Sequence[str], **_: Any
) -> Iterator[Run]:
    if arms[0] == "a":
        yield result(world, size, seed, "a")


def play_and_raise(
    world: str, size: str, seed: int, arms: Sequence[str], **_: Any
) -> Iterator[Run]:
    for arm in arms:
        yield result(world, size, seed, arm)
    raise MemoryError


def run_and_tell(place: Path) -> None:
    """Run a batch that prints how many arms are done, in a process to be killed."""
    from cartwheel.simulator.world import spec

    spec.load_world = fake_world  # type: ignore[assignment]
    batch.run_batch(
        [Job(world="dull", size="small", seed=0, arms=("before", "hangs", "after"))],
        place / "out",
        workers=2,
        seconds=60,
        progress=lambda progress: print(progress.done, flush=True),
        play=functools.partial(play, place=place),
    )
