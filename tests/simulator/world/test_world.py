"""A world day by day: conservation, common draws, what mail does, what is refused."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.simulator.arms.base import (
    Actions,
    Article,
    Mail,
    Policy,
    Purchase,
    ShopView,
)
from cartwheel.simulator.arms.plain import Plain
from cartwheel.simulator.world.aftersale import CAUSES
from cartwheel.simulator.world.goods import LOCATIONS
from cartwheel.simulator.world.people import NEVER, visit_chance, visitors_today
from cartwheel.simulator.world.world import OFFER_PULL, World, person_of
from tests.simulator.world.made import (
    SIZE,
    Eager,
    Idle,
    Played,
    Reader,
    fresh_state,
    make_spec,
    play,
    same,
)


class Once(Idle):
    """Does one thing on its first morning."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def morning(self, shop: ShopView) -> Actions:
        return self._actions


# Conservation.


def test_units_are_conserved_on_every_day(played: Played):
    stock = played.opening.copy()
    inbound = np.zeros_like(stock)
    resale: dict[int, list[tuple[int, int, int]]] = {}
    on_way: dict[int, list] = {}
    received = came_back = 0
    for log in played.logs:
        expected = on_way.pop(log.day, [])
        assert sorted(map(repr, log.arrived)) == sorted(map(repr, expected))
        for line in log.arrived:
            stock[line.variant, line.location] += line.units
            inbound[line.variant, line.location] -= line.ordered
            received += line.units
        for variant, place, units in resale.pop(log.day, []):
            stock[variant, place] += units
            came_back += units
        for line in log.placed:
            assert line.arrives > log.day
            inbound[line.variant, line.location] += line.ordered
            on_way.setdefault(line.arrives, []).append(line)
        orders, fate = log.sales.orders, log.fate
        wanted = np.zeros_like(stock)
        np.add.at(wanted, (orders.variant, orders.location), orders.units)
        assert (wanted <= stock).all()  # nobody got what was not there
        stock -= wanted
        for line in np.flatnonzero((fate.returned >= 0) & (fate.grade == 0)):
            resale.setdefault(int(fate.returned[line]), []).append(
                (
                    int(orders.variant[line]),
                    int(orders.location[line]),
                    int(orders.units[line]),
                )
            )
        assert np.array_equal(log.stock, stock)
        assert np.array_equal(log.inbound, inbound)
        assert (log.stock >= 0).all()
        sold = played.world.state.sold[:, log.day]
        assert np.array_equal(sold, wanted.sum(axis=1))
    assert received > 0
    assert came_back > 0
    assert inbound.sum() > 0
    assert np.array_equal(played.world.state.stock, stock)
    assert np.array_equal(played.world.state.inbound, inbound)


def test_a_failed_add_means_less_stock_than_was_wanted(played: Played):
    failed = 0
    for log in played.logs:
        adds = log.sales.adds
        # What was left tonight is a lower bound of what there was all day.
        for variant, units in zip(
            adds.variant[adds.failed], adds.units[adds.failed], strict=True
        ):
            assert log.stock[variant].max() < units
            failed += 1
    assert failed > 10


# Common random numbers.


def test_two_runs_of_a_policy_are_the_same_to_the_bit(played: Played):
    again = play(Eager())
    assert same(again.logs, played.logs)
    assert same(again.world.books.parts, played.world.books.parts)
    assert same(again.world.books.counts, played.world.books.counts)


def test_another_seed_is_another_world(played: Played):
    other = World(make_spec(), SIZE, 2)
    assert not np.array_equal(
        other.state.people.activity, played.world.state.people.activity
    )
    assert not np.array_equal(
        other.state.goods.usual_minor, played.world.state.goods.usual_minor
    )


