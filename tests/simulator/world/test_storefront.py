"""Lists, clicks and choices: one changed slot changes one visit and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import pytest

from cartwheel.simulator.arms.base import Actions, Page
from cartwheel.simulator.world.storefront import (
    CART_SLOTS,
    ENTRIES,
    HOME_SLOTS,
    MAIL_SLOTS,
    PLACEMENTS,
    PRODUCT_SLOTS,
    make_visits,
)
from cartwheel.simulator.world.world import World
from tests.simulator.world.made import SIZE, Eager, Idle, Played, make_spec, same

Slates = Callable[[Sequence[Page]], list[list[str]]]


class Shown:
    """Shows what a function says; keeps the pages it was asked for."""

    name = "shown"

    def __init__(self, slates: Slates) -> None:
        self._slates = slates
        self.pages: list[Page] = []

    def morning(self, shop: object) -> Actions:
        return Actions()

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        self.pages += pages
        return self._slates(pages)


@pytest.fixture(scope="module")
def world() -> World:
    """A world after ten days; tests play copies of it."""
    made = World(make_spec(), SIZE, 1)
    policy = Eager()
    for _ in range(SIZE.warmup_days):
        made.play_day(policy)
    return made


def bestsellers(world: World) -> list[str]:
    state = world.state
    return [str(state.goods.product_ids[p]) for p in np.flatnonzero(state.on_sale())]


def visit_day(world: World, policy: Shown, person: Sequence[int] | None = None):
    """What a day's visits would be, on a copy of the world."""
    state = deepcopy(world).state
    everybody = np.arange(len(state.people)) if person is None else np.array(person)
    return make_visits(state, policy, everybody)


def rows_of(visits, row: int) -> list[tuple[int, ...]]:
    seen = visits.seen
    mine = seen.visit == row
    columns = (seen.product, seen.position, seen.placement, seen.opened)
    return [
        tuple(int(x) for x in row)
        for row in zip(*(c[mine] for c in columns), strict=True)
    ]


def test_one_changed_slot_changes_one_visit_and_no_other(world):
    best = bestsellers(world)
    plain = Shown(lambda pages: [best[: page.limit] for page in pages])
    before = visit_day(world, plain)
    home = [page for page in plain.pages if page.placement == "home"]
    changed_rows = []
    for victim in home[:60:6]:

        def swapped(pages: Sequence[Page], key: int = victim.key) -> list[list[str]]:
            slates = [best[: page.limit] for page in pages]
            return [
                [best[-1], *slate[1:]] if page.key == key else slate
                for page, slate in zip(pages, slates, strict=True)
            ]

        policy = Shown(swapped)
        after = visit_day(world, policy)
        row = int(victim.visitor[1:])
        for name in ("person", "entry", "interest", "second", "recognised"):
            assert np.array_equal(getattr(after, name), getattr(before, name))
        for other in range(len(before.person)):
            if other != row:
                assert rows_of(after, other) == rows_of(before, other)
        theirs = [cart for cart in before.carts if cart.visit != row]
        assert same([cart for cart in after.carts if cart.visit != row], theirs)
        # Every other page has the number it had.
        for one, other in ((policy.pages, plain.pages), (plain.pages, policy.pages)):
            known = {page.key: page for page in other}
            for page in one:
                if page.visitor != victim.visitor:
                    assert known[page.key] == page
        # The slot itself was met by those who look at anything.
        assert rows_of(before, row)[0][0] != rows_of(after, row)[0][0]
        changed_rows.append(row)
    assert len(changed_rows) == 10


def test_a_persons_visit_does_not_depend_on_who_else_comes(world):
    best = bestsellers(world)
    policy = Shown(lambda pages: [best[: page.limit] for page in pages])
    everybody = visit_day(world, policy)
    some = list(range(0, 600, 7))
    fewer = visit_day(world, policy, some)
    for row, person in enumerate(some):
        assert rows_of(fewer, row) == rows_of(everybody, person)
    mine = {person: row for row, person in enumerate(some)}
    theirs = {(c.visit, c.second): c for c in everybody.carts}
    assert len(fewer.carts) > 10
    back = dict(enumerate(some))
    for cart in fewer.carts:
        twin = theirs[back[cart.visit], cart.second]
        assert (cart.wishes, cart.appeal) == (twin.wishes, twin.appeal)
    assert len(fewer.carts) == sum(c.visit in mine for c in everybody.carts)


def test_pages_have_numbers_of_their_own_and_say_who_asks(world):
    best = bestsellers(world)
    policy = Shown(lambda pages: [best[: page.limit] for page in pages])
    twin = deepcopy(world)
    for _ in range(3):
        log = twin.play_day(policy)
        for row, person in enumerate(log.visits.person):
            if log.visits.recognised[row]:
                assert twin.state.people.known[person] >= 0
    keys = [page.key for page in policy.pages]
    assert len(set(keys)) == len(keys)
    limits = dict(
        zip(
            PLACEMENTS, (HOME_SLOTS, PRODUCT_SLOTS, CART_SLOTS, MAIL_SLOTS), strict=True
        )
    )
    assert {page.placement for page in policy.pages} == set(PLACEMENTS)
    for page in policy.pages:
        assert page.limit == limits[page.placement]
        assert bool(page.context) == (page.placement in ("product", "cart"))
        if page.customer is not None:
            assert int(page.customer[1:]) == int(page.visitor[1:]) + 1


