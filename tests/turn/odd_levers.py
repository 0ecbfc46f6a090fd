"""Levers that misbehave."""

import os
import threading

from cartwheel.levers.base import (
    Autonomy,
    Decision,
    Floor,
    Group,
    Kind,
    Model,
    Rule,
)
from cartwheel.levers.report import Report


class Odd:
    title, group, reads, writes = "Odd", Group.GROWTH, (), ()
    floor = Floor(needs=(), meanwhile="nothing happens")

    def __init__(self):
        self.kinds = (
            Kind(name=f"{self.name}-kind", title="Odd", autonomy=Autonomy.SUGGEST),
        )

    def learn(self, data, previous, *, seed):
        return Model(rule="own")

    def emit(self, model, data):
        return {}

    def decide(self, model, data, *, seed):
        yield Decision(
            kind=f"{self.name}-kind",
            subject="placement:home",
            action={"by": model.rule},
            reason="Because.",
        )

    def fallback(self):
        return Rule(name="rule", doc="Rule.", model=lambda d: Model(rule="rule"))

    def report(self, model, data):
        return Report(summary="Odd.")


class Slow(Odd):
    name = "odd-slow"

    def learn(self, data, previous, *, seed):
        threading.Event().wait(600)


class Raises(Odd):
    name = "odd-raises"

    def learn(self, data, previous, *, seed):
        raise ZeroDivisionError("by nothing")


class Dies(Odd):
    name = "odd-dies"

    def learn(self, data, previous, *, seed):
        os._exit(9)


class Doomed(Odd):
    name = "odd-doomed"

    def decide(self, model, data, *, seed):
        os._exit(9)


class Garbage(Odd):
    name = "odd-garbage"

    def decide(self, model, data, *, seed):
        value = {1, 2} if model.rule == "own" else 3
        yield Decision(
            kind="odd-garbage-kind",
            subject="placement:home",
            action={"by": value},
            reason="Because.",
        )


class NotANumber(Odd):
    name = "odd-nan"

    def decide(self, model, data, *, seed):
        yield Decision(
            kind="odd-nan-kind",
            subject="placement:home",
            action={"by": float("nan")},
            reason="Because.",
        )
