"""The page Voice as a turn publishes it, from the model of what customers say."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

from cartwheel.turn.core import describe
from cartwheel.turn.stage import Stage

VOICE = "voice"

log = logging.getLogger("cartwheel.turn")


def voice_page(stage: Stage, on: date) -> dict[str, Any]:
    """Return the page; one that cannot be made says why, and the turn goes on.

    Args:
        stage: The turn's folder.
        on: Day the turn looks from.
    """
    from cartwheel.levers.voice.board import board

    try:
        run = stage.read_json("runs", "voice")
        model = stage.read_model("voice") if run and run["model"] else None
        return {} if model is None else board(model, on)
    except Exception as error:
        log.exception("The page Voice could not be made")
        return {"failed": describe(error)}
