"""The port: what drafts texts for a shop, and on which terms it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cartwheel.text.drafting.request import DraftRequest


class ServiceFailed(Exception):
    """Raised by a text service that gave no answer.

    Its text is a reason for the merchant, in our own words: nothing that the service
    sent and no key is ever part of it.
    """


class TextService(Protocol):
    """What answers messages with a text.

    Attributes:
        model: Name of the model that answers.
    """

    model: str

    def complete(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]
    ) -> str:
        """Return the answer to messages, asked for as JSON of a schema.

        Args:
            messages: Objects with `role` and `content`, oldest first.
            schema: JSON schema that the answer should keep; it may not.

        Raises:
            ServiceFailed: If there is no answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Which service a shop lets draft, and how far.

    Attributes:
        url: Base address, such as `https://api.example.com/v1`.
        model: Name of the model.
        key_variable: Environment variable that holds the key, "" for no key.
        seconds: Longest that one request may take.
        most: Drafts asked for in one turn.
    """

    url: str
    model: str
    key_variable: str
    seconds: float
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a lever wants drafted before it decides.

    Attributes:
        terms: The shop's terms.
        requests: Drafts wanted, the most useful first.
    """

    terms: Terms
    requests: tuple[DraftRequest, ...]
