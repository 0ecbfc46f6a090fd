"""Stable assignment of people to the holdout.

The share of a person is a hash of the salt and the id: the same person is in or out
on every machine, in every turn, without a table, and raising the share only adds
people.

Somebody who looks at a page is assigned by the customer id they are signed in with, or
else with the customer their device is known to belong to. Whether a customer is held
out never depends on consent, on a device or on a turn; whether a device is recognised
does. Recognised is a device on which somebody signed in before the last turn, as far as
it was recorded: a shop sends device ids of people who agreed to it only. So a held-out
customer who refuses, who never signed in on this device, or who did so for the first
time since the last turn is answered like anybody, and so would a reached one be. That,
and a device which two people share, pulls what is measured towards zero; it cannot
favour a group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from cartwheel.levers.recommend.devices import owner_of

if TYPE_CHECKING:
    from cartwheel.levers.base import Model
    from cartwheel.measure.experiment.trial import InForce
    from cartwheel.settings import Holdout


def unit_position(unit: str, salt: str) -> float:
    """Return the unit's place in [0, 1), uniform over units."""
    digest = hashlib.blake2b(f"{salt}\x1f{unit}".encode(), digest_size=8).digest()
    # 53 bits, so that the quotient is exact and never reaches 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def in_holdout(unit: str, share: float, salt: str) -> bool:
    """Tell whether a unit is left alone.

    Args:
        unit: Customer or visitor id.
        share: Share of units left alone, 0 to 1.
        salt: Salt of the experiment layer.
    """
    return unit_position(unit, salt) < share


def holdout_mask(units: Iterable[str], share: float, salt: str) -> np.ndarray:
    """Return `in_holdout` for many units, bool, shape (n_units,)."""
    return np.array([unit_position(u, salt) < share for u in units], dtype=bool)


def layer_of(lever: str, salt: str) -> str:
    """Return the salt of a lever's own holdout; layers are drawn independently.

    Args:
        lever: Name of the lever.
        salt: Salt of the shop's holdout.
    """
    return f"{salt}/{lever}"


def held_out_of(unit: str, lever: str, holdout: Holdout) -> str | None:
    """Return which holdout leaves a unit alone: "wheel", the lever's name, or None.

    Args:
        unit: Customer id; or product id, which only a lever's own holdout draws.
        lever: Lever that decided.
        holdout: Who is left alone.
    """
    if in_holdout(unit, holdout.share_bps / 10_000, holdout.salt):
        return "wheel"
    return lever if held_out_by(unit, lever, holdout) else None


def held_out_by(unit: str, lever: str, holdout: Holdout) -> bool:
    """Tell whether a lever's own holdout leaves a unit alone.

    Args:
        unit: Customer or product id.
        lever: Lever that decided.
        holdout: Who is left alone.
    """
    share = holdout.levers.get(lever, 0) / 10_000
    return in_holdout(unit, share, layer_of(lever, holdout.salt))


def looker_held_out(
    customer: str | None,
    device: str | None,
    *,
    model: Model | None,
    holdout: Holdout,
    trials: InForce | None = None,
    lever: str = "recommend",
) -> bool:
    """Tell whether whoever looks at a page is left alone; the one rule of all answers.

    A device of several customers goes with the one who signed in on it last, as the
    signal `identity` says; each of them, once signed in, is answered as themselves.
    With the link `identity` cut no device is known, and only who signs in is left
    alone.

    Args:
        customer: Customer id, if signed in.
        device: Device or session id, if sent.
        model: The published model that answers, which knows devices; None for none.
        holdout: Who is left alone.
        trials: Experiments in force, which leave others alone; None for none.
        lever: Lever that answers.
    """
    who = looker_of(customer, device, model=model)
    if who is not None and held_out_of(who, lever, holdout) is not None:
        return True
    return trials is not None and trials.leaves_alone(who, lever, visitor=device)


def looker_of(
    customer: str | None, device: str | None, *, model: Model | None
) -> str | None:
    """Return the customer who looks at a page, None when nobody known does.

    Args:
        customer: Customer id, if signed in.
        device: Device or session id, if sent.
        model: The published model that answers, which knows devices; None for none.
    """
    if customer is None and device is not None and model is not None:
        return owner_of(model, device)
    return customer
