"""Every signal there is: those made from the lake, and those levers write."""

from __future__ import annotations

from cartwheel.signals.active_hours import ACTIVE_HOURS
from cartwheel.signals.base import Signal
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import BASKETS, CONSENT, PURCHASES, RHYTHM
from cartwheel.signals.demand import DEMAND
from cartwheel.signals.drafts import DRAFTS
from cartwheel.signals.feedback import FEEDBACK
from cartwheel.signals.fix_effects import FIX_EFFECTS
from cartwheel.signals.intent import INTENT, SEARCHES
from cartwheel.signals.interest import IDENTITY, INTEREST
from cartwheel.signals.learned import (
    FORECAST,
    LIFETIME_VALUE,
    OUTCOMES,
    PRICE_PLAN,
    SEGMENT,
    SHOWN,
)
from cartwheel.signals.listing import LISTING
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.order_states import ORDER_STATES
from cartwheel.signals.policies import POLICIES
from cartwheel.signals.price import PRICE_HISTORY
from cartwheel.signals.questions import QUESTIONS
from cartwheel.signals.returns import OPEN_RETURNS, RETURNS
from cartwheel.signals.search_clicks import SEARCH_CLICKS
from cartwheel.signals.stock import STOCK
from cartwheel.signals.supply import LEAD_TIME
from cartwheel.signals.theme_corrections import THEME_CORRECTIONS
from cartwheel.signals.visits import VISITS
from cartwheel.signals.weak_searches import WEAK_SEARCHES

LAKE_SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        CATALOGUE,
        LISTING,
        INTENT,
        SEARCHES,
        SEARCH_CLICKS,
        INTEREST,
        IDENTITY,
        VISITS,
        DEMAND,
        STOCK,
        RETURNS,
        OPEN_RETURNS,
        MARGIN,
        PRICE_HISTORY,
        RHYTHM,
        BASKETS,
        PURCHASES,
        CONSENT,
        ACTIVE_HOURS,
        LEAD_TIME,
        SHOWN,
        OUTCOMES,
        FEEDBACK,
        QUESTIONS,
        POLICIES,
        ORDER_STATES,
        THEME_CORRECTIONS,
        FIX_EFFECTS,
    )
}
"""Signals made from the lake, each after the signals it reads."""

LEARNED: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        FORECAST,
        PRICE_PLAN,
        LIFETIME_VALUE,
        SEGMENT,
        WEAK_SEARCHES,
        OBJECTIONS,
        DRAFTS,
    )
}
"""Signals written by levers, or asked for by the turn on their behalf."""

SIGNALS: dict[str, Signal] = {**LAKE_SIGNALS, **LEARNED}
"""All signals by name."""
