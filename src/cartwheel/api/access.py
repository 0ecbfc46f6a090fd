"""Who may call a route: an API key with the scope, or a signed-in person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter

from cartwheel.api.counters import Counters
from cartwheel.api.errors import Refused
from cartwheel.api.keys import Key, KeyRing
from cartwheel.api.security import current_user

WITH_KEY = "Send a key as 'Authorization: Bearer KEY'; an owner makes keys."


def _default_rates() -> dict[str, RateLimitItem]:
    return {
        "events:write": RateLimitItemPerSecond(1000),
        "recommendations:read": RateLimitItemPerSecond(1000),
        "search:read": RateLimitItemPerSecond(1000),
        "support:ask": RateLimitItemPerSecond(20),
        "support:verified": RateLimitItemPerSecond(20),
        "decisions:read": RateLimitItemPerSecond(50),
        "decisions:write": RateLimitItemPerSecond(50),
        "metrics:read": RateLimitItemPerSecond(10),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Most requests one key may make, by scope, and wrong keys from one address."""

    by_scope: Mapping[str, RateLimitItem] = field(default_factory=_default_rates)
    wrong_keys: RateLimitItem = field(
        default_factory=lambda: RateLimitItemPerMinute(60)
    )


class Access:
    """Checks keys, scopes and rates of one server."""

    def __init__(self, ring: KeyRing, rates: Rates) -> None:
        self._ring = ring
        self._rates = rates
        self._limiter = FixedWindowRateLimiter(Counters())

    async def key(self, request: Request, scope: str, *, in_query: bool) -> Key:
        """Return the request's key.

        Args:
            request: The request.
            scope: Scope the key needs.
            in_query: Also accept `?key=`, for beacons, which cannot send headers.

        Raises:
            Refused: 401 without a known key, 403 without the scope, 429 over the rate.
        """
        token = bearer(request)
        if token is None and in_query:
            token = request.query_params.get("key")
        if not token:
            raise _unknown("No API key was sent.", WITH_KEY)
        # An address that guesses keys is stopped before the database is asked.
        address = request.client.host if request.client else ""
        if not self._limiter.test(self._rates.wrong_keys, "wrong", address):
            raise _too_many(self._rates.wrong_keys, "with unknown keys")
        key = await self._ring.find(token)
        if key is None:
            self._limiter.hit(self._rates.wrong_keys, "wrong", address)
            raise _unknown("The API key is unknown or revoked.", WITH_KEY)
        if scope not in key.scopes:
            raise Refused(
                403,
                "scope_missing",
                f"The key {key.name!r} has the scopes {' '.join(sorted(key.scopes))}; "
                f"this needs {scope}.",
                f"Use a key with the scope {scope}.",
            )
        limit = self._rates.by_scope[scope]
        if not self._limiter.hit(limit, scope, key.fingerprint):
            raise _too_many(limit, f"with the key {key.name!r}")
        return key


def bearer(request: Request) -> str | None:
    """Return the token of the Authorization header, or None."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def by_key(scope: str, *, in_query: bool = False) -> Callable[..., Awaitable[Key]]:
    """Return a dependency that lets in keys with a scope."""

    async def check(request: Request) -> Key:
        access: Access = request.app.state.access
        return await access.key(request, scope, in_query=in_query)

    return check


def by_key_or_person(scope: str, *, owner: bool) -> Callable[..., Awaitable[str]]:
    """Return a dependency that lets in keys with a scope, or a signed-in person.

    It gives the actor's name for the record: `key:NAME` or the person's name.

    Args:
        scope: Scope a key needs.
        owner: A person must be an owner.
    """

    async def check(request: Request) -> str:
        access: Access = request.app.state.access
        if bearer(request) is None:
            user = await asyncio.to_thread(current_user, request)
            if user is not None:
                if owner and user.role != "owner":
                    raise Refused(
                        403,
                        "owner_needed",
                        f"{user.name} is a {user.role}; this needs an owner.",
                        "Ask an owner to do it.",
                    )
                return user.name
        key = await access.key(request, scope, in_query=False)
        return f"key:{key.name}"

    return check


def _unknown(message: str, next_step: str) -> Refused:
    return Refused(
        401, "key_needed", message, next_step, headers={"WWW-Authenticate": "Bearer"}
    )


def _too_many(limit: RateLimitItem, whom: str) -> Refused:
    seconds = limit.get_expiry()
    return Refused(
        429,
        "too_many_requests",
        f"Too many requests {whom}; at most {limit.amount} in {seconds} s.",
        "Wait as long as the Retry-After header says, or send larger batches.",
        headers={"Retry-After": str(seconds)},
    )
