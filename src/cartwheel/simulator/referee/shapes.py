"""Does trade in a world have the shape of real trade? Side by side with two shops.

The world's own records are compared with Online Retail (a British gift shop with many
wholesale buyers) and Olist (a Brazilian marketplace, of which a sample of orders is
stored). Neither sells what the worlds sell, so the shapes are shown, not required.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import NotFound
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.world.spec import load_world, size_of
from cartwheel.simulator.world.world import World
from cartwheel.svg import clean, drawing, known, shorten, tag, ticks

if TYPE_CHECKING:
    import duckdb

Array = np.ndarray[Any, Any]

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Quantiles that are compared."""

TOP_SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
"""Shares of products, best sold first."""

POPULARITY = "product popularity"
DAY = np.timedelta64(1, "D")

ONLINE_RETAIL = """
    SELECT InvoiceNo AS order_id, CAST(CustomerID AS VARCHAR) AS customer_id,
        InvoiceDate AS placed_at, StockCode AS product_id,
        CAST(Quantity AS DOUBLE) AS units, UnitPrice AS price
    FROM read_parquet(?)
    WHERE Quantity > 0 AND UnitPrice > 0 AND regexp_matches(StockCode, '^[0-9]{5}')
        AND NOT starts_with(InvoiceNo, 'C')
"""
OLIST = """
    SELECT o.order_id, c.customer_unique_id AS customer_id,
        o.order_purchase_timestamp AS placed_at, i.product_id,
        CAST(1 AS DOUBLE) AS units, CAST(i.price AS DOUBLE) AS price
    FROM read_parquet(?) AS o
    JOIN read_parquet(?) AS i ON i.order_id = o.order_id
    JOIN read_parquet(?) AS c ON c.customer_id = o.customer_id
    WHERE o.order_status = 'delivered'
"""
SOURCES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Online Retail": (ONLINE_RETAIL, ("online-retail/online_retail.parquet",)),
    "Olist": (
        OLIST,
        (
            "olist/olist_orders_dataset.parquet",
            "olist/olist_order_items_dataset.parquet",
            "olist/olist_customers_dataset.parquet",
        ),
    ),
}
WORLD = """
    SELECT order_id, customer_id, placed_at, product_id,
        CAST(quantity_units AS DOUBLE) AS units,
        CAST(unit_price_minor AS DOUBLE) AS price
    FROM order_lines WHERE kind = 'product'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Order lines; n of them.

    Attributes:
        order: Number of the order, shape (n,).
        customer: Number of the customer, -1 where unknown, shape (n,).
        placed: When, datetime64, shape (n,).
        product: Number of the product, shape (n,).
        units: Shape (n,).
        price: Price of a unit, shape (n,).
    """

    order: Array
    customer: Array
    placed: Array
    product: Array
    units: Array
    price: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One distribution in the world and in a real shop.

    Attributes:
        name: What is distributed.
        doc: Its unit.
        source: The real shop.
        levels: Quantiles, or for popularity shares of the products.
        world: Values in the world at the levels.
        real: Values in the real shop at the levels.
        distance: Largest difference of the two distribution functions
            (Kolmogorov-Smirnov), for popularity of the two Lorenz curves; 0 to 1,
            nan where one of them is empty.
    """

    name: str
    doc: str
    source: str
    levels: tuple[float, ...]
    world: tuple[float, ...]
    real: tuple[float, ...]
    distance: float


def compare_shapes(world: str, size: str, seed: int, data: Path) -> list[Shape]:
    """Play a world without AI and compare its trade with real shops.

    Real shops are cut to their last days, as many as the world has after its warm-up,
    since longer histories hold more orders of a customer.

    Args:
        world: Name of a world or path of a settings file.
        size: Name of a size.
        seed: Number of the world.
        data: Folder of the data sets.

    Raises:
        NotFound: If neither data set is there.
    """
    there = {name: _files(data, files) for name, (_, files) in SOURCES.items()}
    if not any(there.values()):
        raise NotFound(
            f"There is neither Online Retail nor Olist in {data}.",
            "Set CARTWHEEL_DATA to the folder that holds online-retail or olist.",
        )
    spec, much = load_world(world), size_of(size)
    played = World(spec, much, seed)
    policy = Plain()
    while not played.over:
        played.play_day(policy)
    days = much.days - much.warmup_days
    ours = newest(read_trade(played.facts.connection, WORLD), days)
    played.facts.close()
    found = []
    for name, files in there.items():
        if files:
            found += compare(ours, newest(_read(name, files), days), name)
    return found


def compare(world: Trade, real: Trade, source: str) -> list[Shape]:
    """Compare every distribution of two trades."""
    found = []
    for name, (doc, sample) in SAMPLES.items():
        ours, theirs = sample(world), sample(real)
        found.append(
            Shape(
                name=name,
                doc=doc,
                source=source,
                levels=LEVELS,
                world=_quantiles(ours),
                real=_quantiles(theirs),
                distance=distance(ours, theirs),
            )
        )
    ours, theirs = popularity(world), popularity(real)
    at = np.linspace(0, 1, 201)
    found.append(
        Shape(
            name=POPULARITY,
            doc="share of units sold, best first",
            source=source,
            levels=TOP_SHARES,
            world=_floats(lorenz(ours, np.array(TOP_SHARES))),
            real=_floats(lorenz(theirs, np.array(TOP_SHARES))),
            distance=float(np.max(np.abs(lorenz(ours, at) - lorenz(theirs, at)))),
        )
    )
    return found


def orders_per_customer(trade: Trade) -> Array:
    """Return orders of each known customer."""
    customer, _ = _orders(trade)
    return np.unique(customer, return_counts=True)[1].astype(float)


def basket_lines(trade: Trade) -> Array:
    """Return different products of each order."""
    pairs = np.unique(np.stack([trade.order, trade.product]), axis=1)
    return np.unique(pairs[0], return_counts=True)[1].astype(float)


def basket_value(trade: Trade) -> Array:
    """Return the value of each order over the median order."""
    rows, at = np.unique(trade.order, return_inverse=True)
    value = np.bincount(at, trade.units * trade.price, len(rows))
    return value / np.median(value) if len(value) else value


def price_spread(trade: Trade) -> Array:
    """Return the log of each product's mean price over the median product's."""
    rows, at = np.unique(trade.product, return_inverse=True)
    price = np.bincount(at, trade.price, len(rows)) / np.maximum(np.bincount(at), 1)
    return np.log(price / np.median(price)) if len(price) else price


def days_between(trade: Trade) -> Array:
    """Return days between one order of a customer and the next."""
    customer, placed = _orders(trade)
    order = np.lexsort((placed, customer))
    customer, placed = customer[order], placed[order]
    same = customer[1:] == customer[:-1]
    result: Array = (np.diff(placed) / DAY)[same]
    return result


Sample = Callable[[Trade], Array]
SAMPLES: Mapping[str, tuple[str, Sample]] = {
    "orders per customer": ("orders", orders_per_customer),
    "lines per order": ("different products", basket_lines),
    "value per order": ("over the median order", basket_value),
    "prices": ("log over the median product", price_spread),
    "time between orders": ("days", days_between),
}


def popularity(trade: Trade) -> Array:
    """Return units sold of each product that was sold."""
    _, at = np.unique(trade.product, return_inverse=True)
    return np.bincount(at, trade.units)


def lorenz(units: Array, shares: Array) -> Array:
    """Return the share of units of the best sold products, shape of `shares`."""
    if units.sum() <= 0:
        return np.full(np.shape(shares), np.nan)
    best = np.r_[0.0, np.cumsum(np.sort(units)[::-1])] / units.sum()
    result: Array = np.interp(shares, np.linspace(0, 1, len(best)), best)
    return result


def distance(first: Array, second: Array) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, nan if one is empty."""
    if len(first) == 0 or len(second) == 0:
        return float("nan")
    a, b = np.sort(first), np.sort(second)
    every = np.concatenate([a, b])
    below = np.searchsorted(a, every, "right") / len(a)
    other = np.searchsorted(b, every, "right") / len(b)
    return float(np.max(np.abs(below - other)))


