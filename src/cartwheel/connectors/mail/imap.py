"""The connector: a folder on an IMAP server into the table `messages`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cartwheel.connectors.base import Fetched, ImportContext, Mark, SourceFile
from cartwheel.connectors.mail.book import MailBook
from cartwheel.connectors.mail.files import MOST_BYTES
from cartwheel.connectors.mail.mailbox import Account, open_mailbox
from cartwheel.connectors.mail.whose import whole_of
from cartwheel.errors import Misuse


class Imap:
    """Reads what is new in a mailbox since it was read last, and leaves it as it is."""

    kind = "imap"
    accepts = "A folder on an IMAP server, by the settings connectors.imap."

    def fetch(
        self,
        options: Mapping[str, Any],
        read_mark: Callable[[str], int],
        context: ImportContext,
    ) -> Fetched:
        """Fetch messages behind the last one read, all of what is fetched or none.

        Raises:
            Misuse: If a setting or the password is missing, or the server refuses.
            Failure: If it cannot be reached or breaks off.
        """
        account = _account(options)
        own = _own(options)
        book = MailBook()
        uids: list[int] = []
        with open_mailbox(account) as mailbox:
            name = _mark_name(account, mailbox.validity)
            newest = before = read_mark(name)
            sizes = mailbox.sizes(newest)
            left = len(sizes)
            for uid, size in list(sizes.items())[: int(options["most_messages"])]:
                if mailbox.late:
                    break
                raw = mailbox.message(uid) if size <= MOST_BYTES else None
                newest, left = uid, left - 1
                if raw is not None or size > MOST_BYTES:
                    book.add(len(uids), raw)
                    uids.append(uid)
        file = SourceFile(
            name=f"{account.host}/{account.folder}",
            first_row=0,
            rows=len(uids),
            note="mail; a line is the message's number in the folder",
            lines=uids,
        )
        return Fetched(
            harvest=book.harvest([file], own, _left_said(left)),
            origin=Path(account.host) / account.folder.lstrip("/"),
            mark=Mark(name=name, number=newest) if newest > before else None,
        )


def _left_said(left: int) -> tuple[str, ...]:
    if not left:
        return ()
    return (f"{left:,} messages are left for the next import.",)


def _account(options: Mapping[str, Any]) -> Account:
    for name in ("host", "user"):
        if not options.get(name):
            raise Misuse(
                f"connectors.imap.{name} is empty.",
                "Set it in cartwheel.toml; docs/mail.md has an example.",
            )
    variable = str(options["password_variable"])
    password = os.environ.get(variable, "")
    if not password:
        raise Misuse(
            f"The environment has no {variable}, which is to hold the password.",
            "Set it for this command, or name another by "
            "connectors.imap.password_variable.",
        )
    names = ("host", "port", "user", "folder", "seconds")
    return Account(password=password, **{name: options[name] for name in names})


def _own(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the shop's own addresses: those stated, else the user's and its domain."""
    stated = tuple(str(one).strip().lower() for one in options["own"])
    if stated and all(one.count("@") == 1 for one in stated):
        return stated
    user = str(options["user"]).lower()
    if stated or user.count("@") != 1:
        raise Misuse(
            f"connectors.imap.own is {list(stated)} and the user {user!r}; expected "
            "the shop's own addresses, or a user that is one.",
            'Set own = ["help@shop.example"] under connectors.imap.',
        )
    return (whole_of(user),)


def _mark_name(account: Account, validity: int) -> str:
    """Return the name of what was read; who signs in is told by a fingerprint."""
    where = f"{account.host.lower()}\n{account.port}\n{account.user}\n{account.folder}"
    fingerprint = hashlib.sha256(where.encode()).hexdigest()[:16]
    return f"imap {fingerprint} {validity}"