def test_a_copy_plays_as_the_original_and_disturbs_it_not(played: Played):
    world = World(make_spec(), SIZE, 1)
    policy = Eager()
    for _ in range(SIZE.warmup_days):
        world.play_day(policy)
    twin, other = deepcopy(world), deepcopy(world)
    for _ in range(10):  # somebody else plays a copy quite differently
        other.play_day(Idle())
    for one in (twin, world):
        mine, logs = deepcopy(policy), []
        while not one.over:
            logs.append(one.play_day(mine))
        assert same(logs, played.logs[SIZE.warmup_days :])
        assert same(one.books.parts, played.world.books.parts)
        assert same(one.books.counts, played.world.books.counts)
    later = SIZE.warmup_days + 5
    assert other.books.profit()[later] != world.books.profit()[later]
    warm = slice(0, SIZE.warmup_days)
    assert np.array_equal(other.books.profit()[warm], world.books.profit()[warm])
    # The days before are in every copy's facts.
    sql = "SELECT count(*), max(known_at) FROM orders WHERE placed_at < ?"
    start = str(world.spec.start.replace(day=world.spec.start.day + 10))
    for one in (twin, other):
        found = one.facts.connection.execute(sql, [start]).fetchone()
        assert found[0] > 10
    lines = [
        one.facts.connection.execute(
            "SELECT * FROM order_lines WHERE placed_at < ? ORDER BY ALL", [start]
        ).fetchall()
        for one in (twin, other)
    ]
    assert lines[0] == lines[1]
    # And the days since are each copy's own.
    for one in (twin, other):
        found = one.facts.connection.execute("SELECT count(*) FROM order_lines")
        assert found.fetchone()[0] == one.books.counts["lines"].sum()


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.5), st.floats(0, 0.5), st.integers(0, 39), st.integers(0, 2**20))
def test_dearer_prices_thin_the_same_potential_visits(one, other, day, seed):
    state = fresh_state(3)
    people, draws = state.people, fresh_state(seed).draws
    low, high = sorted((one, other))
    many = visitors_today(state.spec, people, draws, day, low)
    few = visitors_today(state.spec, people, draws, day, high)
    assert set(few) <= set(many)
    assert (np.diff(many) > 0).all()


def test_who_left_does_not_come():
    state = fresh_state()
    people = state.people
    everybody = visitors_today(state.spec, people, state.draws, 5, 0.0)
    gone = everybody[::3]
    people.alive[gone] = False
    assert set(visitors_today(state.spec, people, state.draws, 5, 0.0)) == set(
        everybody
    ) - set(gone)


# What moves visits.


RARE = {"per_person_day": 1e-4, "need_days": 0.0}
"""So few visits that no chance is cut off."""


def chance(state, day: int = 5, price_index: float = 0.0):
    return visit_chance(state.spec, state.people, day, price_index)


def test_a_good_delivery_brings_people_back_and_fades():
    state = fresh_state(visits={**RARE, "bought_boost": 0.5})
    before = chance(state)
    state.people.good[0], state.people.good[1] = 5, 2
    after = chance(state)
    assert after[0] / before[0] == pytest.approx(np.exp(0.5))
    assert 1 < after[1] / before[1] < after[0] / before[0]
    assert np.array_equal(after[2:], before[2:])


def test_dear_prices_keep_people_away_and_cheap_ones_bring_nobody():
    state = fresh_state(visits=RARE)
    assert (chance(state, price_index=0.2) < chance(state)).all()
    assert np.array_equal(chance(state, price_index=-0.2), chance(state))


def test_what_is_used_up_is_wanted_again():
    state = fresh_state(visits={**RARE, "need_days": 20.0})
    state.people.bought[:3] = (30, 20, -60)
    after = chance(state, day=30)
    never = chance(fresh_state(visits=RARE), day=30)
    share = after / never
    assert share[0] == pytest.approx(0.25)
    assert share[0] < share[1] < share[2]
    assert share[3] == 1  # who never bought has nothing to use up


def test_no_chance_is_above_nine_in_ten():
    state = fresh_state()
    state.people.activity[:] = 1e9
    assert (chance(state) == 0.9).all()


# Mail.

ALWAYS_OPEN = {"opens": 1.0, "unsubscribe": 0.0, "dogs": 0.0, "lift_sd": 0.0}


def mailed(world: World, people, **terms):
    """Send a mail to each person; what the sending changed."""
    mails = [
        Mail(customer_id=world.state.profile(int(p)), **{"days": 5, **terms})
        for p in people
    ]
    return world._send(Actions(mails=mails))


def open_world(**mail: object) -> World:
    world = World(make_spec(visits=RARE, mail={**ALWAYS_OPEN, **mail}), SIZE, 1)
    world.state.people.subscribed[:] = True
    return world


def test_a_mail_brings_people_and_drives_sleeping_dogs_away():
    world = open_world()
    people = world.state.people
    people.mail_lift[:2] = (0.5, -0.6)
    before = chance(world.state)
    mailed(world, range(2))
    after = chance(world.state)
    assert after[0] / before[0] == pytest.approx(np.exp(0.5))
    assert after[1] / before[1] == pytest.approx(np.exp(-0.6))
    assert np.array_equal(after[2:], before[2:])


def test_as_many_dogs_as_stated_and_all_of_them_sleep():
    state = fresh_state(mail={"dogs": 0.3, "lift": 0.5, "lift_sd": 0.0})
    dogs = state.people.mail_lift < 0
    assert dogs.mean() == pytest.approx(0.3, abs=0.08)
    assert (state.people.mail_lift[dogs] <= -0.3).all()


