"""What corrected sentences teach: phrases that say something else in this shop.

A phrase is what a rule met: "tent", say, of the rule that takes it for a size. Of the
sentences that were looked at, some were corrected and some left as they were beside one
that was corrected. The share of them that the phrase tells rightly is Beta distributed:
before anybody looked, as often right as its class was when measured, which weighs as
much as `PRIOR_WEIGHT` sentences. Where it is surely below one half, the phrase is
silent. A rule falls silent whole by the same sum over its phrases, each counted once,
so that one word said often silences no rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cartwheel.levers.voice.reading import Spoken
from cartwheel.text.objections import Phrase, Standing, phrases_of
from cartwheel.text.objections.classes import MEASURED

PRIOR_WEIGHT = 2.0
"""Sentences that the measured precision of a class weighs as much as, for one phrase of
it. Phrases of one class differ widely, so it is little."""

SURE = 0.975
"""Probability from which a phrase is taken to be wrong, or to mean another class."""

EXAMPLES = 3

Words = tuple[str, str, str]
"""Language, class and what was met."""

Place = tuple[str, str, int]
"""Language, class and place of a rule."""

Verdict = str | None
"""Class that a sentence was given instead, "" for none, None where it was left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A phrase, or a whole rule, that says nothing of its class in this shop.

    Attributes:
        language: Language of the rule.
        objection: Its class.
        words: The phrase; of a whole rule, some of its phrases.
        whole: A rule is silent, not one phrase.
        corrected: Sentences corrected; of a whole rule, phrases.
        seen: Sentences, or phrases, that were looked at.
        into_objection: Class it means instead, "" for none.
    """

    language: str
    objection: str
    words: tuple[str, ...]
    whole: bool
    corrected: int
    seen: int
    into_objection: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "words": list(self.words)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What a shop's corrections taught.

    Attributes:
        told: Lessons, phrases before rules, those of many sentences first.
        phrases: Class that silent phrases mean instead, "" for none.
        rules: Class that silent rules mean instead, "" for none.
        right: Phrases that were mostly left as they were; a silent rule spares them.
    """

    told: tuple[Lesson, ...] = ()
    phrases: Mapping[Words, str] = field(default_factory=dict)
    rules: Mapping[Place, str] = field(default_factory=dict)
    right: frozenset[Words] = frozenset()

    @property
    def classes(self) -> frozenset[str]:
        """Classes of which something is silent."""
        return frozenset(one.objection for one in self.told)

    def means(self, phrase: Phrase) -> Verdict:
        """Return the class a phrase means instead, "" for none, None for its own."""
        found = self.phrases.get(_words(phrase))
        if found is None and _words(phrase) not in self.right:
            found = self.rules.get(_place(phrase))
        return found


@dataclass(frozen=True, slots=True)
class _Tally:
    objection: str
    verdicts: tuple[Verdict, ...]

    @property
    def wrong(self) -> int:
        return sum(one is not None for one in self.verdicts)

    @property
    def mostly_wrong(self) -> bool:
        return 2 * self.wrong > len(self.verdicts)

    @property
    def silent(self) -> bool:
        return surely_wrong(self.objection, self.wrong, len(self.verdicts))

    @property
    def into(self) -> str:
        """The class that surely more than half were moved to, "" for none."""
        named = sorted(one for one in self.verdicts if one)
        often = max(dict.fromkeys(named), key=named.count, default="")
        sure = surely_most(named.count(often), len(self.verdicts))
        return often if often and sure else ""

    def lesson(self, language: str, words: tuple[str, ...], *, whole: bool) -> Lesson:
        return Lesson(
            language=language,
            objection=self.objection,
            words=words,
            whole=whole,
            corrected=self.wrong,
            seen=len(self.verdicts),
            into_objection=self.into,
        )


def learn_lessons(spoken: Iterable[Spoken], stands: Standing) -> Lessons:
    """Return what corrections teach.

    Args:
        spoken: The shop's sentences, with fingerprints.
        stands: Corrections that stand.
    """
    said: dict[Words, dict[str, Verdict]] = defaultdict(dict)
    places: dict[Words, set[Place]] = defaultdict(set)
    for one in spoken:
        for objection in one.objections:
            # A page shows a sentence under the class that counts it.
            cases = [(one.key, objection), (one.key, stands.counted_as(objection))]
            found_in = [case for case in cases if case in stands.sentences]
            instead = stands.sentences[found_in[0]] if found_in else None
            if instead is None and stands.beside.isdisjoint(cases):
                continue
            found = phrases_of(one.text, one.languages, objection, blamed=one.blamed)
            for phrase in found:
                said[_words(phrase)][one.key] = instead
                places[_words(phrase)].add(_place(phrase))
    tallies = {
        words: _Tally(words[1], tuple(said[words][key] for key in sorted(said[words])))
        for words in sorted(said)
    }
    return _lessons(tallies, places)


def prior(objection: str) -> tuple[float, float]:
    """Return the parameters of the Beta distribution before anybody looked.

    The measured precision enters by the rule of succession: that seven sentences of
    seven were right does not make the next one surely right.
    """
    sentences, precision = MEASURED[objection]
    share = (sentences * precision + 1) / (sentences + 2)
    return PRIOR_WEIGHT * share, PRIOR_WEIGHT * (1 - share)


def surely_wrong(objection: str, corrected: int, seen: int) -> bool:
    """Tell whether the share told rightly is surely below one half.

    Args:
        objection: Class of the phrase.
        corrected: Sentences corrected.
        seen: Sentences looked at.
    """
    from scipy.special import betainc

    right, wrong = prior(objection)
    return bool(betainc(right + seen - corrected, wrong + corrected, 0.5) >= SURE)


def surely_most(times: int, seen: int) -> bool:
    """Tell whether surely more than half mean one class, by Jeffreys' prior."""
    from scipy.special import betainc

    return bool(betainc(0.5 + times, 0.5 + seen - times, 0.5) <= 1 - SURE)


def _lessons(
    tallies: Mapping[Words, _Tally], places: Mapping[Words, set[Place]]
) -> Lessons:
    told: list[Lesson] = []
    by_rule: dict[Place, dict[str, Verdict]] = defaultdict(dict)
    for words, tally in tallies.items():
        for place in places[words]:
            by_rule[place][words[2]] = tally.into if tally.mostly_wrong else None
        if tally.silent:
            told.append(tally.lesson(words[0], (words[2],), whole=False))
    rules: dict[Place, str] = {}
    for place in sorted(by_rule):
        said = by_rule[place]
        tally = _Tally(place[1], tuple(said.values()))
        if tally.silent:
            rules[place] = tally.into
            wrong = tuple(words for words, one in said.items() if one is not None)
            told.append(tally.lesson(place[0], wrong[:EXAMPLES], whole=True))
    return Lessons(
        told=tuple(sorted(told, key=lambda one: (one.whole, -one.seen, one.words))),
        phrases={words: one.into for words, one in tallies.items() if one.silent},
        rules=rules,
        right=frozenset(w for w, one in tallies.items() if not one.mostly_wrong),
    )


def _words(phrase: Phrase) -> Words:
    return phrase.language, phrase.objection, phrase.words


def _place(phrase: Phrase) -> Place:
    return phrase.language, phrase.objection, phrase.rule
