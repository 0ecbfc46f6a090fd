"""What the product decided, carried out in a world; pages answered from its model.

Shared by every policy that runs the product: the arm of the referee, and the demo shop
whose decisions are approved by a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Request
from cartwheel.simulator.arms.base import (
    Actions,
    Article,
    Mail,
    Page,
    Purchase,
    ShopView,
    emptier,
)
from cartwheel.simulator.arms.plain import blast

if TYPE_CHECKING:
    from cartwheel.levers.base import Model, OnlineLever

PRICE_KINDS = frozenset({"price_change", "price_test", "markdown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """A decision that is to be carried out.

    Attributes:
        kind: Kind of decision.
        subject_id: Id part of its subject.
        action: The action in force.
    """

    kind: str
    subject_id: str
    action: Mapping[str, Any]


def carry_out(agreed: Sequence[Agreed], articles: Sequence[Article]) -> Actions:
    """Return prices, purchases and mails of decisions, on a morning."""
    known = {article.variant_id: article for article in articles}
    return Actions(
        prices_minor=_prices(agreed, known),
        purchases=list(_purchases(agreed, known)),
        mails=list(_mails(agreed)),
    )


def left_alone(agreed: Iterable[Agreed]) -> frozenset[str]:
    """Return the customers who are not to be mailed."""
    return frozenset(a.subject_id for a in agreed if a.kind == "leave_alone")


def own_mail(shop: ShopView, alone: frozenset[str]) -> list[Mail]:
    """Return the shop's own weekly mail, without those who are to be left alone."""
    return [mail for mail in blast(shop) if mail.customer_id not in alone]


def sold_out(shop: ShopView) -> frozenset[str]:
    """Return the products of which the storefront has nothing this morning.

    A storefront knows its stock and says so when it asks, so that no slot is lost on
    goods it would hide; a model's knowledge is as old as its turn.
    """
    units: dict[str, int] = {}
    for article in shop.articles():
        held = sum(article.on_hand.values())
        units[article.product_id] = units.get(article.product_id, 0) + held
    return frozenset(product for product, left in units.items() if left <= 0)


def answer_page(
    lever: OnlineLever,
    model: Model,
    page: Page,
    *,
    holdout: bool,
    excluded: frozenset[str],
    rng: np.random.Generator,
) -> list[str]:
    """Return product ids for a page from the published model, as the API does."""
    request = Request(
        placement=page.placement,
        customer=page.customer,
        visitor=page.visitor,
        context=page.context,
        limit=page.limit,
        holdout=holdout,
        excluded=excluded,
    )
    return [slot.product_id for slot in lever.answer(model, request, rng=rng).slots]


def draw_of(page: Page, *, seed: int, day: int) -> np.random.Generator:
    """Return a page's own generator: other pages never shift its draw."""
    text = f"{seed}\x1f{day}\x1f{page.visitor}\x1f{page.placement}"
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _prices(
    agreed: Iterable[Agreed], articles: Mapping[str, Article]
) -> dict[str, int]:
    """Return new prices; what is in promotion keeps its list price meanwhile."""
    return {
        a.subject_id: int(a.action["price_minor"])
        for a in agreed
        if a.kind in PRICE_KINDS
        and a.subject_id in articles
        and articles[a.subject_id].promotion_bps == 0
    }


def _purchases(
    agreed: Iterable[Agreed], articles: Mapping[str, Article]
) -> Iterable[Purchase]:
    for a in agreed:
        if a.kind != "reorder" or a.subject_id not in articles:
            continue
        article, units = articles[a.subject_id], int(a.action["units"])
        if units > 0:
            yield Purchase(
                variant_id=article.variant_id,
                location_id=emptier(article),
                units=units,
            )


def _mails(agreed: Iterable[Agreed]) -> Iterable[Mail]:
    for a in agreed:
        if a.kind == "winback" and a.action.get("offer") == "discount":
            yield Mail(
                customer_id=a.subject_id,
                offer_bps=int(a.action["discount_bps"]),
                campaign="winback",
            )