def test_each_further_mail_does_less_and_rest_heals():
    world = open_world(fatigue=0.5)
    people = world.state.people
    people.mails[1:] = 3.0
    mailed(world, range(600))
    fresh = people.mail_effect[0]
    assert fresh == pytest.approx(0.5)
    tired = people.mail_effect[1:]
    assert tired[tired != 0] == pytest.approx(0.5 * np.exp(-1.5))
    assert people.mails[:2].tolist() == [1.0, 4.0]
    world._evening()
    assert people.mails[0] == pytest.approx(29 / 30)
    # Half of the effect is gone after as many days as the world says.
    world._evening()
    assert people.mail_effect[0] == pytest.approx(fresh / 2)


def test_the_tired_open_fewer_and_unsubscribe_more():
    opened, gone = [], []
    for mails in (0.0, 4.0):
        world = open_world(opens=0.8, fatigue=0.4, unsubscribe=0.1)
        world.state.people.mails[:] = mails
        _, left = mailed(world, range(600))
        opened.append((world.state.people.mail_effect != 0).mean())
        gone.append(len(left) / 600)
        assert not world.state.people.subscribed[left].any()
        assert world.state.people.subscribed.sum() == 600 - len(left)
    for found, expected in (
        (opened[0], 0.8),
        (opened[1], 0.8 * np.exp(-1.6)),
        (gone[0], 0.1),
        (gone[1], 0.5),
    ):
        assert found == pytest.approx(expected, abs=0.08)


def test_an_offer_brings_more_and_is_held_as_promised():
    world = open_world()
    people = world.state.people
    mailed(world, [0], offer_bps=0)
    mailed(world, [1], offer_bps=2_850, days=5)
    assert people.mail_effect[1] - people.mail_effect[0] == pytest.approx(
        OFFER_PULL * 0.285
    )
    assert people.offer[:2].tolist() == [0, 2_850]
    assert people.offer_until[:2].tolist() == [NEVER, 5]


@given(st.integers(1, 9_999))
@settings(max_examples=25, deadline=None)
def test_every_offer_is_kept_to_the_basis_point(bps):
    world = SHARED
    mailed(world, [7], offer_bps=bps)
    assert world.state.people.offer[7] == bps


SHARED = open_world()


def test_leavers_come_back_for_a_mail_and_sooner_for_an_offer():
    won = []
    for bps, since in ((0, 10), (3_000, 10), (3_000, 61)):
        world = open_world()
        people = world.state.people
        world.state.day = 70
        people.alive[:], people.left[:] = False, 70 - since
        mailed(world, range(600), offer_bps=bps)
        won.append(people.alive.mean())
    assert won[0] == pytest.approx(0.06, abs=0.03)
    assert won[1] == pytest.approx(0.36, abs=0.06)
    assert won[2] == 0  # too late


def test_mail_goes_once_a_day_to_those_who_agreed():
    world = open_world()
    world.state.people.subscribed[1:] = False
    sent, _ = mailed(world, [0, 0, 1, 2])
    assert [mail.person for mail in sent] == [0]
    assert world.state.people.mails[:3].tolist() == [1.0, 0.0, 0.0]
    twice = [Mail(customer_id="C000001"), Mail(customer_id="C000001b")]
    sent, _ = world._send(Actions(mails=twice))
    assert len(sent) == 1


def test_nobody_is_mailed_who_did_not_agree_or_took_it_back(played: Played):
    people = played.world.state.people
    agreed: set[int] = set()
    sent = withdrawn = 0
    for log in played.logs:
        mailed_today = {mail.person for mail in log.mails}
        assert mailed_today <= agreed
        assert len(mailed_today) == len(log.mails)
        sent += len(log.mails)
        withdrawn += len(log.left_list)
        agreed -= set(log.left_list.tolist())
        agreed |= {int(p) for p in log.joined if people.consents[p]}
    assert sent > 100
    assert withdrawn > 0
    assert agreed == set(np.flatnonzero(people.subscribed).tolist())


def test_offers_used_are_offers_held_and_used_once(played: Played):
    held: dict[int, tuple[int, int]] = {}
    used = 0
    for log in played.logs:
        for mail in log.mails:
            if mail.offer_bps:
                held[mail.person] = (mail.offer_bps, log.day)
        orders = log.sales.orders
        for person, bps in zip(orders.person, orders.offer_bps, strict=True):
            if bps:
                offer, since = held.pop(int(person))
                assert bps == offer
                assert log.day - since <= 14
                used += 1
    assert used > 3


