"""People of the console: users, passwords, sessions, one-time sign-in links.

Secrets are random 32-byte tokens, stored only as SHA-256; passwords as Argon2id. A
check of a password takes a fixed long time and 64 MB, so one runs at a time and the
attempts are limited. Run `sign_in` and `create_user` in a thread.
"""

from __future__ import annotations

import functools
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from starlette.responses import Response

from cartwheel.api.errors import Refused, SignInNeeded
from cartwheel.api.keys import fingerprint
from cartwheel.errors import Conflict, Misuse, NotFound
from cartwheel.operations import now_text, reading, sessions, sign_in_links, users

COOKIE = "cartwheel_session"
SESSION_DAYS = 14
MINIMUM_PASSWORD = 10
ATTEMPTS = RateLimitItemPerMinute(8, 5)
"""Password attempts for one name: 8 in 5 minutes."""

Role = Literal["owner", "viewer"]

_hasher = PasswordHasher()
_one_at_a_time = threading.Lock()
_attempts = MovingWindowRateLimiter(MemoryStorage())


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person of the console.

    Attributes:
        name: Sign-in name.
        role: "owner" may change things, "viewer" may look.
    """

    name: str
    role: str


def create_user(
    engine: Engine, name: str, role: Role, password: str | None = None
) -> User:
    """Create a user; without a password they sign in by link only.

    Raises:
        Misuse: If the name, role or password does not fit.
        Conflict: If the name is taken.
    """
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise Misuse(
            f"The user name {name[:100]!r} is empty, too long or not printable.",
            "Choose 1 to 100 printable characters.",
        )
    if role not in ("owner", "viewer"):
        raise Misuse(f"role is {role}.", "Choose owner or viewer.")
    values = {
        "name": name,
        "role": role,
        "password_hash": _hash(password) if password is not None else None,
        "created_at": now_text(),
    }
    try:
        with engine.begin() as connection:
            connection.execute(insert(users).values(**values))
    except IntegrityError:
        raise Conflict(
            f"A user named {name!r} exists.", "Choose another name."
        ) from None
    return User(name=name, role=role)


def set_password(engine: Engine, name: str, password: str) -> None:
    """Set a user's password and end all their sessions.

    Raises:
        Misuse: If the password is too short.
        NotFound: If there is no such user.
    """
    hashed = _hash(password)
    with engine.begin() as connection:
        changed = connection.execute(
            update(users).where(users.c.name == name).values(password_hash=hashed)
        )
        if changed.rowcount == 0:
            raise _no_user(name)
        connection.execute(delete(sessions).where(sessions.c.user == name))


def list_users(engine: Engine) -> list[User]:
    """Return every user, by name."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(users.c.name, users.c.role).order_by(users.c.name)
        ).all()
    return [User(name=row.name, role=row.role) for row in rows]


def sign_in(engine: Engine, name: str, password: str) -> str:
    """Check a password and return a new session's token.

    Takes about 0.3 s; run it in a thread.

    Raises:
        Refused: 401 if name or password is wrong (never saying which), 429 after too
            many attempts for this name.
    """
    if not _attempts.hit(ATTEMPTS, str(engine.url), name[:100]):
        raise Refused(
            429,
            "too_many_attempts",
            "Too many sign-in attempts for this name.",
            "Wait five minutes, or ask for a sign-in link with: cartwheel serve.",
            headers={"Retry-After": "300"},
        )
    with reading(engine) as connection:
        row = connection.execute(
            select(users.c.password_hash).where(users.c.name == name)
        ).first()
    stored = row.password_hash if row is not None else None
    right = _verify(stored or _decoy(), password)
    if not right or stored is None:
        raise Refused(
            401,
            "wrong_password",
            "The name or the password is wrong.",
            "Try again, or ask an owner for a sign-in link.",
        )
    if _hasher.check_needs_rehash(stored):
        with engine.begin() as connection:
            connection.execute(
                update(users)
                .where(users.c.name == name)
                .values(password_hash=_hash(password))
            )
    with engine.begin() as connection:
        return _open_session(connection, name)


def sign_out(engine: Engine, token: str) -> None:
    """End a session; an unknown one is no error."""
    with engine.begin() as connection:
        connection.execute(
            delete(sessions).where(sessions.c.token_hash == fingerprint(token))
        )


