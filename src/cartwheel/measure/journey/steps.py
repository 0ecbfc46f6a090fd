"""The steps of a visit, and the kinds of places at which one may not go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["shop", "way_in", "query", "category", "product"]

RECENT_DAYS = 28
BEFORE_DAYS = 98
"""The shop's own days before, which say what is usual; as in health."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a visit.

    Attributes:
        name: Name in data.
        title: What a visit did to be in this step.
        goes_on: What it does next when it goes on.
        stops: What is said of those that do not.
    """

    name: str
    title: str
    goes_on: str
    stops: str


STEPS: tuple[Step, ...] = (
    Step(
        name="visit",
        title="Visit",
        goes_on="searches, opens a category or a product",
        stops="open nothing",
    ),
    Step(
        name="find",
        title="Search or category",
        goes_on="opens a product",
        stops="open no product",
    ),
    Step(
        name="product",
        title="Product seen",
        goes_on="puts it into the cart",
        stops="put nothing into the cart",
    ),
    Step(
        name="cart",
        title="Cart",
        goes_on="checks out",
        stops="do not check out",
    ),
    Step(
        name="checkout",
        title="Checkout",
        goes_on="an order is on record",
        stops="leave no order",
    ),
)
STEP_BY_NAME = {step.name: step for step in STEPS}

KIND_TITLES: dict[Kind, str] = {
    "shop": "whole shop",
    "way_in": "way in",
    "query": "search",
    "category": "category",
    "product": "product",
}

AMONG_OTHERS: frozenset[Kind] = frozenset({"query", "product"})
"""Kinds of which a shop has many that are alike, so that one may be held against the
others; a category or a way in is held against its own earlier days alone."""
