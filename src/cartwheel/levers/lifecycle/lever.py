"""Customers: segments, lifetime value, whom to win back and whom to leave alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.levers.base import (
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Need,
    Prediction,
    Rule,
)
from cartwheel.levers.lifecycle.lapse import (
    ENOUGH_BUYERS,
    ENOUGH_REPEATERS,
    check_lapse,
    learn_rhythm,
)
from cartwheel.levers.lifecycle.offers import (
    Offerable,
    favourites,
    left_out,
    margin_share,
    offerable,
)
from cartwheel.levers.lifecycle.page import page
from cartwheel.levers.lifecycle.rhythm import (
    ORDERS_DAYS,
    VALUE_DAYS,
    Learned,
    Rhythm,
    Scores,
    order_value,
    score,
    segment,
)
from cartwheel.levers.lifecycle.send_hours import SendHour, send_hour, usual_hours
from cartwheel.levers.options import read_options
from cartwheel.levers.report import Report
from cartwheel.signals.active_hours import ACTIVE_HOURS
from cartwheel.signals.base import Signal, Signals
from cartwheel.signals.catalogue import CATALOGUE
from cartwheel.signals.customers import CONSENT, PURCHASES, RHYTHM
from cartwheel.signals.learned import LIFETIME_VALUE, OUTCOMES, SEGMENT
from cartwheel.signals.margin import MARGIN
from cartwheel.signals.returns import OPEN_RETURNS
from cartwheel.signals.stock import STOCK

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

SURE_TO_BUY = 0.2  # chance of no order below which an offer gives margin away
GONE_AFTER = 3.0  # own gap limits without an order after which few come back
GONE_LAPSE = 0.8
NEED_OUTCOMES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings under `levers.lifecycle`.

    Attributes:
        winbacks: Most win-back proposals in a turn.
        leave_alone: Most customers named to be left alone.
        ask_consent: Most customers named to be asked for consent.
        no_offer_share: Share of win-backs drawn to get nothing, to measure the rest.
        draw_hour_share: Share of offers whose hour to go out at is drawn evenly.
        offer_bps: Size of the offer, of the order's value.
        products: Products in an offer.
        new_days: Days a customer counts as new.
    """

    winbacks: int = 500
    leave_alone: int = 500
    ask_consent: int = 100
    no_offer_share: float = 0.1
    draw_hour_share: float = 0.2
    offer_bps: int = 1000
    products: int = 3
    new_days: int = 60

    @classmethod
    def of(cls, data: Signals) -> Options:
        """Read the shop's options."""
        return read_options(cls, data, "lifecycle")


def buyers(data: Signals) -> float:
    """Count customers with an order."""
    return float(len(Rhythm.of(data.frame(RHYTHM)).x))


def repeaters(data: Signals) -> float:
    """Count customers with orders on two days or more."""
    return float((Rhythm.of(data.frame(RHYTHM)).x > 0).sum())


