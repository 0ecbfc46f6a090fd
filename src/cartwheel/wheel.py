"""The wheel: which levers there are, how signals link them, which links are cut.

Wiring is data. A link is named `signal→reader`; the reader is a lever or, where one
signal is made from another, a signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import entry_points

from sqlalchemy import Engine, delete, select

from cartwheel.errors import Failure, Misuse
from cartwheel.levers.base import Kind, Lever
from cartwheel.operations import link_cuts, now_text, reading
from cartwheel.signals.base import Signal
from cartwheel.signals.registry import LAKE_SIGNALS

ARROW = "→"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of the wheel.

    Attributes:
        signal: Name of the signal carried.
        writer: "lake" or the lever that writes it.
        reader: Lever or signal that reads it.
        lagged: The reader sees what the previous turn wrote.
    """

    signal: str
    writer: str
    reader: str
    lagged: bool

    @property
    def name(self) -> str:
        """`signal→reader`."""
        return f"{self.signal}{ARROW}{self.reader}"


@cache
def find_levers() -> Mapping[str, Lever]:
    """Return every installed lever by name, ours and plug-ins alike.

    Raises:
        Failure: If a plug-in cannot be loaded or does not keep the contract.
    """
    found: dict[str, Lever] = {}
    for point in sorted(entry_points(group="cartwheel.levers"), key=lambda p: p.name):
        try:
            lever = point.load()()
        except Exception as error:
            raise Failure(
                f"The lever {point.name} ({point.value}) cannot be loaded: {error}.",
                "Repair or uninstall the package that brings it.",
            ) from error
        check_lever(lever, point.name)
        found[point.name] = lever
    return found


def check_lever(lever: object, name: str) -> None:
    """Raise `Failure` when an object does not keep the lever contract."""
    if not isinstance(lever, Lever):
        raise Failure(
            f"The lever {name} does not keep the contract: it is a "
            f"{type(lever).__name__} without all of the contract's members.",
            "See docs/extending.md for what a lever must have.",
        )
    if lever.name != name:
        raise Failure(
            f"The lever {name} calls itself {lever.name!r}.",
            "Give the entry point and the lever the same name.",
        )


def order_levers(levers: Mapping[str, Lever]) -> list[Lever]:
    """Return levers so that writers come before their readers.

    Lagged signals do not count: they come from the previous turn.

    Raises:
        Failure: If levers read one another in a circle, or two write one signal.
    """
    writers: dict[str, str] = {}
    for lever in levers.values():
        for signal in lever.writes:
            other = writers.setdefault(signal.name, lever.name)
            if other != lever.name:
                raise Failure(
                    f"The signal {signal.name} is written by {other} and {lever.name}.",
                    "Uninstall one of them, or rename its signal.",
                )
    graph = {
        name: {
            writers[signal.name]
            for signal in lever.reads
            if not signal.lagged and writers.get(signal.name, name) != name
        }
        for name, lever in sorted(levers.items())
    }
    try:
        return [levers[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise Failure(
            f"The levers {' → '.join(error.args[1])} wait for one another.",
            "Declare one of the signals between them as lagged.",
        ) from error


def find_links(levers: Mapping[str, Lever]) -> list[Link]:
    """Return every link of the wheel, sorted by name."""
    links = [
        Link(
            signal=signal.name,
            writer=signal.writer,
            reader=lever.name,
            lagged=signal.lagged,
        )
        for lever in levers.values()
        for signal in lever.reads
    ]
    for signal in LAKE_SIGNALS.values():
        links += [
            Link(signal=name, writer="lake", reader=signal.name, lagged=False)
            for name in signal.reads
        ]
    return sorted(links, key=lambda link: link.name)


def all_signals(levers: Mapping[str, Lever]) -> dict[str, Signal]:
    """Return every signal by name, also those whose writer is not installed."""
    named = {
        signal.name: signal
        for lever in levers.values()
        for signal in (*lever.reads, *lever.writes)
    }
    return {**named, **LAKE_SIGNALS}


def find_kinds(levers: Mapping[str, Lever]) -> dict[str, Kind]:
    """Return every kind of decision by name."""
    return {kind.name: kind for lever in levers.values() for kind in lever.kinds}


def parse_link(text: str, links: Iterable[Link]) -> Link:
    """Return the link a person named, `stock→recommend` or `stock->recommend`.

    Raises:
        Misuse: If there is no such link.
    """
    wanted = text.replace("->", ARROW).replace(" ", "")
    by_name = {link.name: link for link in links}
    if wanted not in by_name:
        raise Misuse(
            f"There is no link {text!r}; the links are {', '.join(sorted(by_name))}.",
            "Name one of them, for example: cartwheel wheel --cut 'stock->recommend'",
        )
    return by_name[wanted]


def read_cuts(engine: Engine) -> frozenset[str]:
    """Return the names of the links that are cut."""
    with reading(engine) as con:
        return frozenset(row.link for row in con.execute(select(link_cuts.c.link)))


def cut_link(engine: Engine, link: Link, *, actor: str) -> None:
    """Cut a link from the next turn on; safe to repeat."""
    with engine.begin() as con:
        con.execute(delete(link_cuts).where(link_cuts.c.link == link.name))
        con.execute(
            link_cuts.insert().values(link=link.name, cut_at=now_text(), actor=actor)
        )


def restore_link(engine: Engine, link: Link) -> None:
    """Restore a link from the next turn on; safe to repeat."""
    with engine.begin() as con:
        con.execute(delete(link_cuts).where(link_cuts.c.link == link.name))


def cuts_of(reader: str, cuts: Iterable[str]) -> frozenset[str]:
    """Return the signals a reader must not see."""
    ending = f"{ARROW}{reader}"
    return frozenset(c.removesuffix(ending) for c in cuts if c.endswith(ending))
