"""The shop without AI: bestsellers, cost-plus prices, min-max orders, one blast."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

from cartwheel.simulator.arms.base import (
    Actions,
    Article,
    Mail,
    Page,
    Purchase,
    ShopView,
    emptier,
)

REVIEW_DAYS = 7
HISTORY_DAYS = 56
BESTSELLER_DAYS = 30
SAFETY = 1.65
"""Standard deviations of demand over the lead time held in reserve."""

COVER_WEEKS = 4
LEAST_DAYS = 28
"""Days over which a mean is taken at least, so that one sale is no trend."""

BLAST_DAYS = 7
COUPON_EVERY = 4
"""Every fourth blast carries the shop's one coupon."""

COUPON_BPS = 1_000


class Plain:
    """Simple rules that a shop without analysts follows.

    Prices stay cost-plus. A variant is ordered up to some weeks of its mean of eight
    weeks once it falls to what the lead time takes plus a reserve.
    """

    name = "no-ai"

    def __init__(self) -> None:
        self._bestsellers: list[str] = []

    def morning(self, shop: ShopView) -> Actions:
        """Reorder weekly, mail weekly, and look up the bestsellers daily."""
        sold = shop.sold_units(BESTSELLER_DAYS)
        by_product: dict[str, int] = {}
        for variant, units in sold.items():
            product = variant.partition("-")[0]
            by_product[product] = by_product.get(product, 0) + units
        self._bestsellers = sorted(by_product, key=lambda p: (-by_product[p], p))
        return Actions(
            purchases=reorder(shop) if shop.day % REVIEW_DAYS == 0 else (),
            mails=blast(shop) if shop.day % BLAST_DAYS == 1 else (),
        )

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Show everybody the same bestsellers, less what they look at."""
        best = self._bestsellers[:40]
        # Many look at the same page; they get the same list.
        lists: dict[tuple[str, ...], list[str]] = {(): best}
        for page in pages:
            if page.context not in lists:
                lists[page.context] = [p for p in best if p not in page.context]
        return [lists[page.context] for page in pages]


def reorder(shop: ShopView) -> list[Purchase]:
    """Return min-max orders from the mean of eight weeks."""
    sold = shop.sold_units(HISTORY_DAYS)
    weeks = min(max(shop.day, LEAST_DAYS), HISTORY_DAYS) / 7
    orders = []
    for article in shop.articles():
        weekly = sold.get(article.variant_id, 0) / weeks
        orders += _min_max(article, weekly)
    return orders


def _min_max(article: Article, weekly: float) -> list[Purchase]:
    held = sum(article.on_hand.values()) + sum(article.inbound.values())
    lead = (article.supplier_days + REVIEW_DAYS) / 7
    low = weekly * lead + SAFETY * sqrt(max(weekly * lead, 0.0))
    if weekly <= 0 or held > low:
        return []
    wanted = low + weekly * COVER_WEEKS - held
    packs = ceil(max(wanted, article.minimum_order_units) / article.pack_units)
    return [
        Purchase(
            variant_id=article.variant_id,
            location_id=emptier(article),
            units=max(packs, 1) * article.pack_units,
        )
    ]


def blast(shop: ShopView) -> list[Mail]:
    """Mail everybody who agreed; now and then with the one coupon."""
    with_coupon = shop.day // BLAST_DAYS % COUPON_EVERY == 0
    bps = COUPON_BPS if with_coupon else 0
    return [
        Mail(customer_id=name, offer_bps=bps, campaign="blast")
        for name in shop.mailable()
    ]
