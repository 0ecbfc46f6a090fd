"""A world, day by day: people come, choose, are served, and remember."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.arms.base import Actions, Article
from cartwheel.simulator.world.aftersale import CAUSES, Fate, decide_fate
from cartwheel.simulator.world.books import Books, book_day, book_orders, close_books
from cartwheel.simulator.world.facts import Facts
from cartwheel.simulator.world.goods import LOCATIONS
from cartwheel.simulator.world.market import move_rival
from cartwheel.simulator.world.people import REMEMBERED, visitors_today
from cartwheel.simulator.world.spec import Size, WorldSpec
from cartwheel.simulator.world.state import make_state
from cartwheel.simulator.world.storefront import Visits, make_visits
from cartwheel.simulator.world.supply import Delivery, Refused, Suppliers
from cartwheel.simulator.world.till import Sales, sell

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Policy

Array = np.ndarray[Any, Any]

OFFER_PULL = 1.5
"""Log change of visits by a mail per unit of price cut offered."""

WIN_BACK = 0.06
"""Leavers whom a mail without an offer brings back."""

PROFILE = re.compile(r"C([0-9]{6,})b?")
"""Customer ids, as `State.profile` writes them."""

LET_DOWN = 0.25
"""How bad a sold-out wish is, beside a bad parcel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A mail that left."""

    person: int
    customer_id: str
    offer_bps: int
    campaign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLog:
    """Everything that happened on a day.

    Attributes:
        day: Days since the world began.
        visits: Who came and what they met.
        sales: What they put into carts and paid.
        fate: What becomes of the orders.
        order_ids: Shape (O,).
        customer_ids: Customer on each order, "" for a guest, shape (O,).
        mails: Mails sent.
        placed: Purchase order lines placed.
        arrived: Purchase order lines that arrived this morning.
        refused: Purchase order lines that could not be placed.
        joined: People the shop came to know.
        left_list: People who took their consent back.
        prices: Numbers of variants whose price in force changed this morning.
        shelf_minor: Price in force by variant, shape (V,).
        list_minor: List price by variant, shape (V,).
        stock: Units by variant and location tonight, shape (V, L).
        inbound: Units on the way tonight, shape (V, L).
    """

    day: int
    visits: Visits
    sales: Sales
    fate: Fate
    order_ids: Sequence[str]
    customer_ids: Sequence[str]
    mails: Sequence[Sent]
    placed: Sequence[Delivery]
    arrived: Sequence[Delivery]
    refused: Sequence[Refused]
    joined: Array
    left_list: Array
    prices: Array
    shelf_minor: Array
    list_minor: Array
    stock: Array
    inbound: Array


class World:
    """A shop with known truth.

    Args:
        spec: Its parameters.
        size: How much of it is played.
        seed: Its number among its like.
    """

    def __init__(self, spec: WorldSpec, size: Size, seed: int) -> None:
        self.spec, self.size, self.seed = spec, size, seed
        self.state = make_state(spec, size, seed)
        self.books = Books.opened(size.days)
        self.facts = Facts(self.state)
        self._suppliers = Suppliers(self.state)
        self._numbers = {
            str(name): i for i, name in enumerate(self.state.goods.variant_ids)
        }
        self._due: dict[str, dict[int, list[Any]]] = {
            kind: defaultdict(list)
            for kind in ("arrival", "resale", "good", "leave", "review")
        }
        self._shelf = np.zeros(len(self._numbers), np.int64)
        self._yesterday = self.state.price_minor.copy()
        self._order_count = 0

    @property
    def over(self) -> bool:
        """Tell whether the last day is played."""
        return self.state.day >= self.size.days

    @property
    def day(self) -> int:
        """Days played."""
        return self.state.day

    @property
    def disruptions(self) -> int:
        """Disruptions of all suppliers in the whole time."""
        return sum(len(closed) for closed in self._suppliers.closed)

    @property
    def suppliers(self) -> Suppliers:
        """The suppliers, with every disruption to come."""
        return self._suppliers

    def arrivals(self) -> Array:
        """Return units under way by variant and day of arrival, shape (V, D)."""
        found = np.zeros(self.state.sold.shape, np.int64)
        for day, lines in self._due["arrival"].items():
            for line in lines:
                if day < self.size.days:
                    found[line.variant, day] += line.units
        return found

    def play_day(self, policy: Policy) -> DayLog:
        """Let a policy run the shop for a day.

        Raises:
            ValueError: If the policy's answer is none; the message says what of it.
        """
        state = self.state
        arrived = self._morning()
        view = View(self)
        actions = policy.morning(view)
        self._set_prices(actions.prices_minor)
        placed, refused = self._suppliers.order(state, actions.purchases, self._numbers)
        for line in placed:
            self._due["arrival"][line.arrives].append(line)
        mails, left_list = self._send(actions)
        first = state.goods.first_variant
        before = self._yesterday[first]
        move_rival(state, np.log(state.price_minor[first] / before))
        self._yesterday = state.price_minor.copy()
        shelf = state.shelf_price()
        changed = np.flatnonzero(shelf != self._shelf)
        self._shelf = shelf
        person = visitors_today(
            self.spec, state.people, state.draws, state.day, state.price_index()
        )
        visits = make_visits(state, policy, person)
        sales = sell(state, visits)
        fate = decide_fate(state, sales.orders)
        ids, customers, joined = self._remember(sales, fate)
        book_orders(self.books, state, sales.orders, fate)
        book_day(self.books, state, len(mails))
        self.books.count(
            state.day,
            visits=len(person),
            carts=len({int(row) for row in sales.adds.visit}),
            adds=len(sales.adds.visit),
            failed_adds=int(sales.adds.failed.sum()),
            price_changes=len(changed),
        )
        log = DayLog(
            day=state.day,
            visits=visits,
            sales=sales,
            fate=fate,
            order_ids=ids,
            customer_ids=customers,
            mails=mails,
            placed=placed,
            arrived=arrived,
            refused=refused,
            joined=joined,
            left_list=left_list,
            prices=changed,
            shelf_minor=shelf,
            list_minor=state.price_minor.copy(),
            stock=state.stock.copy(),
            inbound=state.inbound.copy(),
        )
        self.facts.record(log)
        self._evening()
        if self.over:
            close_books(self.books, state)
        return log

    def _morning(self) -> list[Delivery]:
        """Let arrive what is due: goods, returns, opinions."""
        state, day = self.state, self.state.day
        arrived: list[Delivery] = self._due["arrival"].pop(day, [])
        for line in arrived:
            state.stock[line.variant, line.location] += line.units
            state.inbound[line.variant, line.location] -= line.ordered
        for variant, location, units in self._due["resale"].pop(day, []):
            state.stock[variant, location] += units
        for person in self._due["good"].pop(day, []):
            state.people.good[person] = day
        for person in self._due["leave"].pop(day, []):
            if state.people.alive[person]:
                state.people.alive[person] = False
                state.people.left[person] = day
                self.books.count(day, left=1)
        for product, stars in self._due["review"].pop(day, []):
            state.rating_sum[product] += stars
            state.rating_count[product] += 1
        return arrived

    def _set_prices(self, prices: Mapping[str, int]) -> None:
        for name, price in prices.items():
            number = self._numbers.get(name)
            if number is None:
                raise ValueError(f"a price was set for the unknown variant {name!r}")
            if not _whole(price) or price < 1:
                raise ValueError(
                    f"the price of {name} is {price!r}; expected whole minor units of "
                    "at least 1"
                )
            self.state.price_minor[number] = int(price)

    def _send(self, actions: Actions) -> tuple[list[Sent], Array]:
        """Send mails to those who agreed; each person gets one a day at most."""
        state, people, spec = self.state, self.state.people, self.spec.mail
        chosen: dict[int, Any] = {}
        for mail in actions.mails:
            person = person_of(mail.customer_id, len(people))
            if not _whole(mail.offer_bps) or not 0 <= mail.offer_bps < 10_000:
                raise ValueError(
                    f"an offer of {mail.offer_bps!r} basis points; expected 0 to 9,999"
                )
            if not _whole(mail.days) or mail.days < 0:
                raise ValueError(
                    f"an offer of {mail.days!r} days; expected whole days of at least 0"
                )
            if people.subscribed[person]:
                chosen.setdefault(person, mail)
        if not chosen:
            return [], np.empty(0, np.int64)
        who = np.array(sorted(chosen), np.int64)
        u = state.draws.uniform("mail", who, state.day)
        tired = np.exp(-spec.fatigue * people.mails[who])
        offer = np.array([chosen[int(p)].offer_bps for p in who], np.int64)
        cut = offer / 10_000
        opened = u[0] < spec.opens * tired
        effect = people.mail_lift[who] * tired + OFFER_PULL * cut
        people.mail_effect[who] += np.where(opened, effect, 0.0)
        gone = u[1] < np.minimum(spec.unsubscribe * (1 + people.mails[who]), 1.0)
        people.subscribed[who[gone]] = False
        people.mails[who] += 1
        since = state.day - people.left[who]
        lost = ~people.alive[who] & (since <= self.spec.service.win_back_days)
        back = lost & opened & (u[2] < WIN_BACK + cut)
        people.alive[who[back]] = True
        held = offer > 0
        people.offer[who[held]] = offer[held]
        people.offer_until[who[held]] = state.day + np.array(
            [chosen[int(p)].days for p in who[held]], np.int64
        )
        sent = [
            Sent(
                person=int(p),
                customer_id=chosen[int(p)].customer_id,
                offer_bps=chosen[int(p)].offer_bps,
                campaign=chosen[int(p)].campaign,
            )
            for p in who
        ]
        return sent, who[gone]

    def _remember(self, sales: Sales, fate: Fate) -> tuple[list[str], list[str], Array]:
        """Let the day's orders change the people and what is due later."""
        state, people, orders = self.state, self.state.people, sales.orders
        day, who = state.day, orders.person
        guest = people.guest_first[who] & (people.orders[who] == 0)
        second = people.double[who] & (people.known[who] >= 0)
        second &= state.draws.one("profile", who, day) < 0.5
        customers = [
            "" if is_guest else state.profile(int(p), second=bool(b))
            for p, is_guest, b in zip(who, guest, second, strict=True)
        ]
        joined = who[~guest & (people.known[who] < 0)]
        people.known[joined] = day
        people.subscribed[joined] = people.consents[joined]
        people.orders[who] += 1
        people.bought[who] = day
        used = who[orders.offer_bps > 0]
        people.offer[used] = 0
        buyer = who[orders.order_of]
        product = state.goods.product_of[orders.variant]
        for person, bought in zip(buyer, product, strict=True):
            people.remembered[person] = np.r_[
                bought, people.remembered[person, : REMEMBERED - 1]
            ]
        bad = fate.contact_cause != CAUSES.index("none")
        for i in np.flatnonzero(~bad):
            self._due["good"][int(fate.delivered[i])].append(int(who[i]))
        for i in np.flatnonzero(fate.leaves >= 0):
            self._due["leave"][int(fate.leaves[i])].append(int(who[i]))
        for i in np.flatnonzero((fate.returned >= 0) & (fate.grade == 0)):
            self._due["resale"][int(fate.returned[i])].append(
                (int(orders.variant[i]), int(orders.location[i]), int(orders.units[i]))
            )
        for i in np.flatnonzero(fate.review >= 0):
            self._due["review"][int(fate.review[i])].append(
                (int(product[i]), int(fate.stars[i]))
            )
        let_down = sales.let_down
        if len(let_down):
            share = LET_DOWN * self.spec.service.leave_bad
            goes = state.draws.one("let down", let_down, day) < share
            self._due["leave"][day + 1] += [int(p) for p in let_down[goes]]
        first = self._order_count
        self._order_count += len(who)
        ids = [f"O{first + i + 1:07d}" for i in range(len(who))]
        return ids, customers, joined

    def _evening(self) -> None:
        people = self.state.people
        people.mail_effect *= 0.5 ** (1 / self.spec.mail.days)
        people.mails *= 1 - 1 / 30
        self.state.day += 1


