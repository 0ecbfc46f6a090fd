"""The connector: mail files into the table `messages`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext, SourceFile
from cartwheel.connectors.gathered import Gathered
from cartwheel.connectors.mail.files import MOST_BYTES, mail_files, messages
from cartwheel.connectors.mail.message import Mail, read_mail
from cartwheel.connectors.mail.whose import is_own, own_addresses, stated_addresses


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
        gathered = Gathered()
        row = 0
        for file in mail_files(path):
            lines: list[int] = []
            for raw in messages(file):
                if raw.body is None:
                    gathered.refuse(row, "", "", _TOO_LARGE)
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
        repeated = _add_all(gathered, found, own)
        return Harvest(
            files=tuple(files),
            facts=gathered.tables(),
            rejects=tuple(gathered.rejects[row] for row in sorted(gathered.rejects)),
            duplicates=repeated,
            notes=(
                f"The shop's own: {', '.join(own)}.",
                "Kept is what the writer wrote, without quotations, signatures and "
                "attachments; e-mail addresses, telephone, card and account numbers in "
                "it are masked.",
            ),
        )


_TOO_LARGE = f"a message of more than {MOST_BYTES // 1024**2} MB; expected less"


def _add_all(
    gathered: Gathered, found: Iterable[tuple[int, Mail]], own: tuple[str, ...]
) -> tuple[int, ...]:
    """Gather messages; return the rows that repeat an earlier one."""
    repeated: list[int] = []
    known: set[str] = set()
    for row, mail in found:
        if mail.id in known:
            repeated.append(row)
            continue
        known.add(mail.id)
        wrong = _wrong(mail, own)
        if wrong is not None:
            gathered.refuse(row, *wrong)
            continue
        out = is_own(mail.sender, own)
        gathered.add(
            "messages",
            row,
            message_id=mail.id,
            direction="out" if out else "in",
            medium="email",
            sent_at=mail.sent_at,
            address=_others(mail, own)[0] if out else mail.sender,
            subject=mail.subject or None,
            body=mail.body or None,
        )
    return tuple(repeated)


def _wrong(mail: Mail, own: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Return header, value and reason why a message is no contact, None for one."""
    if mail.machine:
        return "From", mail.sender, mail.machine
    if not mail.sender:
        return "From", "", "no sender that can be read"
    if mail.sent_at is None:
        return "Date", "", "no date that can be read"
    if is_own(mail.sender, own) and not _others(mail, own):
        return "To", "", "written to the shop by itself"
    if not mail.body and not mail.subject:
        return "", "", "nothing the writer wrote is in it"
    return None


def _others(mail: Mail, own: tuple[str, ...]) -> list[str]:
    """Return whom a message is to, the shop itself left out."""
    return [one for one in mail.readers if not is_own(one, own)]
