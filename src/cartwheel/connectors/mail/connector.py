"""The connector: mail files into the table `messages`."""

from __future__ import annotations

from pathlib import Path

from cartwheel.connectors.base import Harvest, ImportContext, SourceFile
from cartwheel.connectors.mail.book import MailBook
from cartwheel.connectors.mail.files import mail_files, messages
from cartwheel.connectors.mail.whose import own_addresses, stated_addresses


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
        book = MailBook()
        row = 0
        for file in mail_files(path):
            lines: list[int] = []
            for raw in messages(file):
                book.add(row, raw.body)
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
        own = stated_addresses(path) or own_addresses(book.people_wrote)
        return book.harvest(files, own)