# What the world remembers.


def test_people_leave_on_the_day_their_bad_parcel_says(played: Played):
    leaves: dict[int, set[int]] = {}
    for log in played.logs:
        for order in np.flatnonzero(log.fate.leaves >= 0):
            assert CAUSES[log.fate.contact_cause[order]] != "none"
            day = int(log.fate.leaves[order])
            leaves.setdefault(day, set()).add(int(log.sales.orders.person[order]))
        # Nobody comes on the day they left, unless a mail won them back.
        gone = leaves.get(log.day, set()) - {mail.person for mail in log.mails}
        assert not gone & set(log.visits.person.tolist())
    assert sum(map(len, leaves.values())) > 5
    assert played.world.books.counts["left"].sum() > 5


def test_ratings_are_the_reviews_written_so_far(played: Played):
    state = played.world.state
    count = np.zeros(SIZE.products, int)
    stars = np.zeros(SIZE.products, int)
    for log in played.logs:
        fate = log.fate
        wrote = (fate.review >= 0) & (fate.review < SIZE.days)
        product = state.goods.product_of[log.sales.orders.variant[wrote]]
        np.add.at(count, product, 1)
        np.add.at(stars, product, fate.stars[wrote])
    assert count.sum() > 5
    assert np.array_equal(state.rating_count, count)
    assert np.array_equal(state.rating_sum, stars)


# The policy's window.


def public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_a_view_shows_what_the_protocol_says_and_no_more():
    views = []
    world = World(make_spec(), SIZE, 1)
    world.play_day(Reader(views.append))
    (view,) = views
    assert public(view) == public(ShopView)
    # `take` hands over what `table` would show, and hides it from its own caller.
    assert public(view.facts) == {"record", "connection", "table", "take", "close"}
    for article in view.articles():
        assert type(article) is Article
        for field in fields(article):
            assert isinstance(getattr(article, field.name), str | int | dict | None), (
                field.name
            )


def test_a_view_tells_the_shops_own_numbers():
    wrong: list[str] = []

    def look(shop: ShopView) -> None:
        state = world.state
        goods = state.goods
        numbers = {str(name): i for i, name in enumerate(goods.variant_ids)}
        articles = {a.variant_id: a for a in shop.articles()}
        launched = goods.launched[goods.product_of] <= shop.day
        assert set(articles) == {n for n, i in numbers.items() if launched[i]}
        for name, article in articles.items():
            i = numbers[name]
            stock = dict(zip(LOCATIONS, state.stock[i].tolist(), strict=True))
            inbound = dict(zip(LOCATIONS, state.inbound[i].tolist(), strict=True))
            cost = int(goods.cost_minor[i]) if goods.cost_known[i] else None
            if (article.on_hand, article.inbound) != (stock, inbound):
                wrong.append(name)
            if (article.price_minor, article.cost_minor) != (
                state.price_minor[i],
                cost,
            ):
                wrong.append(name)
        for days in (1, 7, 400):
            units = state.sold[:, max(shop.day - days, 0) : shop.day].sum(axis=1)
            assert shop.sold_units(days) == {
                n: units[i] for n, i in numbers.items() if units[i]
            }
        assert (shop.day, shop.today) == (state.day, state.today)
        assert {int(name[1:]) - 1 for name in shop.mailable()} == set(
            np.flatnonzero(state.people.subscribed).tolist()
        )

    world = World(make_spec(), SIZE, 1)
    policy: Policy = Reader(look)
    for _ in range(8):
        world.play_day(policy)
    assert wrong == []


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"P99999": 100}, "unknown variant 'P99999'"),
        ({"": 100}, "unknown variant ''"),
        ({"known": 0}, "is 0; expected whole minor units"),
        ({"known": -5}, "is -5; expected"),
        ({"known": 9.5}, "is 9.5; expected"),
        ({"known": True}, "is True; expected"),
        ({"known": None}, "is None; expected"),
        ({"known": "100"}, "is '100'; expected"),
        ({"known": float("nan")}, "is nan; expected"),
        ({"known": float("inf")}, "is inf; expected"),
    ],
)
def test_impossible_prices_are_refused_by_name_and_value(prices, said):
    world = World(make_spec(), SIZE, 1)
    known = str(world.state.goods.variant_ids[0])
    named = {
        known if name == "known" else name: price for name, price in prices.items()
    }
    with pytest.raises(ValueError, match=said) as told:
        world.play_day(Once(Actions(prices_minor=named)))
    assert next(iter(named)) in str(told.value)