def make_sign_in_link(engine: Engine, user: str, minutes: int = 30) -> str:
    """Return the token of a link that signs `user` in once.

    Raises:
        NotFound: If there is no such user.
    """
    token = secrets.token_urlsafe(32)
    with engine.begin() as connection:
        if (
            connection.execute(select(users.c.name).where(users.c.name == user)).first()
            is None
        ):
            raise _no_user(user)
        connection.execute(
            insert(sign_in_links).values(
                token_hash=fingerprint(token),
                user=user,
                expires_at=_in(timedelta(minutes=minutes)),
            )
        )
    return token


def use_sign_in_link(engine: Engine, token: str) -> str:
    """Use a sign-in link up and return a new session's token.

    Of two uses at once exactly one wins: the update counts only unused links.

    Raises:
        Refused: 401 if the link is unknown, used or expired.
    """
    wanted = fingerprint(token)
    with engine.begin() as connection:
        used = connection.execute(
            update(sign_in_links)
            .where(
                sign_in_links.c.token_hash == wanted,
                sign_in_links.c.used_at.is_(None),
                sign_in_links.c.expires_at > now_text(),
            )
            .values(used_at=now_text())
        )
        if used.rowcount == 1:
            user = connection.execute(
                select(sign_in_links.c.user).where(sign_in_links.c.token_hash == wanted)
            ).scalar_one()
            return _open_session(connection, user)
    raise Refused(
        401,
        "link_spent",
        "This sign-in link is unknown, used or expired.",
        "Ask for a new one; each works once.",
    )


def find_session(engine: Engine, token: str) -> User | None:
    """Return whose session a token opens, or None."""
    query = (
        select(users.c.name, users.c.role)
        .join(sessions, sessions.c.user == users.c.name)
        .where(
            sessions.c.token_hash == fingerprint(token),
            sessions.c.expires_at > now_text(),
        )
    )
    with reading(engine) as connection:
        row = connection.execute(query).first()
    return None if row is None else User(name=row.name, role=row.role)


def current_user(request: Request) -> User | None:
    """Return the signed-in person of a request, or None; looked up once a request."""
    known: Any = getattr(request.state, "user", "unknown")
    if known == "unknown":
        token = request.cookies.get(COOKIE)
        engine: Engine = request.app.state.shop.database
        known = find_session(engine, token) if token else None
        request.state.user = known
    found: User | None = known
    return found


def viewer(request: Request) -> User:
    """Dependency of a page or route that any signed-in person may see.

    Raises:
        SignInNeeded: Leads a browser to /sign-in; a program gets 401.
    """
    user = current_user(request)
    if user is None:
        raise SignInNeeded
    return user


def owner(user: Annotated[User, Depends(viewer)]) -> User:
    """Dependency of a route only an owner may use.

    Raises:
        Refused: 403 for a viewer.
    """
    if user.role != "owner":
        raise Refused(
            403,
            "owner_needed",
            f"{user.name} is a {user.role}; this needs an owner.",
            "Ask an owner to do it, or to change your role.",
        )
    return user


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    """Put a session's token into the answer's cookie."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_DAYS * 86400,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


def clear_session_cookie(response: Response) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


def _open_session(connection: Connection, user: str) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now_text()))
    connection.execute(
        insert(sessions).values(
            token_hash=fingerprint(token),
            user=user,
            expires_at=_in(timedelta(days=SESSION_DAYS)),
        )
    )
    return token


def _hash(password: str) -> str:
    if not MINIMUM_PASSWORD <= len(password) <= 1000:
        raise Misuse(
            f"The password has {len(password)} characters; "
            f"expected {MINIMUM_PASSWORD} to 1000.",
            "Choose a longer one, such as four words.",
        )
    with _one_at_a_time:
        return _hasher.hash(password)


def _verify(stored: str, password: str) -> bool:
    with _one_at_a_time:
        try:
            return _hasher.verify(stored, password[:1000])
        except (VerificationError, InvalidHashError):
            return False


@functools.cache
def _decoy() -> str:
    # Checked when the name is unknown, so that both cases take the same time.
    return _hasher.hash(secrets.token_urlsafe(16))


def _in(span: timedelta) -> str:
    return (datetime.now(UTC) + span).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _no_user(name: str) -> NotFound:
    return NotFound(f"There is no user named {name!r}.", "List the users first.")
