"""What a person wrote in a message, without what they quoted and their signature.

Everything is decided line by line with expressions that look at one short line, since a
message may be made to keep a clever expression busy for minutes.
"""

from __future__ import annotations

import re

LONGEST_LINE = 300
"""Characters of a line looked at; a header of a reply or a sign-off is shorter."""

_SPACES = re.compile(r"[ \t\u00a0]+")
_WROTE = re.compile(
    r"(wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev|kirjoitti"
    r"|napisał\(a\)|napisał|napsal)\b.{0,120}:$",
    re.IGNORECASE,
)
"""End of the line above a quotation, as mail programs write it."""

_BEGUN = re.compile(
    r"(on|am|le|el|em|il|op|den|dnia|dne|a|w dniu)\s.{0,40}\d", re.IGNORECASE
)
"""Begin of such a line where the program broke it in two."""

_FORWARDED = re.compile(
    r"[-_\s]*(original message|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|mensagem original|messaggio originale"
    r"|oorspronkelijk bericht|forwarded message|weitergeleitete nachricht"
    r"|message transféré|begin forwarded message)[-_:\s]*",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\*?(from|von|de|da|van|fra|från|od|sent|gesendet|envoyé|enviado|inviato"
    r"|verzonden|date|datum|fecha|data|to|an|à|para|a|aan|subject|betreff|objet"
    r"|asunto|assunto|oggetto|onderwerp)\s?:\*?\s?\S",
    re.IGNORECASE,
)
"""A line of the head that Outlook puts above what it quotes; several stand together."""

_SENT_FROM = re.compile(
    r"(sent from my|sent from mail for|get outlook for|von meinem .{0,30} gesendet"
    r"|gesendet von|diese nachricht wurde von|envoyé de mon|envoyé depuis"
    r"|enviado desde|enviado do meu|inviato da|verzonden vanaf|skickat från)",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_=*]{10,}|-{20,}")


def own_words(text: str) -> str:
    """Return what the writer wrote: no quotation, no signature, no head of a reply.

    Where all of it is quoted, nothing is left. What cannot be told apart stays: a
    sign-off without the usual mark is kept, since it may be a sentence.

    Args:
        text: Body of a message as plain text.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    for at, full in enumerate(lines):
        line = _SPACES.sub(" ", full[:LONGEST_LINE]).strip()
        if full.rstrip() in ("--", "— ", "-- ") or line in ("--", "—"):
            break
        if line.startswith((">", "|>")):
            continue
        if _ends_here(line, lines, at):
            break
        kept.append(full.rstrip())
    return "\n".join(_tight(kept)).strip()


def _ends_here(line: str, lines: list[str], at: int) -> bool:
    """Tell whether what follows was not written for this message."""
    if _FORWARDED.fullmatch(line) or _SENT_FROM.match(line):
        return True
    if _WROTE.search(line) and (_BEGUN.match(line) or "@" in line):
        return True
    following = lines[at + 1][:LONGEST_LINE].strip() if at + 1 < len(lines) else ""
    if _BEGUN.match(line) and _WROTE.search(following):
        return True
    if _RULE.fullmatch(line):
        return _is_head(lines, at + 1)
    return _is_head(lines, at)


def _is_head(lines: list[str], at: int) -> bool:
    """Tell whether three of the next five lines are those of a mail's head."""
    near = [one[:LONGEST_LINE].strip() for one in lines[at : at + 5]]
    return bool(
        near
        and _HEADER.match(near[0])
        and sum(bool(_HEADER.match(one)) for one in near) >= 3
    )


def _tight(lines: list[str]) -> list[str]:
    """Return lines with at most one empty one in a row."""
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]):
            found.append(line)
    return found