class Lifecycle:
    """BG/NBD with Gamma-Gamma; win-back by value at risk, measured against no offer."""

    name = "lifecycle"
    title = "Customers"
    group = Group.GROWTH
    reads: tuple[Signal, ...] = (
        RHYTHM,
        PURCHASES,
        CONSENT,
        ACTIVE_HOURS,
        CATALOGUE,
        STOCK,
        MARGIN,
        OPEN_RETURNS,
        OUTCOMES,
        LIFETIME_VALUE,
    )
    writes: tuple[Signal, ...] = (LIFETIME_VALUE, SEGMENT)
    kinds = (
        Kind(name="winback", title="Win-back offer", autonomy=Autonomy.SUGGEST),
        Kind(name="leave_alone", title="Leave alone", autonomy=Autonomy.SUGGEST),
        Kind(name="ask_consent", title="Ask for consent", autonomy=Autonomy.SUGGEST),
    )
    floor = Floor(
        needs=(
            Need(what="customers with an order", at_least=ENOUGH_BUYERS, count=buyers),
            Need(
                what="customers with orders on two days",
                at_least=ENOUGH_REPEATERS,
                count=repeaters,
            ),
        ),
        meanwhile="Compares the days since the last order with the customer's own gap.",
    )

    def learn(self, data: Signals, previous: Model | None, *, seed: int) -> Model:
        """Fit rhythm and value, and test the fit of 90 days ago on what came since."""
        rhythm = Rhythm.of(data.frame(RHYTHM))
        options = Options.of(data)
        learned = learn_rhythm(
            rhythm, new_days=options.new_days, seed=seed, fitted=True
        )
        rule = "own gap" if learned.orders is None else "bg-nbd"
        test = check_lapse(data, seed=seed)
        return Model(rule=rule, meta={"learned": learned.to_meta(), "test": test})

    def emit(self, model: Model, data: Signals) -> Mapping[str, pa.Table]:
        """Write lifetime value and segment of every customer with an order."""
        import pyarrow as pa

        rhythm, learned, scores = _scored(model, data)
        value = pa.table(
            {
                "customer_id": rhythm.customer_id.astype(str),
                "expected_orders": scores.expected_orders.astype(float),
                "value_minor": np.rint(scores.value_minor).astype(np.int64),
                "alive_share": scores.alive_share.astype(float),
                "lapse_share": scores.lapse_share.astype(float),
            }
        )
        names = segment(learned, rhythm, scores).astype(str)
        segments = pa.table(
            {"customer_id": rhythm.customer_id.astype(str), "segment": names}
        )
        return {
            LIFETIME_VALUE.name: LIFETIME_VALUE.conform(value),
            SEGMENT.name: SEGMENT.conform(segments),
        }

    def decide(self, model: Model, data: Signals, *, seed: int) -> Iterable[Decision]:
        """Propose win-backs by value at risk, and name whom an offer is lost on."""
        book = _Book.make(model, data)
        yield from _winbacks(book)
        yield from _leave_alone(book)
        yield from _ask_consent(book)

    def fallback(self) -> Rule:
        """Return the rule used meanwhile: the customer's own gap."""

        def model(data: Signals) -> Model:
            rhythm = Rhythm.of(data.frame(RHYTHM))
            days = Options.of(data).new_days
            learned = learn_rhythm(rhythm, new_days=days, seed=0, fitted=False)
            meta = {"learned": learned.to_meta(), "test": {}}
            return Model(rule="own gap", meta=meta)

        return Rule(
            name="own gap",
            doc="Active for one own gap; after that half as likely with every gap.",
            model=model,
        )

    def report(self, model: Model, data: Signals) -> Report:
        """Return segments, the test of the last 90 days and the largest values."""
        rhythm, learned, scores = _scored(model, data)
        consent = _allowed(data.align(CONSENT, rhythm.customer_id.tolist()))
        return page(learned, rhythm, scores, model.meta["test"], consent)


