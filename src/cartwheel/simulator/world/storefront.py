"""A visit: lists, clicks, product pages and the choice of what to put in the cart.

Lists are examined slot by slot (a cascade), products are opened when they appeal, and
of what was opened the best goes into the cart if it beats buying nothing or elsewhere:
a mixed logit, since every person has tastes and a price sensitivity of their own. Each
person's liking of each product is drawn once a visit, so another list never changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.simulator.arms.base import Page, Placement

if TYPE_CHECKING:
    from cartwheel.simulator.arms.base import Policy
    from cartwheel.simulator.world.state import State

Array = np.ndarray[Any, Any]

HOME_SLOTS = 10
PRODUCT_SLOTS = 8
CART_SLOTS = 6
MAIL_SLOTS = 8
OPEN_SECOND, CLOSE_SECOND = 7 * 3600, 23 * 3600
CLICK_NOISE = 0.8
SETTLE = 2.0
"""Appeal below buying nothing that a person set on buying puts up with when the first
wish is sold out."""

CHOICE = 0.11
"""Appeal asked for more per log of the catalogue over `USUAL_CHOICE` products: who
offers much is compared with others who do, so that size alone sells nothing more."""

USUAL_CHOICE = 150

GAP_LURE = 0.3
"""How much a misleading page adds to what its product seems."""

ENTRIES = ("home", "search", "deep", "email")
PLACEMENTS: tuple[Placement, ...] = ("home", "product", "cart", "email")
NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Products met in lists or opened; one row each.

    Attributes:
        visit: Row of the visit.
        product: Number of the product.
        position: Slot from 1; 0 when it was landed on.
        placement: Index into `PLACEMENTS`, -1 for the shop's own lists.
        opened: The product's page was opened.
    """

    visit: Array
    product: Array
    position: Array
    placement: Array
    opened: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """Somebody's wish to buy, before stock is looked at.

    Attributes:
        visit: Row of the visit.
        second: Second of the day.
        wishes: Variants, best first; the first beats buying nothing and is wanted,
            the others are substitutes within `SETTLE` of that.
        appeal: Appeal of each wish over buying nothing.
    """

    visit: int
    second: int
    wishes: tuple[int, ...]
    appeal: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """A day's visits; n of them.

    Attributes:
        person: Shape (n,), rising.
        entry: Index into `ENTRIES`, shape (n,).
        interest: Category they came for, shape (n,).
        second: Second of the day, shape (n,).
        recognised: The shop knows who it is, shape (n,).
        seen: What they met.
        carts: What they want, by time of the day.
    """

    person: Array
    entry: Array
    interest: Array
    second: Array
    recognised: Array
    seen: Seen
    carts: Sequence[Cart]


def make_visits(state: State, policy: Policy, person: Array) -> Visits:
    """Let people come, look and choose."""
    start = _arrive(state, person)
    scene = _Scene(state, policy, start)
    scene.first_lists()
    scene.product_pages()
    carts = scene.choose()
    return Visits(
        **start,
        seen=scene.seen(),
        carts=sorted(carts, key=lambda c: (c.second, c.visit)),
    )


def _arrive(state: State, person: Array) -> dict[str, Array]:
    spec, people, day = state.spec, state.people, state.day
    u = state.draws.uniform("entry", person, day)
    v = state.draws.uniform("entry", person, day, 1)
    # A mail's share of today's visit chance: that visit begins in the mail.
    by_mail = u[3] < np.maximum(1.0 - np.exp(-people.mail_effect[person]), 0.0)
    funnel = spec.funnel
    entry = np.select(
        [by_mail, u[0] < funnel.deep_link, u[0] < funnel.deep_link + funnel.search],
        [3, 2, 1],
        0,
    )
    weight = np.array([c.weight for c in spec.goods.categories])
    edges = np.cumsum(weight) / weight.sum()
    other = np.searchsorted(edges, v[0]).clip(max=len(weight) - 1)
    interest = np.where(u[1] < 0.65, people.likes[person], other)
    second = OPEN_SECOND + u[2] * (CLOSE_SECOND - OPEN_SECOND)
    known = people.known[person] >= 0
    return {
        "person": person,
        "entry": entry,
        "interest": interest,
        "second": second.astype(np.int64),
        "recognised": known & ((v[1] < spec.people.signed_in) | (entry == 3)),
    }


