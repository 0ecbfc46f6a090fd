"""The voice model: objections counted by product, with money at stake and quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import Model
from cartwheel.levers.earned import earned
from cartwheel.levers.voice.corrected import corrected_meta, count_splits
from cartwheel.levers.voice.counted_fresh import count_fresh
from cartwheel.levers.voice.mentions import Mentions, read_mentions
from cartwheel.levers.voice.quotes import newest_quotes, pack_quotes, quotes_by_place
from cartwheel.levers.voice.reading import usual_language
from cartwheel.levers.voice.searched import learn_searches
from cartwheel.levers.voice.stake import Shop, Stake, at_stake, estimate_effects
from cartwheel.signals.base import Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.intent import INTENT
from cartwheel.signals.listing import LISTING
from cartwheel.signals.objections import OBJECTIONS
from cartwheel.signals.returns import RETURNS, YEAR_DAYS
from cartwheel.text.objections import CLASSES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Array = np.ndarray[Any, Any]

LONGEST_TITLE = 80

TOLD = (
    "texts",
    "said",
    "recent",
    "before",
    "messages",
    "returned",
    "smaller",
    "larger",
    "displeased",
)
"""Counts that are told; the rest only tells what they may cost."""


def learn_model(data: Signals, *, seed: int, priced: bool = True) -> Model:
    """Read the texts and return the model.

    Args:
        data: The lever's signals.
        seed: Seed of the draws behind intervals.
        priced: Say what objections may cost; where texts are few they are counted only.
    """
    mentions = read_mentions(data)
    # The texts without a product stand first, under the empty name.
    names, place = np.unique(np.append(mentions.product_id, ""), return_inverse=True)
    place = place[:-1]
    counted = _counted(mentions, place, len(names))
    shop = _shop(data, names)
    effects = None
    if priced:
        effects = estimate_effects(counted["spoken"], counted["texts"], shop)
    stake = at_stake(
        counted["spoken"],
        counted["texts"],
        counted["messages"],
        counted["returned"],
        counted["returns"],
        shop,
        effects,
        seed=seed,
    )
    known = np.asarray(_known(counted, shop, stake) & priced)
    point = stake.returns + stake.contacts + stake.lost
    money = np.stack([point, stake.low, stake.high], axis=2)
    some: Array = np.asarray(known.any(axis=0))
    fresh, told = count_fresh(mentions, place, len(names), _categories(data, mentions))
    arrays = {
        "product_id": names,
        "title": _titles(data, names),
        **{name: counted[name] for name in TOLD},
        "stake": np.where(known[:, :, None], money, np.nan),
        "total": np.where(some[:, None], stake.total, np.nan),
        **_quotes(mentions, place, np.where(known, point, 0.0)),
        **count_splits(mentions, place, len(names)),
        **fresh,
        **learn_searches(
            data, usual_language(mentions.language.tolist()), mentions.stands
        ),
    }
    meta = {
        "texts": len(mentions),
        "raising": int(mentions.raised.any(axis=1).sum()),
        "unread": int(mentions.unread.sum()),
        "recent": int(mentions.recent.sum()),
        "before": int(mentions.before.sum()),
        "compared": effects.products if effects is not None else 0,
        "told": [] if effects is None else _told(effects.told),
        "fresh": told,
        "mood_texts": mentions.mood_texts,
        **corrected_meta(mentions),
    }
    return Model(rule="rules" if priced else "counted", arrays=arrays, meta=meta)


def objections_of(model: Model) -> pa.Table:
    """Return the signal `objections`."""
    import pyarrow as pa

    arrays, classes = model.arrays, list(CLASSES)
    some = (arrays["said"] > 0) & (arrays["product_id"] != "")[:, None]
    product, kind = np.nonzero(some)
    money = arrays["stake"][product, kind]
    columns: dict[str, list[Any]] = {
        "product_id": arrays["product_id"][product].tolist(),
        "objection": [classes[at] for at in kind.tolist()],
        "mentions": arrays["said"][product, kind].tolist(),
        "texts": arrays["texts"][product].tolist(),
        "recent": arrays["recent"][product, kind].tolist(),
        "before": arrays["before"][product, kind].tolist(),
        "contacts": arrays["messages"][product, kind].tolist(),
        "returned_units": arrays["returned"][product, kind].tolist(),
        "smaller": arrays["smaller"][product, kind].tolist(),
        "larger": arrays["larger"][product, kind].tolist(),
        "displeased": arrays["displeased"][product, kind].tolist(),
    }
    quotes = quotes_by_place(model)
    columns["quotes"] = [
        "\n".join(" ".join(one.split()) for one in quotes.get(place, ())) or None
        for place in zip(product.tolist(), kind.tolist(), strict=True)
    ]
    amounts = [money_of(three) for three in money]
    for at, name in enumerate(("stake_minor", "low_minor", "high_minor")):
        columns[name] = [three[at] for three in amounts]
    table = pa.Table.from_pydict(columns, schema=OBJECTIONS.schema())
    return OBJECTIONS.conform(table)


def money_of(three: Array) -> tuple[int | None, int | None, int | None]:
    """Return an amount and its interval in whole minor units, None where unknown."""
    if np.isnan(three[0]):
        return None, None, None
    return round(three[0]), round(three[1]), round(three[2])


def _titles(data: Signals, names: Array) -> Array:
    """Return what the products are called, their ids where nobody says."""
    found = data.align(LISTING, names.tolist())["title"]
    title = found.where(found.notna(), "").tolist()
    pairs = zip(names.tolist(), title, strict=True)
    said = [str(told or name)[:LONGEST_TITLE] for name, told in pairs]
    return np.array(said, dtype=str)


def _categories(data: Signals, mentions: Mentions) -> Array:
    """Return the category of the product of each text, "" where none is known."""
    known = data.frame(CATALOGUE)[["product_id", "category"]].dropna()
    by_product = known.drop_duplicates("product_id").set_index("product_id")["category"]
    found = by_product.reindex(mentions.product_id)
    return np.asarray(found.fillna("").to_numpy(str))


def _counted(mentions: Mentions, place: Array, products: int) -> dict[str, Array]:
    """Return counts by product and class; `spoken` leaves reasons of returns out."""
    classes = mentions.raised.shape[1]

    def count(
        rows: Array, weight: Array | None = None, of: Array = mentions.raised
    ) -> Array:
        made = np.zeros((products, classes), np.int64)
        add = of[rows].astype(np.int64)
        if weight is not None:
            add = add * weight[rows, None]
        np.add.at(made, place[rows], add)
        return made

    back = mentions.source == "return"
    size = np.arange(classes) == list(CLASSES).index("size_fit")
    return {
        "texts": np.bincount(place[~back], minlength=products).astype(np.int64),
        "said": count(np.ones(len(mentions), bool)),
        "spoken": count(~back),
        "recent": count(mentions.recent),
        "before": count(mentions.before),
        "messages": count(mentions.source == "message"),
        "returned": count(back, mentions.units),
        "returns": count(back),
        "smaller": count(mentions.fit < 0) * size,
        "larger": count(mentions.fit > 0) * size,
        "displeased": count(np.ones(len(mentions), bool), of=mentions.displeased),
    }


def _shop(data: Signals, names: Array) -> Shop:
    """Return what is known of the products; the first has no name, and nothing is."""
    import pandas as pd

    ids = names.tolist()
    intent = data.frame(INTENT)
    since = pd.Timestamp(data.context.when.as_of) - pd.Timedelta(days=YEAR_DAYS)
    intent = intent[pd.to_datetime(intent["day"]) >= since]
    views = intent.groupby("product_id")["views"].sum().reindex(ids).fillna(0)
    back = data.align(RETURNS, ids)
    money = _money(data).reindex(ids)
    category = money["category"].astype(object).where(money["category"].notna(), "")
    margin = money["margin_minor"].to_numpy(float)
    taken = money["gross_minor"].to_numpy(float)
    cost = back["cost_per_return_minor"].astype(float).to_numpy()
    return Shop(
        views=views.to_numpy(float),
        sold=back["sold_units"].to_numpy(float),
        category=pd.factorize(category, sort=True)[0],
        margin_minor=margin,
        return_minor=np.where(
            np.isnan(cost) & np.isnan(taken),
            np.nan,
            np.nan_to_num(cost) + np.maximum(np.nan_to_num(taken), 0.0),
        ),
        contact_minor=data.context.contact_minor,
    )


def _money(data: Signals) -> pd.DataFrame:
    """Return category, margin and price less cost by product, means of its variants."""
    catalogue = data.frame(CATALOGUE)[["variant_id", "product_id", "category"]]
    rows = earned(data, catalogue["variant_id"].tolist())
    gross = rows["price_minor"].astype(float) - rows["cost_minor"].astype(float)
    rows = rows.assign(
        product_id=catalogue["product_id"].to_numpy(),
        category=catalogue["category"].to_numpy(),
        gross_minor=gross,
        margin_minor=rows["margin_minor"].astype(float),
    )
    return rows.groupby("product_id").agg(
        category=("category", "first"),
        margin_minor=("margin_minor", "mean"),
        gross_minor=("gross_minor", "mean"),
    )


def _known(counted: dict[str, Array], shop: Shop, stake: Stake) -> Array:
    """Return of which objections some part of the cost is known."""
    returned = (counted["returned"] > 0) & ~np.isnan(shop.return_minor)[:, None]
    asked = (counted["messages"] > 0) & (shop.contact_minor is not None)
    return np.asarray(returned | asked | (stake.lost != 0))


def _quotes(mentions: Mentions, place: Array, money: Array) -> dict[str, Array]:
    """Return some quotes of each product and objection, the costliest first."""
    held = newest_quotes(mentions, place, mentions.quotes)
    return pack_quotes("quote", held, {at: float(money[at]) for at in held})


def _told(told: Array) -> list[str]:
    return [name for name, sure in zip(CLASSES, told, strict=True) if sure]
