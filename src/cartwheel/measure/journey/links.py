"""What stands beside a drop-off: themes, stock-outs, searches, contacts, page fixes.

Beside, not behind: each link says what the shop knows of the same place in the same
days. Whether it is why shoppers left is not known from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cartwheel.measure.journey.beside import Beside
from cartwheel.measure.journey.beside_goods import (
    page_fixes,
    slow_parcels,
    sold_out,
    sold_out_in,
)
from cartwheel.measure.journey.beside_words import (
    asking_for,
    asking_for_its_category,
    contacts,
    nothing_found,
    search_itself,
    themes,
)
from cartwheel.measure.journey.data import JourneyData
from cartwheel.measure.journey.steps import Kind
from cartwheel.measure.journey.tally import Tally

Finder = Callable[[JourneyData, str], list[Beside]]

FINDERS: Mapping[Kind, tuple[Finder, ...]] = {
    "product": (
        sold_out,
        themes,
        contacts,
        asking_for_its_category,
        page_fixes,
        slow_parcels,
    ),
    "category": (sold_out_in, asking_for),
    "query": (search_itself,),
    "way_in": (),
    "shop": (),
}


def beside(data: JourneyData, tally: Tally) -> list[Beside]:
    """Return what is known of a place, [] when nothing is.

    Args:
        data: What the journey looks at.
        tally: The place.
    """
    finders = FINDERS[tally.kind]
    if tally.kind == "shop" and tally.step == "find":
        finders = (nothing_found,)
    return [one for find in finders for one in find(data, tally.place)]
