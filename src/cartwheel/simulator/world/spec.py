"""What a world is made of: every parameter, its unit and its range, in one place.

A world is one settings file (`worlds/NAME.toml`). Parameters say how people, goods and
suppliers behave; no policy may read them. Impossible values are refused by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cartwheel.errors import Misuse
from cartwheel.simulator.world.variants import MARK, split_name, vary

WORLDS = ("apparel", "consumables", "electronics", "hostile")

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
AtLeastZero = Annotated[float, Field(ge=0)]
Minor = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A section of the settings file; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Category(Part):
    """A group of products that are alike in price, season and returns."""

    name: str = Field(min_length=1, description="Name of the category.")
    nouns: tuple[str, ...] = Field(min_length=1, description="What articles are.")
    low_minor: Minor = Field(description="Cheap end of usual prices.")
    high_minor: Minor = Field(description="Dear end of usual prices.")
    weight: Positive = Field(description="Relative number of people who like it.")
    peak_day: int = Field(0, ge=0, le=365, description="Day of the year it sells best.")
    swing: AtLeastZero = Field(0.0, description="Log ratio of the peak to the mean.")
    sizes: tuple[str, ...] = Field((), description="Variants; none for one variant.")
    returns: Share = Field(description="Share of lines sent back at average fit.")

    @model_validator(mode="after")
    def _ordered(self) -> Category:
        if self.high_minor <= self.low_minor:
            raise ValueError(f"high_minor {self.high_minor} is not above low_minor")
        return self


class Goods(Part):
    """The catalogue."""

    categories: tuple[Category, ...] = Field(min_length=1)
    quality_sd: AtLeastZero = Field(description="Spread of appeal nobody's taste has.")
    taste_weight: AtLeastZero = Field(description="Pull of a product of one's taste.")
    markup: tuple[Positive, Positive] = Field(description="Price over cost, low, high.")
    new_share: Share = Field(description="Products launched after the first day.")
    fade_days: Positive = Field(
        description="Days in which a new product's lure halves."
    )
    content_gap_sd: AtLeastZero = Field(description="How far pages mislead, spread.")
    defect_share: Share = Field(description="Products with a hidden fault.")
    defect_rate: Share = Field(description="Faulty units of a product with a fault.")
    runs_small_share: Share = Field(description="Products cut too small.")
    review_weight: AtLeastZero = Field(description="Pull of one star above average.")


class People(Part):
    """Who may come."""

    activity_sd: AtLeastZero = Field(description="Log spread of how often one visits.")
    price_mean: Positive = Field(description="Mean weight of the log price in choice.")
    price_sd: AtLeastZero = Field(description="Log spread of that weight.")
    tier_sd: AtLeastZero = Field(
        0.0, description="Spread of the pull towards dear or cheap goods of a kind."
    )
    taste_focus: Positive = Field(description="How sure people are of their category.")
    return_sd: AtLeastZero = Field(description="Log-odds spread of sending back.")
    consent_email: Share = Field(description="Buyers who agree to mailings.")
    tracked: Share = Field(description="Visitors who accept measurement.")
    signed_in: Share = Field(description="Known customers who are recognised.")
    guest: Share = Field(description="First orders placed without an account.")
    duplicates: Share = Field(description="Buyers with a second profile.")
    abusers: Share = Field(description="People in rings that abuse returns.")
    abuser_visits: Positive = Field(1.0, description="Their visits over others'.")


class Visits(Part):
    """How often people come."""

    per_person_day: Positive = Field(le=1, description="Mean visits a person and day.")
    week: tuple[Positive, ...] = Field(
        min_length=7, max_length=7, description="Weight of each weekday, Monday first."
    )
    annual_peak_day: int = Field(ge=0, le=365, description="Busiest day of the year.")
    annual_swing: AtLeastZero = Field(description="Log ratio of that to the mean.")
    bought_boost: float = Field(description="Log change just after a good delivery.")
    boost_days: Positive = Field(description="Days until half of that is gone.")
    need_days: AtLeastZero = Field(
        0.0, description="Days a purchase lasts; 0 where things are not used up."
    )
    price_image: AtLeastZero = Field(
        description="Log loss of visits for log prices above the rival's."
    )


class Funnel(Part):
    """From a list to the till."""

    slots: int = Field(24, ge=6, le=96, description="Products in a list.")
    examine: Share = Field(description="Chance that the next slot is looked at.")
    strip: Share = Field(1.0, description="Visits that look at strips beside a page.")
    deep_link: Share = Field(description="Visits that land on a product's page.")
    search: Share = Field(description="Visits that begin with a search.")
    click_at: float = Field(description="Appeal above which half of people click.")
    most_views: int = Field(6, ge=1, le=20, description="Pages opened from a list.")
    outside: float = Field(description="Appeal of buying nothing or elsewhere.")
    rival_weight: AtLeastZero = Field(description="Pull of a rival's lower price.")
    pay: Share = Field(description="Carts that are paid.")
    shipping_pain: AtLeastZero = Field(description="Log-odds of paying lost to a fee.")
    more_units: Share = Field(
        0.12, lt=1, description="First wishes for two units, of these for three, ..."
    )
    second_item: Share = Field(description="Carts that look for what goes with it.")
    companion: AtLeastZero = Field(description="Extra appeal of what goes with it.")
    substitute: Share = Field(description="Buyers of a sold-out size who take another.")
    repeat: float = Field(description="Extra appeal of a product bought before.")


class Money(Part):
    """What the shop charges and pays, in minor units of the currency."""

    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="ISO 4217 code.")
    shipping_minor: Minor = Field(description="Shipping charged.")
    free_from_minor: Minor = Field(description="Order value that ships free.")
    parcel_minor: Minor = Field(description="Cost of sending a parcel.")
    far_minor: Minor = Field(description="Extra cost from the farther warehouse.")
    return_minor: Minor = Field(description="Freight and handling of a return.")
    contact_minor: Minor = Field(description="Cost of a contact with support.")
    mail_minor: Minor = Field(description="Cost of a mail.")
    holding_year: Share = Field(description="Cost of holding stock, of cost a year.")
    seconds_value: Share = Field(description="What goods of second choice fetch.")
    write_off_days: Positive = Field(description="Age after which leftover is waste.")


class Supplier(Part):
    """A supplier and its lanes."""

    name: str = Field(min_length=1, description="Name of the supplier.")
    promised_days: int = Field(ge=1, le=200, description="Lead time it promises.")
    mean_ratio: Positive = Field(description="True mean lead time over the promise.")
    spread: Positive = Field(description="Coefficient of variation of lead times.")
    drift: float = Field(0.0, description="Log change of lead times in a year.")
    disruptions: AtLeastZero = Field(description="Disruptions a year.")
    disruption_days: Positive = Field(description="Mean length of one.")
    fill: Share = Field(description="Share of units delivered of an order.")
    minimum_minor: Minor = Field(description="Smallest order value.")


class Supply(Part):
    """Where goods come from."""

    suppliers: tuple[Supplier, ...] = Field(min_length=1)
    packs: tuple[int, ...] = Field(
        (1, 2, 4, 6), min_length=1, description="Pack sizes there are."
    )
    first_weeks: Positive = Field(description="Opening stock in weeks of mean demand.")


class Service(Part):
    """What happens after the sale."""

    delivery_days: tuple[Positive, Positive] = Field(description="Mean and spread.")
    promise_days: int = Field(ge=1, le=60, description="Delivery time promised.")
    return_days: int = Field(30, ge=1, le=120, description="Return window.")
    return_delay: Positive = Field(description="Mean days until a return comes.")
    mismatch: AtLeastZero = Field(description="Log-odds of a return per unlike taste.")
    resale: Share = Field(description="Returns that can be sold again as new.")
    contact: Share = Field(description="Contacts an order without a cause.")
    contact_cause: Share = Field(description="Contacts an order with a cause.")
    review: Share = Field(description="Reviews a line, more when things went wrong.")
    leave_bad: Share = Field(description="People who leave after a bad experience.")
    win_back_days: Positive = Field(description="Days in which leavers can be won.")


class Mail(Part):
    """How people take mail and offers."""

    opens: Share = Field(description="Opens of the first mail in a month.")
    fatigue: AtLeastZero = Field(description="Log loss of effect per mail of a month.")
    lift: float = Field(description="Log change of visits in the days after a mail.")
    lift_sd: AtLeastZero = Field(description="Spread of that between people.")
    dogs: Share = Field(description="People whom mail drives away.")
    unsubscribe: Share = Field(description="Unsubscribe per mail, doubled by fatigue.")
    days: Positive = Field(3.0, description="Days until half of the effect is gone.")
    coupon_use: Share = Field(description="Buyers with an offer who use it.")


class Rival(Part):
    """The competitor."""

    level: Positive = Field(description="Its price over the usual price, mean.")
    spread: AtLeastZero = Field(description="Log spread between products.")
    sticky: Share = Field(description="Chance a day that nothing changes.")
    react: Share = Field(description="Share of our price changes it follows.")


class Promotions(Part):
    """The shop's calendar of promotions, planned before the year begins."""

    every_days: int = Field(ge=0, description="Days between promotions; 0 for none.")
    length_days: int = Field(7, ge=1, le=60, description="Days one lasts.")
    cut: Share = Field(description="Price cut of the promoted category.")


