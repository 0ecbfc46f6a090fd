"""Errors an operator can act on.

    CartwheelError
    ├── Misuse        the command, request or settings are wrong (exit code 2, HTTP 400)
    │   ├── NotFound      the thing named does not exist (HTTP 404)
    │   └── Conflict      it cannot be done in the present state (HTTP 409)
    └── Failure       the request was fine, carrying it out failed (exit code 1, 500)
        └── Busy          somebody else holds the shop; try again (HTTP 503)

A programmer's misuse raises `ValueError` or `TypeError`. Every message says what is
wrong, the value received and what is accepted; `next_step` says what to do about it.
"""

from __future__ import annotations


class CartwheelError(Exception):
    """Something an operator can act on.

    Args:
        message: What is wrong, with the value received and what is accepted.
        next_step: What to do about it, one sentence.
    """

    exit_code = 1
    status = 500
    code = "failure"

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message, next_step)  # both, so that it survives pickling
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


class Misuse(CartwheelError):
    """The command, request or settings are wrong."""

    exit_code = 2
    status = 400
    code = "misuse"


class NotFound(Misuse):
    """The thing named does not exist."""

    status = 404
    code = "not_found"


class Conflict(Misuse):
    """The thing cannot be done in the present state."""

    status = 409
    code = "conflict"


class Failure(CartwheelError):
    """The request was fine but carrying it out failed."""


class Busy(Failure):
    """Another process is doing this; trying again later will work."""

    status = 503
    code = "busy"
