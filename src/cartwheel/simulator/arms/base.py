"""What a policy is handed and what it may do. Anyone's policy can be refereed.

A policy sees what a shop sees: its fact tables, its stock, its sales. It never sees a
parameter of the world, a person's taste or a supplier's true lead time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from cartwheel.simulator.world.facts import Facts

Placement = Literal["home", "product", "cart", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that asks what to show.

    Attributes:
        key: Number of this page among all of the world, for random draws; the same
            whatever was shown before.
        placement: Where on the storefront.
        customer: Customer id, when the visitor is recognised.
        visitor: Device id.
        context: Product ids of this visit, oldest first.
        limit: Slots.
    """

    key: int
    placement: Placement
    customer: str | None
    visitor: str
    context: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Units of a variant ordered from its supplier for a warehouse."""

    variant_id: str
    location_id: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to a customer, with an offer or without one.

    Attributes:
        customer_id: Whom.
        offer_bps: Price cut of the next order in basis points; 0 for none.
        days: Days in which the offer holds.
        campaign: Name of the mailing.
    """

    customer_id: str
    offer_bps: int = 0
    days: int = 14
    campaign: str = "mailing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What a policy does on a day.

    Attributes:
        prices_minor: New list prices from today on, by variant id.
        purchases: Orders to suppliers.
        mails: Mails sent today.
    """

    prices_minor: Mapping[str, int] = field(default_factory=dict)
    purchases: Sequence[Purchase] = ()
    mails: Sequence[Mail] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A variant on sale today, as the shop's own system lists it.

    Attributes:
        price_minor: List price, before any promotion.
        promotion_bps: Cut of the promotion that runs today, in basis points.
        cost_minor: Unit cost as recorded, or None when nobody recorded it.
        supplier_days: Lead time the supplier promises.
        on_hand: Units by location id.
        inbound: Units ordered and not yet here, by location id.
    """

    variant_id: str
    product_id: str
    supplier_id: str
    price_minor: int
    promotion_bps: int
    cost_minor: int | None
    pack_units: int
    minimum_order_units: int
    supplier_days: int
    on_hand: Mapping[str, int]
    inbound: Mapping[str, int]


def emptier(article: Article) -> str:
    """Return the location that has less of an article, on its way or there."""
    return min(
        article.on_hand, key=lambda at: article.on_hand[at] + article.inbound[at]
    )


class ShopView(Protocol):
    """What a shop sees in the morning."""

    @property
    def day(self) -> int:
        """Days since the world began."""
        ...

    @property
    def today(self) -> date:
        """The date."""
        ...

    @property
    def facts(self) -> Facts:
        """Every fact table, with what was known by last night."""
        ...

    def articles(self) -> Sequence[Article]:
        """Variants of products that are launched, with stock and price."""
        ...

    def sold_units(self, days: int) -> Mapping[str, int]:
        """Units sold in the last days, by variant id; those with none are left out."""
        ...

    def mailable(self) -> Sequence[str]:
        """Customer ids that agreed to mailings."""
        ...


class Policy(Protocol):
    """Runs a shop: an arm of the referee."""

    name: str

    def morning(self, shop: ShopView) -> Actions:
        """Decide the day's prices, purchases and mails; called once before opening."""
        ...

    def slates(self, pages: Sequence[Page]) -> Sequence[Sequence[str]]:
        """Return product ids for each page, best first; sold-out goods are hidden."""
        ...