def _scored(model: Model, data: Signals) -> tuple[Rhythm, Learned, Scores]:
    rhythm = Rhythm.of(data.frame(RHYTHM))
    learned = Learned.of_meta(model.meta["learned"])
    return rhythm, learned, score(learned, rhythm)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """Everything the decisions rest on, one row per customer.

    Value and chances come through the `lifetime_value` signal: with that link cut
    they are neutral, and proposals fall back to the order of the own gap.
    """

    data: Signals
    options: Options
    rhythm: Rhythm
    scores: Scores
    segments: Array
    order_value: Array
    value_minor: Array
    expected_orders: Array
    lapse_share: Array
    consents: Array
    profiled: Array
    margin_share: float | None
    correction: float

    @classmethod
    def make(cls, model: Model, data: Signals) -> _Book:
        rhythm, learned, scores = _scored(model, data)
        ids = rhythm.customer_id.tolist()
        known = data.align(LIFETIME_VALUE, ids)
        consent = data.align(CONSENT, ids)
        return cls(
            data=data,
            options=Options.of(data),
            rhythm=rhythm,
            scores=scores,
            segments=segment(learned, rhythm, scores),
            order_value=order_value(learned, rhythm),
            value_minor=known["value_minor"].to_numpy(float, na_value=0.0),
            expected_orders=known["expected_orders"].to_numpy(float, na_value=0.0),
            lapse_share=known["lapse_share"].to_numpy(float, na_value=np.nan),
            consents=_allowed(consent),
            profiled=_profiled(consent),
            margin_share=margin_share(data),
            correction=outcome_correction(data),
        )

    @property
    def overdue(self) -> Array:
        """Days since the last order, in own gap limits."""
        result: Array = self.rhythm.recency / np.maximum(self.scores.gap_limit_days, 1)
        return result

    def at_risk_minor(self) -> Array:
        """Expected value times the chance of no order; margin where it is known."""
        share = 1.0 if self.margin_share is None else max(self.margin_share, 0.0)
        result: Array = self.value_minor * np.nan_to_num(self.lapse_share) * share
        return result

    def prediction(self, row: int) -> Prediction | None:
        """Orders in 90 days as they come without knowing the offer's effect."""
        lapse = self.lapse_share[row]
        if not np.isfinite(lapse):
            return None
        mean = float(self.expected_orders[row]) * self.correction
        low, high = _count_interval(mean, float(lapse))
        return Prediction(
            metric=f"orders_{ORDERS_DAYS}d",
            value=mean,
            low=min(low, mean),
            high=max(high, mean),
        )


def _allowed(consent: Any) -> Array:
    """Who may be mailed a personal offer: both consents count."""
    mail = consent["email_marketing"].fillna(False).astype(bool).to_numpy()
    result: Array = mail & _profiled(consent)
    return result


def _profiled(consent: Any) -> Array:
    """Who did not object to being looked at one by one."""
    result: Array = consent["personalisation"].fillna(True).astype(bool).to_numpy()
    return result


def _count_interval(mean: float, none: float) -> tuple[float, float]:
    """Return the 10 % and 90 % quantiles of a count that is 0 with chance `none`.

    Given at least one order the further orders are taken as Poisson distributed.
    """
    from scipy.stats import poisson

    further = max(mean / max(1.0 - none, 1e-9) - 1.0, 0.0)
    ends = []
    for share in (0.1, 0.9):
        inside = (share - none) / max(1.0 - none, 1e-9)
        ends.append(0.0 if inside <= 0 else 1.0 + float(poisson.ppf(inside, further)))
    return ends[0], ends[1]


def outcome_correction(data: Signals) -> float:
    """Return actual over predicted orders of earlier win-backs, shrunk and bounded.

    1 until 30 outcomes are measured: this is how one turn corrects the next.
    """
    rows = data.frame(OUTCOMES)
    rows = rows[
        (rows["lever"] == Lifecycle.name)
        & (rows["metric"] == f"orders_{ORDERS_DAYS}d")
        & rows["predicted"].notna()
        & rows["actual"].notna()
    ]
    if len(rows) < NEED_OUTCOMES:
        return 1.0
    ratio = (rows["actual"].sum() + 10.0) / (rows["predicted"].sum() + 10.0)
    return float(np.clip(ratio, 0.5, 2.0))


def _slipping(book: _Book) -> Array:
    """Who is overdue by the own gap but not gone."""
    wanted = np.isin(book.segments, ["slipping", "lapsed", "one-time"])
    wanted &= book.overdue <= GONE_AFTER
    # A one-time buyer is due once the shop's usual gap is over.
    wanted &= book.rhythm.recency > np.where(
        book.segments == "one-time", book.options.new_days, 0
    )
    result: Array = wanted
    return result


