"""`GET /v1/page-block`: what a visitor of a test's arm is shown on a product page."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.api.access import by_key
from cartwheel.api.events import Id
from cartwheel.api.recommendations import describe_wanted, read_wanted
from cartwheel.channels.visitor_fixes import Block, visitor_blocks
from cartwheel.measure.assign import looker_held_out
from cartwheel.measure.experiment.trial import CONTROL

if TYPE_CHECKING:
    from cartwheel.measure.experiment.trial import InForce, Trial
    from cartwheel.shop import Shop

LEVER = "content"
CHECK_SECONDS = 1.0
"""Longest that a fix taken back may still be shown."""

Arm = Literal["treated", "control", "holdout", "none"]

log = structlog.get_logger("cartwheel.api")
router = APIRouter(tags=["page block"])


class PageBlocks:
    """The page fixes delivered to visitors, at most a second old.

    Args:
        shop: The shop.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._blocks: dict[str, Block] = {}
        self._checked_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Read them now; on any trouble nothing is shown, as if there were none."""
        self._checked_at = time.monotonic()
        try:
            self._blocks = visitor_blocks(self._shop.database)
        except (SQLAlchemyError, KeyError, TypeError, ValueError):
            self._blocks = {}
            log.exception("page blocks not read, none is shown")

    async def of(self, product: str) -> Block | None:
        """Return the block of a product, read anew once a second."""
        if time.monotonic() - self._checked_at >= CHECK_SECONDS:
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(asyncio.to_thread(self.check))
            await self._refreshing
        return self._blocks.get(product)


class BlockWanted(BaseModel):
    """Which page, and who looks."""

    model_config = ConfigDict(extra="forbid")

    product: Id = Field(description="Product of the page.")
    visitor: Id | None = Field(
        None, description="Device or session id; without it nothing is shown."
    )
    customer: Id | None = Field(None, description="Customer id, if signed in.")
    key: str | None = Field(
        None, description="API key, when no header can be sent.", max_length=200
    )


class BlockLine(BaseModel):
    """One sentence, as text."""

    model_config = ConfigDict(extra="forbid")

    text: str
    question: str = Field(description="Question it answers, empty for none.")


class BlockShape(BaseModel):
    """What is shown, as text."""

    model_config = ConfigDict(extra="forbid")

    heading: str
    lines: list[BlockLine]


class PageBlock(BaseModel):
    """What a page shows beside its own, and in which arm whoever looks is."""

    model_config = ConfigDict(extra="forbid")

    decision: str | None = Field(
        description="Page fix that is shown; send it with the exposure. Else null."
    )
    arm: Arm = Field(description="`none`: no test of this page runs for whoever looks.")
    block: BlockShape | None = Field(description="Null: the page stays as it is.")


@router.get(
    "/v1/page-block",
    summary="Ask for a page fix in test",
    response_model=PageBlock,
    openapi_extra={"parameters": describe_wanted(BlockWanted)},
)
async def get_page_block(
    request: Request,
    _key: Annotated[Any, Depends(by_key("recommendations:read", in_query=True))],
) -> PageBlock:
    """Give the fix to visitors of the arm of a running test, and nothing to others.

    Nothing is shown without a test by visitor in force that has the product, without a
    visitor, to people of a holdout, and when anything is amiss.
    """
    wanted = read_wanted(request, BlockWanted, lists=())
    state = request.app.state
    block = await state.page_blocks.of(wanted.product)
    trial = trial_of(state.serving.trials, wanted.product)
    if block is None or trial is None or wanted.visitor is None:
        return PageBlock(decision=None, arm="none", block=None)
    if looker_held_out(
        wanted.customer,
        wanted.visitor,
        model=state.serving.model,
        holdout=state.shop.settings.holdout,
        lever=LEVER,
    ):
        return PageBlock(decision=None, arm="holdout", block=None)
    arm = trial.arm_of(state.serving.trials.day, visitor=wanted.visitor)
    if arm == CONTROL:
        return PageBlock(decision=None, arm="control", block=None)
    lines = [BlockLine(text=text, question=question) for text, question in block.lines]
    return PageBlock(
        decision=block.decision_id,
        arm="treated",
        block=BlockShape(heading=block.heading, lines=lines),
    )


def trial_of(trials: InForce | None, product: str) -> Trial | None:
    """Return the test by visitor that has a product, None where none is in force.

    Args:
        trials: Experiments in force.
        product: Product of the page.
    """
    if trials is None:
        return None
    for trial in trials.trials:
        mine = trial.lever == LEVER and trial.unit == "visitor"
        if mine and product in trial.products and trial.runs_on(trials.day):
            return trial
    return None
