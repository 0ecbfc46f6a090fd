"""The report as one HTML document that a mail programme shows as a browser does.

Mail programmes drop style sheets and scripts, so it has neither: tables, a width that
fits a phone, styles at the elements, nothing loaded from anywhere.
"""

from __future__ import annotations

from html import escape

from cartwheel.measure.weekly.report import Line, Section, Weekly

BODY = "margin:0;padding:16px;background:#ffffff;color:#1b1f24;"
FONT = "font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:1.4;"
MUTED = "color:#57606a;"
CELL = "padding:6px 0;vertical-align:top;border-top:1px solid #d8dee4;"


def to_html(report: Weekly) -> str:
    """Return the report as an HTML document.

    Args:
        report: The report; whatever it holds is escaped.
    """
    title = f"{report.shop}: the week to {report.as_of}"
    parts = "".join(_section(one) for one in report.sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="{BODY}{FONT}"><main style="max-width:640px;margin:0 auto;">'
        f'<h1 style="font-size:20px;margin:0 0 4px;">{escape(title)}</h1>'
        f'<p style="margin:0 0 12px;{MUTED}">Turn {report.turn}. Every figure stands '
        "on the console with its definition and the rows behind it.</p>"
        f"{parts}</main></body></html>"
    )


def to_text(report: Weekly) -> str:
    """Return the report as plain text, for a terminal or a mail's other part."""
    lines = [f"{report.shop}: the week to {report.as_of} (turn {report.turn})"]
    for section in report.sections:
        lines += ["", section.title]
        for one in section.lines:
            aside = f" ({one.aside})" if one.aside else ""
            lines.append(f"- {one.head}: {one.text}{aside}")
        if not section.lines:
            lines.append(section.empty)
    return "\n".join(lines)


def _section(section: Section) -> str:
    rows = "".join(_row(one) for one in section.lines)
    inside = (
        f'<table style="width:100%;border-collapse:collapse;{FONT}">{rows}</table>'
        if rows
        else f'<p style="margin:0;{MUTED}">{escape(section.empty)}</p>'
    )
    heading = f'<h2 style="font-size:16px;margin:16px 0 4px;">{escape(section.title)}'
    return f"{heading}</h2>{inside}"


def _row(line: Line) -> str:
    aside = ""
    if line.aside:
        aside = f'<br><span style="{MUTED}">{escape(line.aside)}</span>'
    return (
        f'<tr><th scope="row" style="{CELL}text-align:left;width:34%;'
        f'padding-right:12px;font-weight:600;">{escape(line.head)}</th>'
        f'<td style="{CELL}">{escape(line.text)}{aside}</td></tr>'
    )