class _Scene:
    """The pages of a day's visits while they happen."""

    def __init__(self, state: State, policy: Policy, start: dict[str, Array]) -> None:
        self.state, self.policy = state, policy
        self.person, self.entry = start["person"], start["entry"]
        self.interest, self.second = start["interest"], start["second"]
        self.recognised = start["recognised"]
        self._rows: list[tuple[Array, Array, Array, Array, Array]] = []
        self._opened: list[tuple[Array, Array]] = []

    def first_lists(self) -> None:
        """Show every visit its first page."""
        state, width = self.state, self.state.spec.funnel.slots
        deep = self.entry == ENTRIES.index("deep")
        listed = np.flatnonzero(~deep)
        slots = self._slates(listed)
        mailed = self.entry[listed] == ENTRIES.index("email")
        code = np.where(mailed, PLACEMENTS.index("email"), PLACEMENTS.index("home"))
        # After the policy's slots comes the shop's own list, without repeats.
        rest = state.default_list(width)[self.interest[listed]]
        again = (rest[:, :, None] == slots[:, None, :]).any(axis=2)
        shown = np.concatenate([slots, np.where(again, NONE, rest)], axis=1)
        placement = np.full(shown.shape, NONE, np.int64)
        placement[:, : slots.shape[1]] = code[:, None]
        order = np.argsort(shown < 0, axis=1, kind="stable")[:, :width]
        shown = np.take_along_axis(shown, order, axis=1)
        placement = np.take_along_axis(placement, order, axis=1)
        self._look("list", listed, shown, placement)
        self._land(np.flatnonzero(deep))

    def product_pages(self) -> None:
        """Show those who opened something what else there is."""
        if not self._opened:
            return
        visit = np.concatenate([rows for rows, _ in self._opened])
        product = np.concatenate([products for _, products in self._opened])
        order = np.argsort(visit, kind="stable")
        visit, product = visit[order], product[order]
        rows, first = np.unique(visit, return_index=True)
        looking = self._notices("page", rows)
        parts = [
            product[start:end]
            for start, end, looks in zip(
                first, np.r_[first[1:], len(product)], looking, strict=True
            )
            if looks
        ]
        rows = rows[looking]
        if len(rows) == 0:
            return
        shown = self._ask("product", rows, parts, PRODUCT_SLOTS)
        held = np.full((len(rows), max(map(len, parts))), NONE - 1, np.int64)
        for i, part in enumerate(parts):
            held[i, : len(part)] = part
        again = (shown[:, :, None] == held[:, None, :]).any(axis=2)
        shown = np.where(again, NONE, shown)
        code = np.where(shown >= 0, PLACEMENTS.index("product"), NONE)
        self._look("page", rows, shown, code)

    def choose(self) -> list[Cart]:
        """Let each visit weigh what it opened against buying nothing."""
        if not self._opened:
            return []
        state = self.state
        visit = np.concatenate([rows for rows, _ in self._opened])
        product = np.concatenate([products for _, products in self._opened])
        once = np.unique(visit * len(state.goods.product_ids) + product)
        visit, product = np.divmod(once, len(state.goods.product_ids))
        who = self.person[visit]
        variant = state.variant_for(who, product)
        shock = state.draws.uniform("shock", who, state.day, product)
        u = liking(state, self._value(who, product, variant), product, shock)
        nothing = state.draws.gumbel("outside", self.person, state.day)
        threshold = bar(state) + nothing[0]
        u -= threshold[visit]
        order = np.lexsort((product, -u, visit))
        carts: list[Cart] = []
        visit, variant, u = visit[order], variant[order], u[order]
        wanting = (u > -SETTLE) & np.isin(visit, visit[u > 0])
        rows, first, count = np.unique(
            visit[wanting], return_index=True, return_counts=True
        )
        wished, over = variant[wanting], u[wanting]
        for row, start, length in zip(rows, first, count, strict=True):
            carts.append(
                Cart(
                    visit=int(row),
                    second=int(self.second[row]) + 300,
                    wishes=tuple(int(v) for v in wished[start : start + length]),
                    appeal=tuple(float(x) for x in over[start : start + length]),
                )
            )
        return carts + self._second_items(carts, nothing[1])

    def _second_items(self, carts: list[Cart], nothing: Array) -> list[Cart]:
        """Some who put one thing in the cart look for what goes with it."""
        state, funnel = self.state, self.state.spec.funnel
        rows = np.array([cart.visit for cart in carts], np.int64)
        if len(rows) == 0:
            return []
        wish = state.draws.one("second", self.person[rows], state.day)
        looks = (wish < funnel.second_item) & self._notices("cart", rows)
        looking = np.flatnonzero(looks)
        rows, chosen = rows[looking], [carts[i] for i in looking]
        if len(rows) == 0:
            return []
        held = state.goods.product_of[[cart.wishes[0] for cart in chosen]]
        shown = self._ask("cart", rows, [np.array([p]) for p in held], CART_SLOTS)
        shown = np.where(shown == held[:, None], NONE, shown)
        code = np.where(shown >= 0, PLACEMENTS.index("cart"), NONE)
        looked = self._look("cart", rows, shown, code, opens=False)
        at, slot = np.nonzero(looked)
        product, visit = shown[at, slot], rows[at]
        who = self.person[visit]
        variant = state.variant_for(who, product)
        shock = state.draws.uniform("shock", who, state.day, product)
        u = self._value(who, product, variant) - np.log(-np.log(shock[2]))
        goes = (state.goods.companions[held[at]] == product[:, None]).any(axis=1)
        u += funnel.companion * goes - bar(state) - nothing[visit]
        more = []
        for i in range(len(rows)):
            mine = np.flatnonzero((at == i) & (u > 0))
            if len(mine):
                best = mine[np.argmax(u[mine])]
                more.append(
                    Cart(
                        visit=int(rows[i]),
                        second=chosen[i].second + 60,
                        wishes=(int(variant[best]),),
                        appeal=(float(u[best]),),
                    )
                )
        return more

    def seen(self) -> Seen:
        """Return all that was met."""
        if not self._rows:
            empty = np.empty(0, np.int64)
            return Seen(
                visit=empty,
                product=empty,
                position=empty,
                placement=empty,
                opened=empty.astype(bool),
            )
        visit, product, position, placement, opened = (
            np.concatenate(parts) for parts in zip(*self._rows, strict=True)
        )
        return Seen(
            visit=visit,
            product=product,
            position=position,
            placement=placement,
            opened=opened,
        )

    def _slates(self, rows: Array) -> Array:
        """Ask the policy for home pages and mails, shape (len(rows), slots)."""
        mailed = self.entry[rows] == ENTRIES.index("email")
        slots = np.full((len(rows), HOME_SLOTS), NONE, np.int64)
        searching = self.entry[rows] == ENTRIES.index("search")
        for name, chosen, limit in (
            ("home", ~mailed & ~searching, HOME_SLOTS),
            ("email", mailed, MAIL_SLOTS),
        ):
            at = np.flatnonzero(chosen)
            if len(at):
                nothing = [np.empty(0, np.int64)] * len(at)
                slots[at, :limit] = self._ask(name, rows[at], nothing, limit)
        return slots

    def _ask(
        self, placement: Any, rows: Array, context: Sequence[Array], limit: int
    ) -> Array:
        state = self.state
        ids = state.goods.product_ids.tolist()
        # A person sees one page of a kind a day at most, so the number of a page does
        # not depend on what was shown before.
        kind = state.day * len(PLACEMENTS) + PLACEMENTS.index(placement)
        pages = [
            Page(
                key=kind * len(state.people) + int(self.person[row]),
                placement=placement,
                customer=state.profile(int(self.person[row]))
                if self.recognised[row]
                else None,
                visitor=state.device(int(self.person[row])),
                context=tuple([ids[p] for p in seen]),
                limit=limit,
            )
            for row, seen in zip(rows.tolist(), context, strict=True)
        ]
        return state.shown(self.policy.slates(pages), len(pages), limit)

    def _notices(self, name: str, rows: Array) -> Array:
        """Tell who looks at a strip beside a page or a cart; it loads for them only."""
        state = self.state
        u = state.draws.uniform(f"depth {name}", self.person[rows], state.day)[1]
        result: Array = u < state.spec.funnel.strip
        return result

    def _look(
        self, name: str, rows: Array, shown: Array, placement: Array, opens: bool = True
    ) -> Array:
        """Examine lists; open what appeals. Return which slots were looked at."""
        state, funnel = self.state, self.state.spec.funnel
        if len(rows) == 0:
            return np.zeros(shown.shape, bool)
        who = self.person[rows]
        depth = state.draws.one(f"depth {name}", who, state.day)
        examine = min(max(funnel.examine, 1e-9), 1 - 1e-9)
        reach = 1 + np.floor(np.log(depth) / np.log(examine))
        slot = np.arange(shown.shape[1])
        looked: Array = (slot[None, :] < reach[:, None]) & (shown >= 0)
        at, column = np.nonzero(looked)
        product, person = shown[at, column], who[at]
        opened = np.zeros(len(at), bool)
        if opens and len(at):
            variant = state.variant_for(person, product)
            shock = state.draws.uniform("shock", person, state.day, product)
            value = self._value(person, product, variant)
            opened = lure(state, value, product, shock) > funnel.click_at
            opened &= _running_count(at, opened) <= funnel.most_views
        self._rows.append(
            (rows[at], product, column + 1, placement[at, column], opened)
        )
        if opened.any():
            self._opened.append((rows[at[opened]], product[opened]))
        return looked

    def _land(self, rows: Array) -> None:
        """Some come straight to a product's page, from a search engine or an advert."""
        if len(rows) == 0:
            return
        who = self.person[rows]
        product = self.state.landing(who, self.interest[rows])
        rows, product = rows[product >= 0], product[product >= 0]
        zero = np.zeros(len(rows), np.int64)
        self._rows.append((rows, product, zero, zero - 1, zero == 0))
        self._opened.append((rows, product))

    def _value(self, who: Array, product: Array, variant: Array) -> Array:
        return self.state.value(who, product, variant)


