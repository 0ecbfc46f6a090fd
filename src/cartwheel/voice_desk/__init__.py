"""Where what is said of themes is checked and kept, from the console or a command."""

from cartwheel.voice_desk.places import Place, find_fresh, find_own, find_place
from cartwheel.voice_desk.record import (
    add_correction,
    describe_record,
    read_record,
    take_back,
)
from cartwheel.voice_desk.shown import MOST_OWN, MOST_SPLITS, Shown

__all__ = [
    "MOST_OWN",
    "MOST_SPLITS",
    "Place",
    "Shown",
    "add_correction",
    "describe_record",
    "find_fresh",
    "find_own",
    "find_place",
    "read_record",
    "take_back",
]
