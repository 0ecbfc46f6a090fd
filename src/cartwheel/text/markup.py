"""Text of an HTML document as a reader sees it, without what is not shown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
    | {"blockquote", "ul", "ol", "section", "article", "header", "footer", "pre"}
)
QUOTES = frozenset({"blockquote"})
_BLANK = re.compile(r"[ \t\u00a0]+")


def shown_text(markup: str) -> str:
    """Return the text of an HTML document, a block a line, quotations marked by `>`.

    Scripts, styles and comments are left out; nothing is loaded or run.

    Args:
        markup: HTML, however broken.
    """
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects what is shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[list[str]] = [[]]
        self._marks: list[bool] = [False]
        self._hidden: list[str] = []
        self._quotes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._hidden.clear()  # a head that was never closed
        if tag in HIDDEN:
            self._hidden.append(tag)
        if tag in BLOCKS:
            self._break()
        if tag in QUOTES:
            self._quotes += 1
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        if tag in QUOTES and self._quotes:
            self._quotes -= 1
        if tag in BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._lines[-1].append(data.replace("\n", " "))

    def _break(self) -> None:
        self._lines.append([])
        self._marks.append(self._quotes > 0)

    def text(self) -> str:
        """Return what was collected."""
        found = []
        for parts, quoted in zip(self._lines, self._marks, strict=True):
            line = _BLANK.sub(" ", "".join(parts)).strip()
            if line:
                found.append(f"> {line}" if quoted else line)
        return "\n".join(found)
