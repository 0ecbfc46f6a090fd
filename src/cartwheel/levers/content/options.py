"""Settings under `levers.content`."""

from __future__ import annotations

from dataclasses import dataclass

from cartwheel.levers.options import read_options
from cartwheel.signals.base import Signals
from cartwheel.text.drafting import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings under `levers.content`.

    Attributes:
        most_a_turn: Page fixes proposed in one turn, at most.
        least_mentions: Texts that raise an objection from which it is more than one
            person's.
        text_service: Base address of a service that drafts paragraphs, such as
            `https://HOST/v1`; empty for none.
        text_service_model: Model of the service that is asked.
        text_service_key: Environment variable that holds its key; empty for no key.
        text_service_seconds: Longest that one request to it may take.
        text_service_drafts: Drafts asked for in one turn, at most.
        text_service_quotes: 1 sends it customers' words too, masked; 0 sends facts
            only.
    """

    most_a_turn: int = 25
    least_mentions: int = 2
    text_service: str = ""
    text_service_model: str = ""
    text_service_key: str = ""
    text_service_seconds: float = 20.0
    text_service_drafts: int = 10
    text_service_quotes: int = 0

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "content")

    @property
    def terms(self) -> Terms | None:
        """Terms of the text service; None where the shop has none."""
        if not self.text_service:
            return None
        return Terms(
            url=self.text_service,
            model=self.text_service_model,
            key_variable=self.text_service_key,
            seconds=float(self.text_service_seconds),
            most=int(self.text_service_drafts),
        )
