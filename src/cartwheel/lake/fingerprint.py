"""The fingerprint of a fact's content, the same whichever way the fact arrived."""

from __future__ import annotations

from cartwheel.lake.tables import FactTable


def fingerprint(table: FactTable) -> str:
    """Return the SQL of a row's content hash.

    It is the MD5 of `name=length:text;` over the columns that have a value. Lengths
    make it unambiguous; leaving nulls out keeps the fingerprints of a table that later
    gains a column.
    """
    parts = []
    for column in table.columns:
        name = column.name
        text = name if column.type == "text" else f"CAST({name} AS VARCHAR)"
        parts.append(f"'{name}=' || length({text}) || ':' || {text} || ';'")
    return f"md5(concat({', '.join(parts)}))"
