"""The customers export: customers and their consents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cartwheel.connectors.shopify_csv.exports import Export
from cartwheel.connectors.shopify_csv.gathered import Gathered


def customer_id(email: str | None, phone: str | None, source_id: str | None) -> str:
    """Return a customer's id, "" when nothing identifies a person.

    Orders name a buyer by e-mail address only and older customer exports carry no id,
    so the id is made of the address (its fingerprint: ids travel further than
    addresses should), else of the telephone number, else of Shopify's own id.
    """
    if email:
        return f"c-{_fingerprint(email.lower())}"
    digits = re.sub(r"\D", "", phone or "")
    if digits:
        return f"c-{_fingerprint(digits)}"
    return f"c-{source_id}" if source_id else ""


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def phone_book(exports: list[Export]) -> dict[str, str]:
    """Return the customer of each telephone number that belongs to one customer."""
    book: dict[str, str] = {}
    shared: set[str] = set()
    for export in exports:
        for at in range(export.size):
            phone = re.sub(r"\D", "", export.cells["phone"][at] or "")
            if not phone or at in export.faults:
                continue
            person = customer_id(
                export.cells["email"][at], phone, export.cells["source_id"][at]
            )
            if book.setdefault(phone, person) != person:
                shared.add(phone)
    return {phone: person for phone, person in book.items() if phone not in shared}


def read_customers(
    exports: list[Export], gathered: Gathered, first_orders: Mapping[str, datetime]
) -> set[str]:
    """Gather the customers of every customers export; return their ids.

    Args:
        exports: Customers exports.
        gathered: Filled with facts and refusals.
        first_orders: First order by customer; the export has no date of its own.
    """
    known: set[str] = set()
    for export in exports:
        gathered.refuse_faults(export)
        for at in range(export.size):
            if at in export.faults:
                continue
            cells = {name: values[at] for name, values in export.cells.items()}
            person = customer_id(cells["email"], cells["phone"], cells["source_id"])
            row = export.row(at)
            if not person:
                reason = "no e-mail address, telephone number or id to tell who it is"
                gathered.refuse(row, "Email", "", reason)
                continue
            known.add(person)
            gathered.add(
                "customers",
                row,
                customer_id=person,
                email=cells["email"].lower() if cells["email"] else None,
                phone=cells["phone"],
                name=full_name(cells),
                country=cells["country"],
                region=cells["region"],
                created_at=first_orders.get(person),
            )
            _add_consents(gathered, export, row, person, cells)
    return known


def full_name(cells: Mapping[str, Any]) -> str | None:
    """Return first and last name as one."""
    parts = [part for name in ("first_name", "last_name") if (part := cells[name])]
    return " ".join(parts) or None


def _add_consents(
    gathered: Gathered, export: Export, row: int, person: str, cells: dict[str, Any]
) -> None:
    said = {
        "email_marketing": cells["accepts_email"],
        "sms_marketing": cells["accepts_sms"],
    }
    for purpose, granted in said.items():
        if granted is not None:
            gathered.add(
                "consents",
                row,
                customer_id=person,
                purpose=purpose,
                granted=granted,
                # The export says what holds now, not since when.
                changed_at=export.exported_at,
                source="shopify customers export",
            )