def newest(trade: Trade, days: int) -> Trade:
    """Return the last days of a trade."""
    if len(trade.placed) == 0:
        return trade
    keep = trade.placed > trade.placed.max() - days * DAY
    return Trade(
        order=trade.order[keep],
        customer=trade.customer[keep],
        placed=trade.placed[keep],
        product=trade.product[keep],
        units=trade.units[keep],
        price=trade.price[keep],
    )


def read_trade(
    con: duckdb.DuckDBPyConnection, query: str, files: Sequence[str] = ()
) -> Trade:
    """Return the order lines a query finds; see `WORLD` for its columns."""
    rows = con.execute(query, list(files)).fetch_arrow_table()
    customer = rows["customer_id"].combine_chunks()
    unknown = customer.is_null().to_numpy(zero_copy_only=False)
    numbers = _numbers(customer.fill_null("").to_numpy(zero_copy_only=False))
    return Trade(
        order=_numbers(rows["order_id"].to_numpy()),
        customer=np.where(unknown, -1, numbers),
        placed=rows["placed_at"].to_numpy().astype("datetime64[us]"),
        product=_numbers(rows["product_id"].to_numpy()),
        units=rows["units"].to_numpy(),
        price=rows["price"].to_numpy(),
    )


def shapes_page(compared: Sequence[tuple[str, Sequence[Shape]]]) -> str:
    """Return a page of one drawing a world, without a script or an outside resource."""
    parts = [
        f"<h2>{clean(name)}</h2>{shapes_svg(shapes)}{_distances(shapes)}"
        for name, shapes in compared
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<title>Simulated and real shops</title><style>"
        ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;"
        "max-width:50rem;margin:2rem auto;padding:0 1rem}"
        "svg{max-width:100%;height:auto}"
        "td,th{text-align:left;padding:.2rem 1rem .2rem 0}</style>"
        "<main><h1>Simulated and real shops</h1>"
        f"{''.join(parts)}</main></html>\n"
    )


