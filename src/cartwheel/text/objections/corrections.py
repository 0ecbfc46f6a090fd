"""What people said of how sentences are read: which of it stands, and on what.

A correction is never changed. It can be taken back, by a later one that names it. Later
ones overrule earlier ones of the same sentence and class. A sentence is known by the
fingerprint of its words, so that no customer's words are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cartwheel.errors import Misuse
from cartwheel.text.objections.classes import CLASSES
from cartwheel.text.tokens import fold

NOT_THIS, MOVE, MERGE, SPLIT = "not_this", "move", "merge", "split"
TEACH, DISMISS = "teach", "dismiss"
TAKE_BACK = "take_back"
KINDS = (NOT_THIS, MOVE, MERGE, SPLIT, TEACH, DISMISS)
OF_A_SENTENCE = (NOT_THIS, MOVE)

MOST_WORDS = 10
LONGEST_WORDS = 40
LONGEST_TITLE = 60

_BETWEEN = re.compile(r"[\W_]+")
_KEY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One thing that was said.

    Attributes:
        correction_id: Its id.
        kind: not_this, move, merge, split, teach or dismiss.
        objection: Class it is about; "" for sentences that fit no class.
        into_objection: Class instead, of a move or a merge; class that is taught.
        sentence: Fingerprint of the sentence, of not_this or a move.
        beside: Fingerprints of the sentences that were shown beside it.
        words: Words of a split or of a new theme, any of which a sentence must have.
        title: Name of a split, or of the new theme that was taught or dismissed.
    """

    correction_id: str
    kind: str
    objection: str
    into_objection: str = ""
    sentence: str = ""
    beside: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    title: str = ""

    @property
    def fits(self) -> bool:
        """Whether it says something of the classes there are."""
        if self.kind not in KINDS:
            return False
        if self.kind in (TEACH, DISMISS) or (self.kind == SPLIT and not self.objection):
            fits = not self.objection and bool(self.words and self.title)
            return fits and (self.kind != TEACH or self.into_objection in CLASSES)
        if self.objection not in CLASSES:
            return False
        if self.kind in (MOVE, MERGE):
            known = self.into_objection in CLASSES
            if not known or self.into_objection == self.objection:
                return False
        if self.kind in OF_A_SENTENCE:
            return _KEY.fullmatch(self.sentence) is not None
        return self.kind == MERGE or bool(self.words and self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands of all that was said.

    Attributes:
        sentences: Class instead by (sentence, class), "" for none.
        beside: Sentences and classes that were shown beside a corrected one.
        merged: Class that counts a class, by that class.
        splits: Themes of the shop's own, beneath a class or beneath none.
        taught: What sentences that fit no class were said to raise.
        dismissed: New themes that are not to be shown.
        by_id: What stands, in the order in which it was said.
    """

    sentences: Mapping[tuple[str, str], str] = field(default_factory=dict)
    beside: frozenset[tuple[str, str]] = frozenset()
    merged: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[Correction, ...] = ()
    taught: tuple[Correction, ...] = ()
    dismissed: tuple[Correction, ...] = ()
    by_id: Mapping[str, Correction] = field(default_factory=dict)

    @property
    def own(self) -> tuple[Correction, ...]:
        """Themes of the shop's own that stand beneath no class."""
        return tuple(one for one in self.splits if not one.objection)

    def told_of(self, words: Iterable[str]) -> Correction | None:
        """Return what was said of a theme that fits no class, None for nothing.

        Args:
            words: Words of the theme.
        """
        told = (*self.own, *self.taught, *self.dismissed)
        theme = set(words)
        return next((one for one in told if theme <= set(one.words)), None)

    def counted_as(self, objection: str) -> str:
        """Return the class that counts a class; most count themselves."""
        return self.merged.get(objection, objection)


def standing(rows: Iterable[Mapping[str, Any]]) -> Standing:
    """Return what stands of corrections.

    Args:
        rows: Corrections as the signal or the record has them, in the order in which
            they were made. What fits no class is passed over.
    """
    rows = list(rows)
    taken = {row["takes_back"] for row in rows if row["kind"] == TAKE_BACK}
    live = [
        one
        for one in (_read(row) for row in rows if row["kind"] != TAKE_BACK)
        if one.fits and one.correction_id not in taken
    ]
    judged = [one for one in live if one.kind in OF_A_SENTENCE]
    return Standing(
        sentences={
            (one.sentence, one.objection): one.into_objection
            if one.kind == MOVE
            else ""
            for one in judged
        },
        beside=frozenset((key, one.objection) for one in judged for key in one.beside),
        merged=_merged(one for one in live if one.kind == MERGE),
        splits=tuple(one for one in live if one.kind == SPLIT),
        taught=tuple(one for one in live if one.kind == TEACH),
        dismissed=tuple(one for one in live if one.kind == DISMISS),
        by_id={one.correction_id: one for one in live},
    )


def sentence_key(sentence: str) -> str:
    """Return the fingerprint of a masked sentence, 16 hexadecimal digits.

    Case, accents, punctuation and spaces make no difference.
    """
    plain = _BETWEEN.sub(" ", fold(sentence)).strip()
    return hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).hexdigest()


def words_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of the words in a folded sentence, as whole words."""
    said = "|".join(r"[\W_]+".join(map(re.escape, one.split())) for one in words)
    return re.compile(rf"(?<!\w)(?:{said})(?!\w)")


def read_words(typed: str) -> tuple[str, ...]:
    """Return the words somebody typed, split at commas and lines, folded.

    Raises:
        Misuse: If there are none, too many, or one is too long.
    """
    parts = [_BETWEEN.sub(" ", fold(one)).strip() for one in re.split(r"[,;\n]", typed)]
    words = tuple(dict.fromkeys(one for one in parts if one))
    if not 1 <= len(words) <= MOST_WORDS or max(map(len, words)) > LONGEST_WORDS:
        raise Misuse(
            f"The words are {typed[:60]!r}.",
            f"Give 1 to {MOST_WORDS} words or short phrases of at most {LONGEST_WORDS} "
            "letters, with commas between them.",
        )
    return words


def read_title(typed: str) -> str:
    """Return the name somebody typed for a theme.

    Raises:
        Misuse: If it is empty, too long or not printable.
    """
    title = " ".join(typed.split())
    if not 1 <= len(title) <= LONGEST_TITLE or not title.isprintable():
        raise Misuse(
            f"The name of the theme is {title[:60]!r}.",
            f"Choose 1 to {LONGEST_TITLE} printable characters.",
        )
    return title


def _read(row: Mapping[str, Any]) -> Correction:
    return Correction(
        correction_id=row["correction_id"],
        kind=row["kind"],
        objection=row["objection"] or "",
        into_objection=row["into_objection"] or "",
        sentence=row["sentence"] or "",
        beside=tuple((row["beside"] or "").split()),
        words=tuple(filter(str.strip, (row["words"] or "").splitlines())),
        title=row["title"] or "",
    )


def _merged(merges: Iterable[Correction]) -> dict[str, str]:
    """Return which class counts which; what would close a circle is passed over."""
    into: dict[str, str] = {}

    def end_of(objection: str, passed: str = "") -> str:
        while objection in into and objection != passed:
            objection = into[objection]
        return objection

    for one in merges:
        if end_of(one.into_objection, one.objection) != one.objection:
            into[one.objection] = one.into_objection
    return {objection: end_of(objection) for objection in into}