def _most_at_risk(book: _Book, wanted: Array, most: int) -> Array:
    """Return the rows with the most value at risk, the longest overdue first."""
    rows = np.flatnonzero(wanted)
    order = np.lexsort(
        (
            book.rhythm.customer_id[rows],
            -book.overdue[rows],
            -book.at_risk_minor()[rows],
        )
    )
    result: Array = rows[order][:most]
    return result


def _winbacks(book: _Book) -> Iterator[Decision]:
    risk = book.at_risk_minor()
    rows = _most_at_risk(book, _slipping(book) & book.consents, book.options.winbacks)
    if len(rows) == 0:
        return
    products = offerable(book.data)
    chosen = book.rhythm.customer_id[rows].tolist()
    shown = favourites(book.data, chosen, products, book.options.products)
    usual = usual_hours(book.data, chosen)
    edges = np.quantile(book.value_minor[rows], [1 / 3, 2 / 3])
    bands = np.array(["low", "middle", "high"])[
        np.searchsorted(edges, book.value_minor[rows], side="right")
    ]
    for row, band in zip(rows.tolist(), bands.tolist(), strict=True):
        customer = str(book.rhythm.customer_id[row])
        at = _hour(book, customer, usual[customer])
        yield _winback(book, row, band, shown[customer], products, round(risk[row]), at)


def _hour(book: _Book, customer: str, usual: int) -> SendHour:
    context = book.data.context
    return send_hour(
        customer,
        usual,
        salt=context.holdout_salt,
        on=context.when.as_of,
        share=book.options.draw_hour_share,
    )


def _winback(
    book: _Book,
    row: int,
    band: str,
    names: tuple[str, ...],
    products: Mapping[str, Offerable],
    risk: int,
    at: SendHour,
) -> Decision:
    options, context = book.options, book.data.context
    customer = str(book.rhythm.customer_id[row])
    share = options.no_offer_share
    none = left_out(
        customer, salt=context.holdout_salt, on=context.when.as_of, share=share
    )
    offer = {
        "offer": "discount",
        "discount_bps": options.offer_bps,
        "products": list(names),
        "send_hour": at.hour,
    }
    nothing = {"offer": "none"}
    likely = 1.0 - float(np.nan_to_num(book.lapse_share[row], nan=1.0))
    cost = likely * book.order_value[row] * options.offer_bps / 10_000
    reason = _winback_reason(book, row)
    evidence: dict[str, Any] = {
        "segment": str(book.segments[row]),
        "value_band": band,
        "recency_days": float(book.rhythm.recency[row]),
        "gap_limit_days": round(float(book.scores.gap_limit_days[row]), 1),
        "value_365d_minor": int(book.value_minor[row]),
        "worth_is": "revenue" if book.margin_share is None else "margin",
    }
    if none:
        reason += (
            f" Drawn to get no offer ({share:.0%} are), so that the effect of the "
            "others can be measured."
        )
    else:
        if names:
            reason += _shows([products[name] for name in names])
        reason += at.reason(known=book.data.table(ACTIVE_HOURS).num_rows > 0)
        evidence |= at.evidence()
    return Decision(
        kind="winback",
        subject=f"customer:{customer}",
        action=nothing if none else offer,
        reason=reason,
        options=(offer, nothing),
        propensity=(share if none else 1.0 - share) if 0 < share < 1 else None,
        predicted=book.prediction(row),
        worth_minor=risk,
        cost_minor=0 if none else round(cost),
        evidence=evidence,
        promotes=() if none else names,
    )


def _shows(shown: list[Offerable]) -> str:
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    stock = "in stock" if all(one.counted for one in shown) else "stock unknown"
    return f" Shows {shown[0].title}{more}, {stock}."


def _winback_reason(book: _Book, row: int) -> str:
    return f"{_rhythm_reason(book, row)} What an offer changes is not known yet."


