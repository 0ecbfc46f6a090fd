"""A table of products side by side in a page's block: attributes, word for word."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_PRODUCTS = 4
"""The page's own product and three others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attribute, with its value for each product.

    Attributes:
        attribute: Name of the attribute.
        values: Its value by product, in the order of the table's columns.
    """

    attribute: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A table: a column a product, a row an attribute.

    Attributes:
        caption: What stands over it.
        products: Product ids of the columns, the page's own first.
        titles: What the products are called.
        rows: Attributes.
    """

    caption: str
    products: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, every cell with the fact that it is."""
        return {
            "caption": self.caption,
            "products": [
                {"product_id": name, "title": title}
                for name, title in zip(self.products, self.titles, strict=True)
            ],
            "rows": [
                {
                    "attribute": row.attribute,
                    "cells": [
                        {"text": text, "sources": [source_of(name, row.attribute)]}
                        for name, text in zip(self.products, row.values, strict=True)
                    ],
                }
                for row in self.rows
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Comparison:
        """Return the table that JSON values tell.

        Raises:
            ValueError: If they tell none.
        """
        try:
            found = cls(
                caption=str(value["caption"]),
                products=tuple(str(one["product_id"]) for one in value["products"]),
                titles=tuple(str(one["title"]) for one in value["products"]),
                rows=tuple(
                    Row(
                        attribute=str(row["attribute"]),
                        values=tuple(str(cell["text"]) for cell in row["cells"]),
                    )
                    for row in value["rows"]
                ),
            )
        except (KeyError, TypeError, AttributeError):
            raise ValueError("it is no table") from None
        wide = len(found.products)
        if not 2 <= wide <= MOST_PRODUCTS or len(set(found.products)) < wide:
            raise ValueError(f"it holds {wide} products, or one of them twice")
        if not found.rows or any(len(row.values) != wide for row in found.rows):
            raise ValueError("a row has not one value a product")
        return found

    def without(self, gone: Iterable[str]) -> Comparison | None:
        """Return the table without some products and rows that then tell nothing.

        Args:
            gone: Product ids.

        Returns:
            None where nothing is left to look at side by side.
        """
        left = [at for at, name in enumerate(self.products) if name not in set(gone)]
        rows = [
            Row(attribute=row.attribute, values=tuple(row.values[at] for at in left))
            for row in self.rows
        ]
        rows = [row for row in rows if len(set(row.values)) > 1]
        if not rows or 0 not in left:
            return None
        return Comparison(
            caption=self.caption,
            products=tuple(self.products[at] for at in left),
            titles=tuple(self.titles[at] for at in left),
            rows=tuple(rows),
        )

    def html(self) -> str:
        """Return it as mark-up."""
        head = "".join(
            f'<th scope="col">{html.escape(title)}</th>' for title in self.titles
        )
        body = "".join(
            f'<tr><th scope="row">{html.escape(row.attribute)}</th>'
            + "".join(f"<td>{html.escape(text)}</td>" for text in row.values)
            + "</tr>"
            for row in self.rows
        )
        return (
            f"<table><caption>{html.escape(self.caption)}</caption>"
            f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def lines(self) -> list[str]:
        """Return it as lines of plain text."""
        found = [f"{self.caption}:"]
        for row in self.rows:
            found.append(f"- {row.attribute}")
            found += [
                f"  {title}: {text}"
                for title, text in zip(self.titles, row.values, strict=True)
            ]
        return found


def source_of(product_id: str, attribute: str) -> str:
    """Return the id of a fact about a product that need not be the page's own."""
    return f"product:{product_id}/attribute:{attribute}"
