"""Charts as pure functions: numbers in, one SVG element as text out.

Colours are classes of `static/console.css`, so a chart follows light, dark and print
without being drawn again, and nothing needs an inline style.
"""

from cartwheel.console.charts.bars import bar_chart
from cartwheel.console.charts.intervals import Interval, interval_chart
from cartwheel.console.charts.line import line_chart
from cartwheel.console.charts.wheel import WheelLink, WheelNode, wheel

__all__ = [
    "Interval",
    "WheelLink",
    "WheelNode",
    "bar_chart",
    "interval_chart",
    "line_chart",
    "wheel",
]