def _distances(shapes: Sequence[Shape]) -> str:
    rows = "".join(
        f"<tr><td>{clean(shape.name)}<td>{clean(shape.source)}"
        f"<td>{shape.distance:.2f}</tr>"
        for shape in shapes
    )
    return (
        "<table><caption>Largest distance between the two distributions "
        "(Kolmogorov and Smirnov)</caption><tr><th scope=col>shape<th scope=col>real "
        f"shop<th scope=col>distance</tr>{rows}</table>"
    )


def shapes_svg(shapes: Sequence[Shape], *, width: int = 720) -> str:
    """Draw the world's and the real shop's quantiles, one panel for each shape.

    The world is a full line with discs, the real shop a dashed line with squares.
    Colours are those of the text around, so the drawing follows light and dark.

    Args:
        shapes: What was compared.
        width: Width in CSS pixels.
    """
    if not shapes:
        return ""
    across = max(width // PANEL[0], 1)
    panels = [
        tag(
            "g",
            *_panel(shape),
            transform=f"translate({i % across * PANEL[0]} "
            f"{LEGEND + i // across * PANEL[1]})",
        )
        for i, shape in enumerate(shapes)
    ]
    sources = ", ".join(dict.fromkeys(shape.source for shape in shapes))
    return drawing(
        tag("title", clean(f"Shapes of the world beside {sources}")),
        tag("desc", clean("World: full line. Real shop: dashed line. " + KEY)),
        *_line([(8.0, 12.0), (40.0, 12.0)], "world", None),
        _text(48, 16, "world", "label"),
        *_line([(108.0, 12.0), (140.0, 12.0)], "real", DASH),
        _text(148, 16, "real shop", "label"),
        *panels,
        width=width,
        height=LEGEND + -(-len(shapes) // across) * PANEL[1],
        label=f"Shapes of the world beside {sources}",
        class_="chart shapes",
    )


KEY = "Across: quantile, for popularity the share of products. Up: the value."
LEAST = 0.1
"""Values below are drawn here, where the axis is logarithmic."""

DASH = "5 3"
LEGEND = 24
PANEL = (240, 178)
PLOT = (44.0, 44.0, 228.0, 140.0)
"""Left, top, right and bottom of a panel's plot."""


def _panel(shape: Shape) -> list[str]:
    # Ratios and counts span decades; logs of prices are logs already.
    logs = shape.name not in ("prices", POPULARITY)
    lines = [
        [np.log10(max(v, LEAST)) if logs else v for v in values]
        for values in (shape.world, shape.real)
    ]
    ends = known([v for line in lines for v in line]) or [0.0, 1.0]
    steps = ticks(min(ends), max(ends), 3)
    left, top, right, bottom = PLOT

    def across(level: float) -> float:
        return left + level * (right - left)

    def up(value: float) -> float:
        return bottom - (value - steps[0]) / (steps[-1] - steps[0]) * (bottom - top)

    drawn = [
        tag("title", clean(f"{shape.name}, {shape.source}")),
        tag("desc", clean(_said(shape))),
        _text(8, 16, shorten(f"{shape.name}: {shape.source}", 34), "label"),
        _text(8, 32, shorten(f"{shape.doc}; D = {shape.distance:.2f}", 38), "tick"),
    ]
    for step in steps:
        drawn += _grid(up(step), f"{10.0**step if logs else step:.2g}")
    for level in (0.0, 0.5, 1.0):
        drawn.append(_text(across(level), bottom + 16, f"{level:g}", "tick", "middle"))
    for values, class_, dash in zip(
        lines, ("world", "real"), (None, DASH), strict=True
    ):
        dots = [
            (across(level), up(value))
            for level, value in zip(shape.levels, values, strict=True)
            if np.isfinite(value)
        ]
        drawn += _line(dots, class_, dash)
    return drawn


def _grid(y: float, words: str) -> list[str]:
    left, _, right, _ = PLOT
    place = {"x1": left, "x2": right, "y1": y, "y2": y}
    look = {"class_": "grid", "stroke": "currentColor", "stroke_opacity": "0.2"}
    return [
        tag("line", **place, **look),
        _text(left - 4, y + 4, words, "tick", "end"),
    ]


def _line(dots: list[tuple[float, float]], class_: str, dash: str | None) -> list[str]:
    style = {"class_": class_, "stroke": "currentColor"}
    parts = [
        tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke_dasharray=dash, **style)
        for (x1, y1), (x2, y2) in pairwise(dots)
    ]
    for x, y in dots:
        if dash is None:
            parts.append(tag("circle", cx=x, cy=y, r=2.5, **style))
        else:
            at = {"x": x - 2.5, "y": y - 2.5, "width": 5, "height": 5}
            parts.append(tag("rect", fill="none", **at, **style))
    return parts


def _text(x: float, y: float, words: str, class_: str, anchor: str = "start") -> str:
    return tag(
        "text",
        clean(words),
        class_=class_,
        x=float(x),
        y=float(y),
        text_anchor=anchor,
        fill="currentColor",
        font_size=11,
    )


def _said(shape: Shape) -> str:
    """Say in words what a panel shows."""
    told = [
        f"at {level:g} the world has {ours:.3g}, {shape.source} {theirs:.3g}"
        for level, ours, theirs in zip(
            shape.levels, shape.world, shape.real, strict=True
        )
    ]
    return f"{shape.doc}; largest difference {shape.distance:.2f}; " + "; ".join(told)


def _read(name: str, files: Sequence[str]) -> Trade:
    import duckdb

    con = duckdb.connect(config={"threads": "1"})
    try:
        return read_trade(con, SOURCES[name][0], files)
    finally:
        con.close()


def _files(data: Path, names: Sequence[str]) -> list[str]:
    """Return the files of a data set, none unless all are there."""
    paths = [data / name for name in names]
    return [str(path) for path in paths] if all(p.is_file() for p in paths) else []


def _orders(trade: Trade) -> tuple[Array, Array]:
    """Return customer and time of each order of a known customer."""
    _, first = np.unique(trade.order, return_index=True)
    first = first[trade.customer[first] >= 0]
    return trade.customer[first], trade.placed[first]


def _numbers(names: Array) -> Array:
    result: Array = np.unique(names.astype(str), return_inverse=True)[1]
    return result


def _quantiles(sample: Array) -> tuple[float, ...]:
    if len(sample) == 0:
        return (float("nan"),) * len(LEVELS)
    return _floats(np.quantile(sample, LEVELS))


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
