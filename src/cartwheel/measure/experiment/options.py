"""Arms that differ in an option of a lever, or in a link that is cut in one of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cartwheel.measure.experiment.trial import CONTROL, TREATED, Trial

if TYPE_CHECKING:
    from cartwheel.signals.base import ShopContext

_OPTIONS = {
    "recommend": ("cartwheel.levers.recommend.model", "Options"),
    "search": ("cartwheel.levers.search.options", "Options"),
    "lifecycle": ("cartwheel.levers.lifecycle.lever", "Options"),
    "price": ("cartwheel.levers.price.choice", "Options"),
    "content": ("cartwheel.levers.content.options", "Options"),
    "replenish": ("cartwheel.levers.replenish.reorder_math", "Terms"),
}
"""Where the options of our own levers are declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option that arms can differ in.

    Attributes:
        name: Name under `levers.LEVER`.
        default: Its value where the shop sets none.
        doc: What it is, one sentence.
    """

    name: str
    default: Any
    doc: str


def options_of(lever: str) -> tuple[str, ...] | None:
    """Return the names of a lever's options; None where nothing declares them.

    Args:
        lever: Name of the lever.
    """
    found = declared_options(lever)
    return None if found is None else tuple(one.name for one in found)


def declared_options(lever: str) -> tuple[Option, ...] | None:
    """Return a lever's options as it declares them; None where nothing does."""
    if lever not in _OPTIONS:
        return None
    module, name = _OPTIONS[lever]
    declared: Any = getattr(import_module(module), name)
    said = _attributes(inspect.getdoc(declared) or "")
    return tuple(
        Option(name=one.name, default=one.default, doc=said.get(one.name, ""))
        for one in fields(declared)
        # Arms are numbers; an option that is text, such as a folder, has none.
        if not isinstance(one.default, str)
    )


def _attributes(doc: str) -> dict[str, str]:
    """Return what a docstring's section of attributes says, by name."""
    _, _, section = doc.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.partition("\n\n")[0].splitlines():
        begun = re.match(r"    (\w+): (.*)", line)
        if begun is not None:
            name = begun.group(1)
            found[name] = begun.group(2)
        elif name:
            found[name] += f" {line.strip()}"
    return found


def variant_of(lever: str) -> str:
    """Return the name under which a turn stages what a lever does for the arm."""
    return f"{lever}@{TREATED}"


def option_trial(trials: Iterable[Trial], lever: str) -> Trial | None:
    """Return the experiment with two models of a lever; it has one at a time."""
    found = (one for one in trials if one.lever == lever and one.two_models)
    return next(found, None)


def with_arm(context: ShopContext, trial: Trial | None, arm: str) -> ShopContext:
    """Return what a lever may know of the shop, its option set as an arm has it.

    Args:
        context: The shop's own.
        trial: Experiment on the lever; without an option all stays as it is.
        arm: "control" or "treated".
    """
    if trial is None or not trial.option:
        return context
    value = value_of(trial, arm)
    own = {**context.options.get(trial.lever, {}), trial.option: value}
    return replace(context, options={**context.options, trial.lever: own})


def cuts_with(cuts: Iterable[str], trial: Trial | None, arm: str) -> tuple[str, ...]:
    """Return the links that are cut where an arm is decided for.

    Args:
        cuts: Links the shop has cut for everybody.
        trial: Experiment on the lever; without a link nothing more is cut.
        arm: "control" or "treated".
    """
    own = tuple(cuts)
    if trial is None or not trial.link or arm == CONTROL or trial.link in own:
        return own
    return (*own, trial.link)


def links_of(lever: str) -> tuple[str, ...]:
    """Return the links of the wheel that a lever reads, by name; none if unknown."""
    from cartwheel.wheel import ARROW, find_levers

    found = find_levers().get(lever)
    if found is None:
        return ()
    return tuple(sorted(f"{signal.name}{ARROW}{lever}" for signal in found.reads))


def value_of(trial: Trial, arm: str) -> float:
    """Return an arm's value of the option; a whole number without decimals."""
    value = trial.control_value if arm == CONTROL else trial.arm_value
    if value is None:
        raise ValueError(f"{trial.name} has no value of {trial.option} for {arm}")
    return int(value) if float(value).is_integer() else value
