"""The connector: mail files into the table `messages`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cartwheel.connectors.base import Harvest, ImportContext, Reject, SourceFile
from cartwheel.connectors.mail.files import MOST_BYTES, mail_files, messages
from cartwheel.connectors.mail.message import Mail, read_mail
from cartwheel.connectors.mail.whose import is_own, own_addresses, stated_addresses

COLUMNS = ("message_id", "direction", "medium", "sent_at", "address", "subject", "body")


class MailFiles:
    """Reads what customers wrote, and what was answered, from mail files."""

    kind = "mail"
    accepts = "An mbox file, a message (EML), or a folder of them (Maildir too)."

    def read(self, path: Path, context: ImportContext) -> Harvest:
        """Read every message: own words only, personal data in them masked.

        Raises:
            Misuse: If there is no mail, a file is none, or whose mailbox it is cannot
                be told.
        """
        files: list[SourceFile] = []
        found: list[tuple[int, Mail]] = []
        rejects: list[Reject] = []
        row = 0
        for file in mail_files(path):
            lines: list[int] = []
            for raw in messages(file):
                if raw.body is None:
                    rejects.append(_reject(row, "", "", _TOO_LARGE))
                else:
                    found.append((row, read_mail(raw.body)))
                lines.append(raw.line)
                row += 1
            name = str(file.relative_to(path)) if path.is_dir() else file.name
            files.append(
                SourceFile(
                    name=name,
                    first_row=row - len(lines),
                    rows=len(lines),
                    note="mail",
                    lines=lines,
                )
            )
        own = stated_addresses(path) or own_addresses(
            mail for _, mail in found if not mail.machine
        )
        return _harvest(files, found, rejects, own)


_TOO_LARGE = f"a message of more than {MOST_BYTES // 1024**2} MB; expected less"


def _harvest(
    files: Iterable[SourceFile],
    found: list[tuple[int, Mail]],
    rejects: list[Reject],
    own: tuple[str, ...],
) -> Harvest:
    rows: list[dict[str, Any]] = []
    repeated: list[int] = []
    known: set[str] = set()
    for row, mail in found:
        if mail.id in known:
            repeated.append(row)
            continue
        known.add(mail.id)
        wrong = _wrong(row, mail, own)
        if wrong is None:
            rows.append({**_fact(mail, own), "_source_row": row})
        else:
            rejects.append(wrong)
    return Harvest(
        files=tuple(files),
        facts={"messages": _table(rows)} if rows else {},
        rejects=tuple(sorted(rejects, key=lambda one: one.source_row)),
        duplicates=tuple(repeated),
        notes=(
            f"The shop's own: {', '.join(own)}.",
            "Kept is what the writer wrote, without quotations, signatures and "
            "attachments; e-mail addresses, telephone, card and account numbers in it "
            "are masked.",
        ),
    )


def _wrong(row: int, mail: Mail, own: tuple[str, ...]) -> Reject | None:
    """Return why a message is no contact of a customer, None when it is one."""
    if mail.machine:
        return _reject(row, "From", mail.sender, mail.machine)
    if not mail.sender:
        return _reject(row, "From", "", "no sender that can be read")
    if mail.sent_at is None:
        return _reject(row, "Date", "", "no date that can be read")
    others = [one for one in mail.readers if not is_own(one, own)]
    if is_own(mail.sender, own) and not others:
        return _reject(row, "To", "", "written to the shop by itself")
    if not mail.body and not mail.subject:
        return _reject(row, "", "", "nothing the writer wrote is in it")
    return None


def _fact(mail: Mail, own: tuple[str, ...]) -> dict[str, Any]:
    out = is_own(mail.sender, own)
    others = [one for one in mail.readers if not is_own(one, own)]
    return {
        "message_id": mail.id,
        "direction": "out" if out else "in",
        "medium": "email",
        "sent_at": mail.sent_at,
        "address": others[0] if out else mail.sender,
        "subject": mail.subject or None,
        "body": mail.body or None,
    }


def _reject(row: int, field: str, value: str, reason: str) -> Reject:
    return Reject(source_row=row, field=field, value=value[:200], reason=reason)


def _table(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    texts = [(name, pa.string()) for name in COLUMNS if name != "sent_at"]
    schema = pa.schema(
        [*texts, ("sent_at", pa.timestamp("us")), ("_source_row", pa.int64())]
    )
    return pa.Table.from_pylist(rows, schema=schema)
