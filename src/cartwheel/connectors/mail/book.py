"""Messages of a mailbox, wherever it is kept, into the table `messages`."""

from __future__ import annotations

from collections.abc import Iterable

from cartwheel.connectors.base import Harvest, SourceFile
from cartwheel.connectors.gathered import Gathered
from cartwheel.connectors.mail.files import MOST_BYTES
from cartwheel.connectors.mail.message import Mail, read_mail
from cartwheel.connectors.mail.whose import is_own
from cartwheel.connectors.written import MASKED

TOO_LARGE = f"a message of more than {MOST_BYTES // 1024**2} MB; expected less"


class MailBook:
    """Gathers messages; what they mean is told once it is known whose mailbox it is."""

    def __init__(self) -> None:
        self._gathered = Gathered()
        self._found: list[tuple[int, Mail]] = []

    def add(self, row: int, raw: bytes | None) -> None:
        """Read a message.

        Args:
            row: Its number over all files.
            raw: Its bytes; None for one that is too large.
        """
        if raw is None:
            self._gathered.refuse(row, "", "", TOO_LARGE)
        else:
            self._found.append((row, read_mail(raw)))

    @property
    def people_wrote(self) -> Iterable[Mail]:
        """Messages that no machine sent."""
        return (mail for _, mail in self._found if not mail.machine)

    def harvest(
        self,
        files: Iterable[SourceFile],
        own: tuple[str, ...],
        notes: tuple[str, ...] = (),
    ) -> Harvest:
        """Return every message as one in or out, a repetition, or kept aside.

        Args:
            files: What was read.
            own: The shop's own addresses, or domains with their @ first.
            notes: Remarks that come first.
        """
        repeated = _add_all(self._gathered, self._found, own)
        return Harvest(
            files=tuple(files),
            facts=self._gathered.tables(),
            rejects=self._gathered.refused,
            duplicates=repeated,
            notes=(*notes, f"The shop's own: {', '.join(own)}.", MASKED),
        )


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
