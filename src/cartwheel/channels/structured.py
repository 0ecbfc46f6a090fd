"""Structured data of a product's page: schema.org Product with Offer, and FAQPage.

Only what the page itself says is told to machines, as search engines ask: the answered
questions of the fixes that stand there, the attributes on record, and an offer where a
price is known.

References:
    schema.org/Product, schema.org/Offer, schema.org/FAQPage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cartwheel.channels.csv_files import major
from cartwheel.ledger.entry import Entry
from cartwheel.text.claims.facts import attributes_of

CONTEXT = "https://schema.org"


def structured_data(
    product_id: str, known: Mapping[str, Any], fixes: Iterable[Entry]
) -> dict[str, Any]:
    """Return the JSON-LD of a page.

    Args:
        product_id: Product.
        known: What the last turn read of its page, with its price where one is known.
        fixes: Page fixes that stand in the page.
    """
    parts: list[dict[str, Any]] = [_product(product_id, known)]
    asked = [one for fix in fixes for one in fix.action["said"] if one.get("question")]
    if asked:
        parts.append(
            {
                "@type": "FAQPage",
                "mainEntity": [
                    {
                        "@type": "Question",
                        "name": one["question"],
                        "acceptedAnswer": {"@type": "Answer", "text": one["text"]},
                    }
                    for one in asked
                ],
            }
        )
    return {"@context": CONTEXT, "@graph": parts}


def _product(product_id: str, known: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@type": "Product",
        "productID": product_id,
        "name": known.get("title") or product_id,
    }
    if known.get("brand"):
        made["brand"] = {"@type": "Brand", "name": known["brand"]}
    if known.get("category"):
        made["category"] = known["category"]
    if str(known.get("image_url") or "").startswith(("http://", "https://")):
        made["image"] = known["image_url"]
    properties = [
        {"@type": "PropertyValue", "name": name, "value": value}
        for name, value in attributes_of(known)
    ]
    if properties:
        made["additionalProperty"] = properties
    offer = _offer(known)
    if offer:
        made["offers"] = offer
    return made


def _offer(known: Mapping[str, Any]) -> dict[str, Any] | None:
    low, high = known.get("low_minor"), known.get("high_minor")
    if low is None or high is None:
        return None
    digits, currency = int(known["minor_digits"]), known["currency"]
    stocked = known.get("in_stock")
    made: dict[str, Any] = {"priceCurrency": currency}
    if low == high:
        made |= {"@type": "Offer", "price": major(low, digits)}
        if stocked is not None:
            word = "InStock" if stocked else "OutOfStock"
            made["availability"] = f"{CONTEXT}/{word}"
    else:
        made |= {
            "@type": "AggregateOffer",
            "lowPrice": major(low, digits),
            "highPrice": major(high, digits),
            "offerCount": int(known["variants"]),
        }
    return made