def test_possible_prices_are_in_force_the_same_day():
    world = World(make_spec(), SIZE, 1)
    first, second = (str(name) for name in world.state.goods.variant_ids[:2])
    prices = {first: 4_321, second: np.int64(1_234)}
    log = world.play_day(Once(Actions(prices_minor=prices)))
    assert log.shelf_minor[:2].tolist() == [4_321, 1_234]


@pytest.mark.parametrize(
    "name",
    ["C000000", "C000601", "C1", "C00001", "X000001", "", "C000001c", "C00000²", "Cb"],
)
def test_unknown_customers_are_refused_by_name(name):
    with pytest.raises(ValueError, match="there is no customer") as told:
        World(make_spec(), SIZE, 1).play_day(
            Once(Actions(mails=[Mail(customer_id=name)]))
        )
    assert repr(name) in str(told.value)


def test_known_customers_are_found_by_either_profile():
    assert person_of("C000001", 600) == 0
    assert person_of("C000600b", 600) == 599


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"offer_bps": -1}, "offer of -1 basis points"),
        ({"offer_bps": 10_000}, "offer of 10000 basis points"),
        ({"offer_bps": 12.5}, "offer of 12.5 basis points"),
        ({"offer_bps": float("nan")}, "offer of nan basis points"),
        ({"days": -1}, "offer of -1 days"),
        ({"days": 1.5}, "offer of 1.5 days"),
    ],
)
def test_impossible_offers_are_refused_with_their_value(terms, said):
    mail = replace(Mail(customer_id="C000001"), **terms)
    with pytest.raises(ValueError, match=said):
        World(make_spec(), SIZE, 1).play_day(Once(Actions(mails=[mail])))


def test_impossible_purchases_come_back_and_possible_ones_do_not():
    world = World(make_spec(), SIZE, 1)
    goods = world.state.goods
    at = int(np.flatnonzero(goods.launched[goods.product_of] == 0)[0])
    name, goods.pack[at], goods.minimum[at] = str(goods.variant_ids[at]), 4, 8
    log = world.play_day(
        Once(
            Actions(
                purchases=[
                    Purchase(variant_id=name, location_id="L1", units=units)
                    for units in (4, 10, 800)
                ]
            )
        )
    )
    assert [line.variant_id for line in log.refused] == [name, name]
    assert "below the smallest order of 8" in log.refused[0].reason
    assert "no multiple of the pack of 4" in log.refused[1].reason
    assert [(line.variant, line.ordered) for line in log.placed] == [(at, 800)]


def test_every_refused_line_of_a_busy_policy_says_why(played: Played):
    reasons = [line.reason for log in played.logs for line in log.refused]
    for part in ("no such variant", "no location L9", "smallest order", "takes orders"):
        assert any(part in reason for reason in reasons), part
    placed = [line for log in played.logs for line in log.placed]
    goods = played.world.state.goods
    for line in placed:
        assert line.ordered >= goods.minimum[line.variant]
        assert line.ordered % goods.pack[line.variant] == 0


def test_promotions_cut_one_category_at_a_time_and_then_end():
    state = fresh_state(promotions={"every_days": 12, "length_days": 4, "cut": 0.2})
    for day in range(40):
        state.day = day
        hit = state.shelf_price() != state.price_minor
        categories = set(state.goods.category[state.goods.product_of[hit]].tolist())
        runs = day >= 12 and day % 12 < 4
        assert len(categories) == runs
        assert (state.promoted() >= 0) == runs
    state.day = 12
    hit = state.goods.category[state.goods.product_of] == state.promoted()
    cut = np.rint(state.price_minor[hit] * 0.8)
    assert state.shelf_price()[hit].tolist() == cut.tolist()


def test_no_promotion_makes_anything_free():
    state = fresh_state(promotions={"every_days": 12, "length_days": 4, "cut": 1.0})
    state.day = 12
    assert state.shelf_price().min() == 1


def test_a_world_ends_after_its_last_day(played: Played):
    assert played.world.over
    assert played.world.day == len(played.logs) == SIZE.days
    assert [log.day for log in played.logs] == list(range(SIZE.days))


def test_the_plain_shop_mails_only_those_who_agreed():
    world = World(make_spec(), SIZE, 1)
    policy = Plain()
    seen = 0
    for _ in range(16):
        agreed = set(np.flatnonzero(world.state.people.subscribed).tolist())
        log = world.play_day(policy)
        assert {mail.person for mail in log.mails} <= agreed
        assert len(log.mails) == (len(agreed) if log.day % 7 == 1 else 0)
        # Only the least value of a whole order can stop what it orders.
        assert all("takes orders from" in line.reason for line in log.refused)
        seen += len(log.mails)
    assert seen > 20