def test_nobody_meets_what_is_not_launched_or_sold_out(world):
    state = deepcopy(world).state
    everything = [str(name) for name in state.goods.product_ids]
    gone = np.flatnonzero(state.on_sale())[:3]
    for product in gone:
        first = state.goods.first_variant[product]
        state.stock[first : first + state.goods.n_variants[product]] = 0
    policy = Shown(lambda pages: [["P99999", *everything] for _ in pages])
    visits = make_visits(state, policy, np.arange(len(state.people)))
    landed = visits.seen.position == 0
    listed = visits.seen.product[~landed]
    assert state.on_sale()[listed].all()
    assert not np.isin(listed, gone).any()
    # A search engine may still send people to what is sold out.
    assert state.launched()[visits.seen.product[landed]].all()


def test_a_slate_is_cut_to_its_slots_and_shows_nothing_twice(world):
    state = deepcopy(world).state
    one, two, *others = bestsellers(world)
    sold_out = str(state.goods.product_ids[np.flatnonzero(~state.on_sale())[0]])
    table = state.shown([[one, one, sold_out, "P9", two, *others], [], [two]], 3, 4)
    numbers = {str(name): i for i, name in enumerate(state.goods.product_ids)}
    first = [numbers[name] for name in (one, two, *others[:2])]
    assert table.tolist() == [first, [-1] * 4, [numbers[two], -1, -1, -1]]
    with pytest.raises(ValueError, match="1 slates came for 2 pages"):
        state.shown([[]], 2, 4)


def test_a_policy_that_answers_too_few_pages_is_refused(world):
    policy = Shown(lambda pages: [[] for _ in pages][1:])
    with pytest.raises(ValueError, match="slates came for"):
        deepcopy(world).play_day(policy)


def test_a_list_is_as_long_as_the_world_says_and_without_repeats(world):
    best = bestsellers(world)
    visits = visit_day(world, Shown(lambda pages: [best[: p.limit] for p in pages]))
    seen, spec = visits.seen, world.spec
    assert seen.position.max() <= spec.funnel.slots
    for row in range(100):
        for kinds in ((PLACEMENTS.index("product"),), (PLACEMENTS.index("cart"),)):
            mine = (seen.visit == row) & np.isin(seen.placement, kinds)
            assert len(set(seen.product[mine])) == mine.sum()
        mine = (seen.visit == row) & ~np.isin(seen.placement, (1, 2))
        assert len(set(seen.product[mine])) == mine.sum()
        # Most pages opened: those of the first list and those of product pages.
        for where in (mine, (seen.visit == row) & (seen.placement == 1)):
            assert (seen.opened & where).sum() <= max(spec.funnel.most_views, 1)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_as_many_slots_are_looked_at_as_the_world_says(share):
    spec = make_spec(funnel={"examine": share, "deep_link": 0.0, "search": 0.0})
    world = World(spec, SIZE, 1)
    visits = visit_day(world, Shown(lambda pages: [[] for _ in pages]))
    listed = visits.seen.placement == -1
    looked = np.bincount(visits.seen.visit[listed], minlength=len(visits.person))
    mine = world.state.default_list(spec.funnel.slots)[visits.interest]
    length = (mine >= 0).sum(axis=1)
    if share == 0.5:
        wanted = (1 - 0.5**length) / 0.5  # mean of a geometric number, cut off
        assert looked.mean() == pytest.approx(wanted.mean(), rel=0.1)
    else:
        assert np.array_equal(looked, length if share else np.minimum(length, 1))


def test_people_come_in_the_stated_ways(played: Played):
    entries = np.concatenate([log.visits.entry for log in played.logs])
    share = np.bincount(entries, minlength=len(ENTRIES)) / len(entries)
    by_mail = share[ENTRIES.index("email")]
    assert by_mail > 0.005
    others = 1 - by_mail
    error = 4 * np.sqrt(0.25 / len(entries))
    assert share[ENTRIES.index("deep")] / others == pytest.approx(0.3, abs=error)
    assert share[ENTRIES.index("search")] / others == pytest.approx(0.2, abs=error)


def test_a_dearer_price_never_makes_a_person_want_it_more(world):
    state = deepcopy(world).state
    who = np.arange(len(state.people))
    product = who % len(state.goods.product_ids)
    variant = state.variant_for(who, product)
    before = state.value(who, product, variant)
    state.price_minor = state.price_minor * 2
    dearer = state.value(who, product, variant)
    assert (dearer < before).all()
    # Twice the price costs the log of two of one's own weight, and a rival's pull.
    least = state.people.price[who] * np.log(2) * 0.98
    assert (before - dearer >= least).all()


def test_a_person_takes_the_same_size_of_a_product_and_all_sizes_are_taken(world):
    state = world.state
    who = np.arange(len(state.people))
    for product in range(len(state.goods.product_ids)):
        variant = state.variant_for(who, np.full(len(who), product))
        assert (state.goods.product_of[variant] == product).all()
        first, count = state.goods.first_variant[product], state.goods.n_variants
        taken = np.bincount(variant - first, minlength=count[product]) / len(who)
        assert taken == pytest.approx(
            state.goods.share[first : first + count[product]], abs=0.09
        )


def test_an_empty_day_is_a_day(world):
    state = deepcopy(world).state
    visits = make_visits(state, Idle(), np.empty(0, np.int64))
    assert len(visits.person) == 0
    assert visits.carts == []
    assert len(visits.seen.visit) == 0
