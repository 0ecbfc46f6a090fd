"""API keys: made once, shown once, kept only as a fingerprint, limited by scopes."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cartwheel.errors import Misuse, NotFound
from cartwheel.operations import api_keys, now_text, reading

SCOPES: dict[str, str] = {
    "events:write": "Send events; safe to put into a storefront page.",
    "recommendations:read": "Ask for recommendations; safe in a storefront page.",
    "search:read": "Search and ask for suggestions; safe in a storefront page.",
    "support:ask": "Ask support; safe in a storefront page, tells of no order.",
    "support:verified": "Ask support for a verified customer; keep it on your server.",
    "decisions:read": "Read decisions.",
    "decisions:write": "Approve, reject and undo decisions.",
    "metrics:read": "Read the service's metrics.",
}

REFRESH_SECONDS = 2.0
"""A revoked key stops working within this time."""

log = structlog.get_logger("cartwheel.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key as kept; the key itself is not.

    Attributes:
        prefix: First characters, to tell keys apart.
        name: What it is for, in the owner's words; unique among keys in force.
        scopes: What it allows.
        created_at: Instant, UTC text.
        revoked_at: Instant, UTC text, or None while in force.
        fingerprint: SHA-256 of the key.
    """

    prefix: str
    name: str
    scopes: frozenset[str]
    created_at: str
    revoked_at: str | None
    fingerprint: str


def fingerprint(token: str) -> str:
    """Return what is stored in place of a secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_key(engine: Engine, name: str, scopes: list[str]) -> str:
    """Make a key and return it; this is the only time it can be seen.

    Raises:
        Misuse: If the name is empty or taken, or a scope is unknown.
    """
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise Misuse(
            f"scopes is {' '.join(scopes) or 'empty'}.",
            f"Give one or more of: {', '.join(SCOPES)}.",
        )
    if not name.strip() or len(name) > 100:
        raise Misuse(
            f"The key's name has {len(name)} characters; expected 1 to 100.",
            "Name it after its use, such as 'storefront'.",
        )
    if any(key.name == name and not key.revoked_at for key in list_keys(engine)):
        raise Misuse(
            f"A key named {name!r} is in force.", "Revoke it first, or choose a name."
        )
    token = "cw_" + secrets.token_urlsafe(32)
    with engine.begin() as connection:
        connection.execute(
            insert(api_keys).values(
                key_hash=fingerprint(token),
                prefix=token[:9],
                name=name,
                scopes=" ".join(sorted(set(scopes))),
                created_at=now_text(),
            )
        )
    return token


def list_keys(engine: Engine) -> list[Key]:
    """Return every key ever made, oldest first."""
    query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_hash)
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
    return [
        Key(
            prefix=row["prefix"],
            name=row["name"],
            scopes=frozenset(row["scopes"].split()),
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
            fingerprint=row["key_hash"],
        )
        for row in rows
    ]


def revoke_key(engine: Engine, name_or_prefix: str) -> Key:
    """End a key; running servers refuse it within `REFRESH_SECONDS`.

    Raises:
        NotFound: If no key in force has this name or prefix.
    """
    for key in list_keys(engine):
        if key.revoked_at is None and name_or_prefix in (key.name, key.prefix):
            with engine.begin() as connection:
                connection.execute(
                    update(api_keys)
                    .where(api_keys.c.key_hash == key.fingerprint)
                    .values(revoked_at=now_text())
                )
            return key
    raise NotFound(
        f"No key in force is named {name_or_prefix!r}.",
        "List the keys and name one of them.",
    )


class KeyRing:
    """The keys in force, held in memory so that a lost database locks nobody out.

    Read again after `REFRESH_SECONDS`, and at once (at most five times a second) for
    a key it does not know, so that a new key works immediately.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys: dict[str, Key] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, token: str) -> Key | None:
        """Return the key in force, or None."""
        wanted = fingerprint(token)
        age = time.monotonic() - self._read_at
        known = wanted in self._keys
        if age > (REFRESH_SECONDS if known else 0.2):
            await self._refresh(age)
        return self._keys.get(wanted)

    async def _refresh(self, age: float) -> None:
        async with self._lock:
            if time.monotonic() - self._read_at < age:
                return  # another request read them while this one waited
            try:
                keys = await asyncio.to_thread(list_keys, self._engine)
            except SQLAlchemyError as error:
                log.warning("keys not read, keeping the known ones", error=str(error))
            else:
                self._keys = {k.fingerprint: k for k in keys if k.revoked_at is None}
            self._read_at = time.monotonic()