def person_of(customer_id: str, count: int) -> int:
    """Return the person behind a profile.

    Raises:
        ValueError: If there is no such customer.
    """
    found = PROFILE.fullmatch(str(customer_id))
    if found is None or not 1 <= int(found[1]) <= count:
        raise ValueError(f"there is no customer {str(customer_id)[:40]!r}")
    return int(found[1]) - 1


def _whole(value: Any) -> bool:
    """Tell whether a policy's number is one without a fraction."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return float(value).is_integer()


class View:
    """What a policy sees in the morning; see `arms.base.ShopView`."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def day(self) -> int:
        """Days since the world began."""
        return self._world.state.day

    @property
    def today(self) -> date:
        """The date."""
        return self._world.state.today

    @property
    def facts(self) -> Facts:
        """Every fact table, with what was known by last night."""
        return self._world.facts

    def articles(self) -> list[Article]:
        """Variants of products that are launched, with stock and price."""
        state = self._world.state
        goods, spec, promoted = state.goods, state.spec, state.promoted()
        found = []
        for v in np.flatnonzero(state.launched()[goods.product_of]):
            supplier = int(goods.supplier[v])
            found.append(
                Article(
                    variant_id=str(goods.variant_ids[v]),
                    product_id=str(goods.product_ids[goods.product_of[v]]),
                    supplier_id=f"S{supplier + 1}",
                    price_minor=int(state.price_minor[v]),
                    promotion_bps=round(10_000 * spec.promotions.cut)
                    if goods.category[goods.product_of[v]] == promoted
                    else 0,
                    cost_minor=int(goods.cost_minor[v])
                    if goods.cost_known[v]
                    else None,
                    pack_units=int(goods.pack[v]),
                    minimum_order_units=int(goods.minimum[v]),
                    supplier_days=spec.supply.suppliers[supplier].promised_days,
                    on_hand=dict(zip(LOCATIONS, state.stock[v].tolist(), strict=True)),
                    inbound=dict(
                        zip(LOCATIONS, state.inbound[v].tolist(), strict=True)
                    ),
                )
            )
        return found

    def sold_units(self, days: int) -> dict[str, int]:
        """Units sold in the last days, by variant id; those with none are left out."""
        units = self._world.state.units(days)
        names = self._world.state.goods.variant_ids
        return {str(names[v]): int(units[v]) for v in np.flatnonzero(units)}

    def mailable(self) -> list[str]:
        """Customer ids that agreed to mailings."""
        state = self._world.state
        return [state.profile(int(p)) for p in np.flatnonzero(state.people.subscribed)]
