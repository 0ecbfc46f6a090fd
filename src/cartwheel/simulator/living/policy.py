"""The policy of a demo shop: the shop itself, as people and the wheel run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartwheel.levers.base import Model, OnlineLever
from cartwheel.measure.assign import looker_held_out, looker_of
from cartwheel.measure.experiment.trial import TREATED
from cartwheel.measure.experiment.trial import InForce as Trials
from cartwheel.simulator.arms.actions import (
    Agreed,
    answer_page,
    carry_out,
    draw_of,
    left_alone,
    own_mail,
    sold_out,
)
from cartwheel.simulator.arms.base import Actions, Page, ShopView
from cartwheel.simulator.arms.plain import BLAST_DAYS

if TYPE_CHECKING:
    from cartwheel.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What a shop published and its people agreed to.

    Attributes:
        settings: The shop's settings.
        lever: The lever that answers pages.
        model: Its published model, or None before the first turn.
        excluded: Products the gate keeps out of every slot.
        fresh: Decisions to be carried out on the next morning.
        standing: Decisions of the published turn that last, such as whom to leave
            alone.
        trials: Experiments in force, or None.
        arm_model: Model of the arm of an experiment on an option of the lever, or None.
    """

    settings: Settings
    lever: OnlineLever
    model: Model | None
    excluded: frozenset[str]
    fresh: tuple[Agreed, ...] = ()
    standing: tuple[Agreed, ...] = ()
    trials: Trials | None = None
    arm_model: Model | None = None


class TheShop:
    """Runs a world as the shop's own software would.

    Pages are answered by the published model. What people agreed to is carried out on
    the first morning; the shop's own weekly mail goes out as always.

    Args:
        in_force: What the shop published and its people agreed to.
    """

    name = "the shop"

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force
        self._fresh = in_force.fresh
        self._alone = left_alone(in_force.standing)
        self._day = 0
        self._sold_out: frozenset[str] = frozenset()
        self.done = Actions()

    def morning(self, shop: ShopView) -> Actions:
        """Carry out what was agreed to, and send the weekly mail when it is due."""
        self._day = shop.day
        self._sold_out = sold_out(shop)
        actions = carry_out(self._fresh, shop.articles())
        self._fresh = ()
        if shop.day % BLAST_DAYS == 1:
            mails = [*actions.mails, *own_mail(shop, self._alone)]
            actions = Actions(
                prices_minor=actions.prices_minor,
                purchases=actions.purchases,
                mails=mails,
            )
        self.done = actions
        return actions

    def slates(self, pages: Sequence[Page]) -> list[list[str]]:
        """Answer each page from the published model, the holdout by its plain rule."""
        held = [self.held_out(page) for page in pages]
        return _answer(self._in_force, pages, held, self._day, self._sold_out)

    def held_out(self, page: Page) -> bool:
        """Tell whether a page is answered as the holdout is."""
        return looker_held_out(
            page.customer,
            page.visitor,
            model=self._in_force.model,
            holdout=self._in_force.settings.holdout,
            trials=self._in_force.trials,
        )

    def answer_left_alone(
        self, pages: Sequence[Page], sold_out: frozenset[str]
    ) -> list[list[str]]:
        """Answer every page by the plain rule of the holdout."""
        everybody = [True] * len(pages)
        return _answer(self._in_force, pages, everybody, self._day, sold_out)


def _model_for(in_force: InForce, model: Model, page: Page, *, held: bool) -> Model:
    """Return the model of the page's arm, as the storefront's API does."""
    trials, arm_model = in_force.trials, in_force.arm_model
    if held or trials is None or arm_model is None:
        return model
    who = looker_of(page.customer, page.visitor, model=model)
    arm = trials.option_arm(who, in_force.lever.name, visitor=page.visitor)
    return arm_model if arm == TREATED else model


def _answer(
    in_force: InForce,
    pages: Sequence[Page],
    held_out: Sequence[bool],
    day: int,
    sold_out: frozenset[str],
) -> list[list[str]]:
    model = in_force.model
    if model is None:
        return [[] for _ in pages]
    seed = in_force.settings.turn.seed
    return [
        answer_page(
            in_force.lever,
            _model_for(in_force, model, page, held=held),
            page,
            holdout=held,
            excluded=in_force.excluded | sold_out,
            rng=draw_of(page, seed=seed, day=day),
        )
        for page, held in zip(pages, held_out, strict=True)
    ]
