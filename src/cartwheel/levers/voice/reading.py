"""Every text read once by the rules, sentence by sentence."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cartwheel.text.language import language_of
from cartwheel.text.masking import mask
from cartwheel.text.objections import LANGUAGES, read_sentence, sentence_key
from cartwheel.text.sentences import sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A sentence, and what the rules make of it.

    Attributes:
        text: The sentence, masked.
        languages: Whose rules it was read by.
        blamed: It is the reason of a return.
        objections: Classes the rules told, the weightier first.
        mood: -1 displeased, 0 neither, 1 pleased.
        asked: It is a question.
        key: Its fingerprint, "" where nobody asked for fingerprints.
    """

    text: str
    languages: tuple[str, ...]
    blamed: bool
    objections: tuple[str, ...]
    mood: int
    asked: bool
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What was said in each text.

    Attributes:
        sentences: The sentences of each text in order.
        language: Language of each text, "" where it is too short to tell.
    """

    sentences: list[list[Spoken]]
    language: list[str]


def read_texts(texts: list[str], sources: list[str], *, keyed: bool = False) -> Texts:
    """Read texts; what is personal is masked before a rule sees it.

    A sentence is one object however often it was said.

    Args:
        texts: The texts.
        sources: review, message, survey, question or return, of each.
        keyed: Give each sentence its fingerprint.
    """
    language = [language_of(text) for text in texts]
    # What is too short to tell is read as most texts are; reasons also as English,
    # which the codes of platforms are in.
    usual = usual_language(language)
    known: dict[tuple[str, str, bool], Spoken] = {}
    read: list[list[Spoken]] = []
    for text, source, told in zip(texts, sources, language, strict=True):
        blamed = source == "return"
        said: list[Spoken] = []
        for sentence in sentences(_readable(text, source)):
            key = (sentence, told, blamed)
            if key not in known:
                spoken = {told or usual, *(["en"] if blamed else [])} & LANGUAGES.keys()
                known[key] = _spoken(sentence, tuple(sorted(spoken)), blamed, keyed)
            said.append(known[key])
        read.append(said)
    return Texts(sentences=read, language=language)


def _spoken(
    sentence: str, languages: tuple[str, ...], blamed: bool, keyed: bool
) -> Spoken:
    said = read_sentence(sentence, languages, blamed=blamed)
    return Spoken(
        text=sentence,
        languages=languages,
        blamed=blamed,
        objections=said.objections,
        mood=said.mood,
        asked=said.asked,
        key=sentence_key(sentence) if keyed else "",
    )


def usual_language(language: Iterable[str]) -> str:
    """Return the language most texts are in, English where none tells.

    Args:
        language: Language of each text, "" where it is too short to tell.
    """
    counts = Counter(one for one in language if one in LANGUAGES)
    return min(counts, key=lambda one: (-counts[one], one), default="en")


def _readable(text: str, source: str) -> str:
    """Return a text as it may be read: masked, and a code of a reason as words."""
    text = html.unescape(text)  # exports of platforms hold "isn&#39;t"
    if source == "return":
        text = text.replace("_", " ").replace("-", " ")
    return mask(text)
