"""The wheel: levers on an inner ring, the signals that feed them around it.

A signal's live value stands on its own node, because every link that leaves it carries
the same table; what one lever tells another is written on the link itself.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cartwheel.svg import clean, drawing, number, shorten, tag

WIDTH, HEIGHT = 1040, 680
LEVER_BOX = (168.0, 48.0)
SOURCE_BOX = (174.0, 40.0)
LABEL_HEIGHT = 30.0
INNER, OUTER = (216.0, 164.0), (430.0, 308.0)
"""Radii of the two rings in pixels, across and up."""
Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelNode:
    """A lever or a signal.

    Attributes:
        name: Unique name, used by links.
        title: Text on the node.
        detail: Second line: a lever's state, a signal's value.
        group: "growth", "productivity", "value-chain", "profitability" for levers,
            "source" for signals.
        state: Class of the state dot, "" for none.
        href: Page of the node, "" for none.
    """

    name: str
    title: str
    detail: str = ""
    group: str = "source"
    state: str = ""
    href: str = ""

    @property
    def box(self) -> tuple[float, float]:
        """Width and height."""
        return SOURCE_BOX if self.group == "source" else LEVER_BOX


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelLink:
    """A signal on its way from a writer to a reader.

    Attributes:
        start: Name of the node it leaves.
        end: Name of the node it reaches.
        signal: Signal carried.
        value: Its live value in words.
        state: "live", "neutral", "stale" or "cut".
    """

    start: str
    end: str
    signal: str
    value: str
    state: str = "live"


def wheel(nodes: Sequence[WheelNode], links: Sequence[WheelLink], label: str) -> str:
    """Draw the wheel.

    Args:
        nodes: Levers and signals; levers keep their order around the ring.
        links: Links between them; a link to an unknown node is left out.
        label: Name of the drawing, read by screen readers.
    """
    by_name = {node.name: node for node in nodes}
    links = [x for x in links if x.start in by_name and x.end in by_name]
    spots = place(nodes, links)
    if not spots:
        return ""
    taken = [_box(spots[node.name], node.box) for node in nodes]
    drawn, labels = [], []
    for link in links:
        start, end = by_name[link.start], by_name[link.end]
        curve = _curve(spots[start.name], start.box, spots[end.name], end.box)
        colour = start.group if start.group != "source" else end.group
        drawn.append(_link(link, curve, colour))
        if start.group != "source":
            labels.append(_label(link, curve, taken))
    return drawing(
        _arrows(),
        _rim(*INNER),
        _rim(*OUTER),
        tag("g", *drawn, class_="links"),
        tag("g", *labels, class_="labels", aria_hidden="true"),
        *[_node(node, spots[node.name]) for node in nodes],
        width=WIDTH,
        height=HEIGHT,
        label=label,
        class_="chart wheel",
        role="group",
    )


def place(nodes: Sequence[WheelNode], links: Sequence[WheelLink]) -> dict[str, Point]:
    """Return the centre of each node: levers inside, signals near their readers."""
    levers = [n.name for n in nodes if n.group != "source"]
    sources = [n.name for n in nodes if n.group == "source"]
    angle = {
        name: -math.pi / 2 + 2 * math.pi * i / len(levers)
        for i, name in enumerate(levers)
    }
    spots = {name: _on_ring(angle[name], *INNER) for name in levers}
    wanted = _wanted_angles(sources, links, angle)
    order = sorted(sources, key=lambda name: (wanted[name], name))
    slots = _slots(len(order))
    shift = min(
        range(len(order)),
        key=lambda s: sum(
            _apart(wanted[name], slots[(i + s) % len(order)])
            for i, name in enumerate(order)
        ),
        default=0,
    )
    for i, name in enumerate(order):
        spots[name] = _on_ring(slots[(i + shift) % len(order)], *OUTER)
    return spots


def _slots(count: int) -> list[float]:
    """Return angles on the outer ring that leave every signal's node its room.

    Steps along the ring are measured in nodes: wide where it runs level, high where
    it runs upright. Even steps in that measure keep neighbours from overlapping.
    """
    fine = 1440
    turns = [2 * math.pi * i / fine - math.pi for i in range(fine + 1)]
    points = [_on_ring(angle, *OUTER) for angle in turns]
    walked = [0.0]
    for (ax, ay), (bx, by) in pairwise(points):
        wide, high = SOURCE_BOX[0] + 10, SOURCE_BOX[1] + 10
        walked.append(walked[-1] + max(abs(bx - ax) / wide, abs(by - ay) / high))
    wanted = [walked[-1] * (i + 0.5) / count for i in range(count)]
    return [turns[bisect_left(walked, at)] for at in wanted]


def _wanted_angles(
    sources: Sequence[str], links: Sequence[WheelLink], angle: dict[str, float]
) -> dict[str, float]:
    wanted: dict[str, float] = {}
    # Twice: a signal that only feeds another signal follows it on the second pass.
    for _ in range(2):
        for name in sources:
            ends = [x.end for x in links if x.start == name]
            ends += [x.start for x in links if x.end == name]
            at = [angle.get(e, wanted.get(e)) for e in ends]
            x = sum(math.cos(a) for a in at if a is not None)
            y = sum(math.sin(a) for a in at if a is not None)
            wanted[name] = math.atan2(y, x)
    return wanted


def _on_ring(angle: float, rx: float, ry: float) -> Point:
    return WIDTH / 2 + rx * math.cos(angle), HEIGHT / 2 + ry * math.sin(angle)


def _apart(a: float, b: float) -> float:
    return abs(math.atan2(math.sin(a - b), math.cos(a - b))) ** 2


def _box(centre: Point, size: tuple[float, float]) -> Box:
    (x, y), (w, h) = centre, size
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _edge(
    centre: Point, size: tuple[float, float], towards: Point, gap: float
) -> Point:
    """Return where the way to a point leaves the node's box."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    w, h = size[0] / 2 + gap, size[1] / 2 + gap
    share = min(w / abs(dx) if dx else math.inf, h / abs(dy) if dy else math.inf, 1.0)
    return centre[0] + dx * share, centre[1] + dy * share