class WorldSpec(Part):
    """A world: one settings file."""

    name: str = Field(pattern="^[a-z][a-z0-9-]*$", description="Name of the world.")
    doc: str = Field(min_length=1, description="What kind of shop, in a sentence.")
    start: date = Field(date(2025, 1, 6), description="First day.")
    visitors: Positive = Field(1.0, description="Multiplies visits; below 1 is sparse.")
    noise: AtLeastZero = Field(0.0, le=1, description="Share of damaged records.")
    goods: Goods
    people: People
    visits: Visits
    funnel: Funnel
    money: Money
    supply: Supply
    service: Service
    mail: Mail
    rival: Rival
    promotions: Promotions

    @property
    def luck(self) -> str:
        """Name its random draws go by: a variant has the luck of its world."""
        return self.name.partition(MARK)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a world is played.

    Attributes:
        products: Products over the whole time.
        customers: People who may come.
        warmup_days: Days under the no-AI policy, shared by all arms.
        days: Days in all, the warm-up included.
    """

    products: int
    customers: int
    warmup_days: int
    days: int


SIZES: Mapping[str, Size] = {
    "small": Size(products=150, customers=4_000, warmup_days=70, days=182),
    "standard": Size(products=1_000, customers=20_000, warmup_days=70, days=240),
    "large": Size(products=2_000, customers=50_000, warmup_days=70, days=365),
}

SizeName = Literal["small", "standard", "large"]


def load_world(name: str) -> WorldSpec:
    """Return a world by its name, or from a settings file, or a variant of either.

    Raises:
        Misuse: If there is no such world, or a parameter is impossible; the message
            names the field and the value.
    """
    if name in WORLDS:
        text = (files("cartwheel.simulator") / "worlds" / f"{name}.toml").read_text(
            encoding="utf-8"
        )
        return read_world(text, name)
    world, variant = split_name(name)
    if variant:
        return vary(load_world(world), variant)
    path = Path(name)
    if path.suffix != ".toml" or not path.is_file():
        raise Misuse(
            f"There is no world {name!r}.",
            f"Choose one of {', '.join(WORLDS)}, or give the path of a .toml file.",
        )
    return read_world(path.read_text(encoding="utf-8", errors="replace"), name)


def read_world(text: str, source: str) -> WorldSpec:
    """Return the world a settings file describes.

    Raises:
        Misuse: Naming each field that does not fit, and its value.
    """
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misuse(
            f"The world {source} is not readable TOML: {error}.",
            "Correct the file; `apparel` is a model to copy.",
        ) from None
    try:
        return WorldSpec.model_validate(values)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'world'} is "
            f"{str(one['input'])[:60]!r}: {one['msg']}"
            for one in error.errors(include_url=False)[:3]
        )
        raise Misuse(
            f"The world {source} is impossible: {said}.",
            "Correct these fields; docs/worlds.md lists each with its range.",
        ) from None


def size_of(name: str) -> Size:
    """Return a size by name.

    Raises:
        Misuse: If there is no such size.
    """
    if name not in SIZES:
        raise Misuse(
            f"There is no size {name!r}.", f"Choose one of {', '.join(SIZES)}."
        )
    return SIZES[name]
