"""SVG elements as escaped text, and axis arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

# Control characters are not allowed in documents and would stop an XML reader.
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def clean(text: object) -> str:
    """Return text escaped for element content and attribute values."""
    return escape(str(text).translate(_CONTROL), quote=True)


def number(value: float) -> str:
    """Return a coordinate with at most one decimal place."""
    return f"{value:.1f}".removesuffix(".0")


def tag(name: str, /, *children: str, **attributes: object) -> str:
    """Return one element.

    Args:
        name: Element name.
        children: Content, already SVG; wrap text with `clean`.
        attributes: Attributes; a trailing `_` is dropped, `_` becomes `-`, None is
            left out, floats are rounded to a tenth.
    """
    written = []
    for key, value in attributes.items():
        if value is None:
            continue
        shown = number(value) if isinstance(value, float) else str(value)
        written.append(f' {key.rstrip("_").replace("_", "-")}="{clean(shown)}"')
    return f"<{name}{''.join(written)}>{''.join(children)}</{name}>"


def drawing(
    *children: str, width: int, height: int, label: str, class_: str, **more: object
) -> str:
    """Return an `svg` element that scales down but never up, with its name."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        class_=class_,
        role=more.pop("role", "img"),
        aria_label=label,
        focusable="false",
        **more,
    )


def shorten(text: str, length: int) -> str:
    """Return text of at most `length` characters, with an ellipsis when cut."""
    return text if len(text) <= length else text[: max(1, length - 1)].rstrip() + "…"


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Return round values (1, 2 or 5 times a power of ten) that cover the range."""
    if high <= low:
        high = low + 1
    raw = (high - low) / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def known(values: Iterable[float | None]) -> list[float]:
    """Return the finite values."""
    return [v for v in values if v is not None and math.isfinite(v)]


def runs(values: Iterable[float | None]) -> list[list[int]]:
    """Return index runs without a gap, so a line breaks where a value is unknown."""
    found: list[list[int]] = []
    previous = -2
    for i, value in enumerate(values):
        if value is None or not math.isfinite(value):
            continue
        if i == previous + 1:
            found[-1].append(i)
        else:
            found.append([i])
        previous = i
    return found