def _curve(
    a: Point, a_box: tuple[float, float], b: Point, b_box: tuple[float, float]
) -> tuple[Point, Point, Point]:
    """Return start, control and end of a quadratic curve, bowed to its left."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    bow = 0.13 * length
    control = (
        (a[0] + b[0]) / 2 + dy / length * bow,
        (a[1] + b[1]) / 2 - dx / length * bow,
    )
    return _edge(a, a_box, control, 2), control, _edge(b, b_box, control, 7)


def _at(curve: tuple[Point, Point, Point], t: float) -> Point:
    (ax, ay), (cx, cy), (bx, by) = curve
    u = 1 - t
    return (
        u * u * ax + 2 * u * t * cx + t * t * bx,
        u * u * ay + 2 * u * t * cy + t * t * by,
    )


def _link(link: WheelLink, curve: tuple[Point, Point, Point], colour: str) -> str:
    (ax, ay), (cx, cy), (bx, by) = curve
    said = f"{link.signal} → {link.end}: {link.value}"
    if link.state != "live":
        said += f" ({link.state})"
    path = f"M{number(ax)} {number(ay)} Q{number(cx)} {number(cy)} "
    return tag(
        "path",
        tag("title", clean(said)),
        class_=f"link group-{colour} is-{link.state}",
        d=path + f"{number(bx)} {number(by)}",
        marker_end=f"url(#arrow-{colour})",
        data_from=link.start,
        data_to=link.end,
    )


def _label(link: WheelLink, curve: tuple[Point, Point, Point], taken: list[Box]) -> str:
    """Write a link's signal and value where it covers the least of anything else."""
    value = "cut" if link.state == "cut" else short_value(link.value, 27)
    name = shorten(link.signal.replace("_", " "), 24)
    width = 10 + 6.3 * max(len(name), len(value))
    size = (width, LABEL_HEIGHT)
    spot = min(
        (
            (x, y + off)
            for off in (0.0, -26.0, 26.0)
            for x, y in (_at(curve, t) for t in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8))
        ),
        key=lambda p: sum(_overlap(_box(p, size), box) for box in taken),
    )
    taken.append(_box(spot, size))
    x, y = spot
    return tag(
        "g",
        tag(
            "rect",
            class_="plate",
            x=x - width / 2,
            y=y - LABEL_HEIGHT / 2,
            width=width,
            height=LABEL_HEIGHT,
            rx=5,
        ),
        tag("text", clean(name), class_="label", x=x, y=y - 2, text_anchor="middle"),
        tag("text", clean(value), class_="tick", x=x, y=y + 11, text_anchor="middle"),
        class_="link-label",
        data_from=link.start,
        data_to=link.end,
    )


def short_value(text: str, length: int) -> str:
    """Return a value that fits; its first part says the most, so it is kept whole."""
    return text if len(text) <= length else shorten(text.partition(", ")[0], length)


def _overlap(a: Box, b: Box) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)


def _node(node: WheelNode, centre: Point) -> str:
    x, y = centre
    w, h = node.box
    lines = 2 if node.detail else 1
    parts = [
        tag(
            "title",
            clean(f"{node.title}: {node.detail}" if node.detail else node.title),
        ),
        tag(
            "rect",
            class_="node",
            x=x - w / 2,
            y=y - h / 2,
            width=w,
            height=h,
            rx=h / 2 if node.group == "source" else 10,
        ),
        tag(
            "text",
            clean(shorten(node.title, 19)),
            class_="name",
            x=x,
            y=y + (4.5 if lines == 1 else -3),
            text_anchor="middle",
        ),
    ]
    if node.detail:
        parts.append(
            tag(
                "text",
                clean(short_value(node.detail, 27)),
                class_="tick",
                x=x,
                y=y + 13,
                text_anchor="middle",
            )
        )
    if node.state:
        parts.append(
            tag(
                "circle",
                class_=f"state is-{node.state}",
                cx=x - w / 2 + 12,
                cy=y - h / 2 + 12,
                r=4,
            )
        )
    name = "a" if node.href else "g"
    return tag(
        name,
        *parts,
        href=node.href or None,
        class_=f"wheel-node group-{node.group}",
        data_node=node.name,
    )


def _rim(rx: float, ry: float) -> str:
    return tag("ellipse", class_="rim", cx=WIDTH // 2, cy=HEIGHT // 2, rx=rx, ry=ry)


def _arrows() -> str:
    groups = ("growth", "productivity", "value-chain", "profitability", "source")
    return tag(
        "defs",
        *[
            tag(
                "marker",
                tag("path", d="M0 0 L8 4 L0 8 z", class_=f"head group-{group}"),
                id=f"arrow-{group}",
                viewBox="0 0 8 8",
                refX=7,
                refY=4,
                markerWidth=7,
                markerHeight=7,
                markerUnits="userSpaceOnUse",
                orient="auto",
            )
            for group in groups
        ],
    )
