"""What a shopper asks: words that carry it, what sort of answer, and warning signs."""

from cartwheel.text.asking.reading import (
    Group,
    Reading,
    Unit,
    asking_part,
    read_question,
)
from cartwheel.text.asking.said import Said, read_said

__all__ = [
    "Group",
    "Reading",
    "Said",
    "Unit",
    "asking_part",
    "read_question",
    "read_said",
]