def _rhythm_reason(book: _Book, row: int) -> str:
    money = book.data.context.money
    recency = book.rhythm.recency[row]
    days = int(book.rhythm.x[row]) + 1
    limit = book.scores.gap_limit_days[row]
    text = f"Last order {recency:,.0f} days ago after {days} order days; "
    if days > 1 and recency > limit:
        text += f"nine in ten of the customer's gaps end within {limit:,.0f} days."
    elif days > 1:
        warn = book.scores.gap_warn_days[row]
        text += f"three in four of the customer's gaps end within {warn:,.0f} days."
    else:
        text += "never came back."
    if np.isfinite(book.lapse_share[row]):
        text += (
            f" Worth {money(book.value_minor[row])} in the next {VALUE_DAYS} days, "
            f"{book.lapse_share[row]:.0%} likely not to order in {ORDERS_DAYS}."
        )
    return text


def _ask_consent(book: _Book) -> Iterator[Decision]:
    """Name whom a win-back would be meant for, had they said yes to e-mail."""
    wanted = _slipping(book) & book.profiled & ~book.consents
    risk = book.at_risk_minor()
    for row in _most_at_risk(book, wanted, book.options.ask_consent).tolist():
        yield Decision(
            kind="ask_consent",
            subject=f"customer:{book.rhythm.customer_id[row]}",
            action={"do": "ask for consent at the next order or contact"},
            reason=(
                f"{_rhythm_reason(book, row)} No consent to marketing e-mail is on "
                "record, so no offer may be sent."
            ),
            predicted=book.prediction(row),
            worth_minor=round(risk[row]),
            cost_minor=0,
            evidence={
                "segment": str(book.segments[row]),
                "recency_days": float(book.rhythm.recency[row]),
                "value_365d_minor": int(book.value_minor[row]),
            },
        )


def _leave_alone(book: _Book) -> Iterator[Decision]:
    """Name customers an offer is lost on: those who buy anyway, and those gone."""
    lapse = np.nan_to_num(book.lapse_share, nan=1.0)
    anyway = (lapse < SURE_TO_BUY) & np.isin(
        book.segments, ["vip", "loyal", "regular", "new"]
    )
    saved = book.expected_orders * book.order_value * book.options.offer_bps / 10_000
    # Where the model still expects orders, a long silence alone is no farewell.
    gone = (book.overdue > GONE_AFTER) & (book.rhythm.x > 0) & (lapse >= GONE_LAPSE)
    rows = np.flatnonzero((anyway | gone) & book.profiled)
    order = np.lexsort((book.rhythm.customer_id[rows], -saved[rows]))
    for row in rows[order][: book.options.leave_alone].tolist():
        yield _left_alone(book, row, bool(anyway[row]), round(saved[row]))


def _left_alone(book: _Book, row: int, anyway: bool, saved: int) -> Decision:
    recency = book.rhythm.recency[row]
    if anyway:
        reason = (
            f"Buys anyway: {1 - book.lapse_share[row]:.0%} likely to order in "
            f"{ORDERS_DAYS} days, last order {recency:,.0f} days ago. An offer would "
            f"give away about {book.data.context.money(saved)}."
        )
    else:
        reason = (
            f"Gone: last order {recency:,.0f} days ago, {book.overdue[row]:.1f} times "
            f"the {book.scores.gap_limit_days[row]:,.0f} days within which nine in "
            "ten of the customer's gaps end."
        )
    return Decision(
        kind="leave_alone",
        subject=f"customer:{book.rhythm.customer_id[row]}",
        action={"offer": "none", "why": "buys anyway" if anyway else "gone"},
        reason=reason,
        predicted=book.prediction(row),
        worth_minor=saved if anyway else 0,
        cost_minor=0,
        evidence={
            "segment": str(book.segments[row]),
            "recency_days": float(recency),
            "gap_limit_days": round(float(book.scores.gap_limit_days[row]), 1),
        },
    )