def bar(state: State) -> float:
    """Return the appeal of buying nothing, or elsewhere, before its shock."""
    much = np.log(state.size.products / USUAL_CHOICE)
    return float(state.spec.funnel.outside + CHOICE * max(much, 0.0))


def lure(state: State, value: Array, product: Array, shock: Array) -> Array:
    """Return how products in a list appeal to those who look at them, shape (n,).

    Args:
        state: The world today.
        value: From `State.value`, shape (n,).
        product: Number of the product, shape (n,).
        shock: Draws of the stream "shock" by person, day and product, shape (4, n).
    """
    result: Array = value - CLICK_NOISE * np.log(-np.log(shock[0]))
    return result + GAP_LURE * state.goods.content_gap[product]


def liking(state: State, value: Array, product: Array, shock: Array) -> Array:
    """Return how opened products appeal when one is chosen; arguments as `lure`."""
    result: Array = value - np.log(-np.log(shock[1]))
    return result + GAP_LURE * state.goods.content_gap[product]


def _running_count(group: Array, marked: Array) -> Array:
    """Return how many rows of its group are marked so far, groups being together."""
    total = np.cumsum(marked)
    first = np.r_[True, group[1:] != group[:-1]]
    before = np.where(first, total - marked, 0)
    result: Array = total - np.maximum.accumulate(before)
    return result
