from __future__ import annotations

import threading
import uuid

import pytest
from fastapi import Request
from sqlalchemy import select, update

from cartwheel.api import security
from cartwheel.api.errors import Refused
from cartwheel.api.security import (
    User,
    create_user,
    find_session,
    list_users,
    make_sign_in_link,
    set_password,
    set_session_cookie,
    sign_in,
    sign_out,
    use_sign_in_link,
)
from cartwheel.errors import Conflict, Misuse, NotFound
from cartwheel.operations import sessions, sign_in_links, users
from cartwheel.shop import Shop

PASSWORD = "four plain words here"


def test_sign_in_opens_a_session_and_sign_out_ends_it(shop: Shop) -> None:
    create_user(shop.database, "ann", "owner", PASSWORD)
    token = sign_in(shop.database, "ann", PASSWORD)
    assert find_session(shop.database, token) == User(name="ann", role="owner")
    sign_out(shop.database, token)
    assert find_session(shop.database, token) is None


def test_sign_in_wrong_name_or_password_says_the_same(shop: Shop) -> None:
    create_user(shop.database, "ann", "owner", PASSWORD)
    create_user(shop.database, "link only", "viewer")
    said = set()
    for name, password in (("ann", "wrong"), ("bob", PASSWORD), ("link only", "")):
        with pytest.raises(Refused) as caught:
            sign_in(shop.database, name, password)
        said.add((caught.value.status, str(caught.value)))
    assert len(said) == 1


def test_sign_in_attempts_are_limited_even_with_the_right_password(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "_verify", lambda stored, password: False)
    monkeypatch.setattr(security, "_decoy", lambda: "")
    name = uuid.uuid4().hex
    statuses = []
    for _ in range(security.ATTEMPTS.amount + 1):
        with pytest.raises(Refused) as caught:
            sign_in(shop.database, name, "guess")
        statuses.append(caught.value.status)
    assert statuses == [401] * security.ATTEMPTS.amount + [429]


def test_secrets_are_not_stored_as_they_are(shop: Shop) -> None:
    create_user(shop.database, "ann", "owner", PASSWORD)
    link = make_sign_in_link(shop.database, "ann")
    session = use_sign_in_link(shop.database, link)
    with shop.database.connect() as connection:
        stored = repr(
            [
                connection.execute(select(t)).all()
                for t in (users, sessions, sign_in_links)
            ]
        )
    assert "argon2id" in stored
    for secret in (PASSWORD, link, session):
        assert secret not in stored


def test_sign_in_link_works_once(shop: Shop) -> None:
    create_user(shop.database, "ann", "viewer")
    link = make_sign_in_link(shop.database, "ann")
    session = use_sign_in_link(shop.database, link)
    assert find_session(shop.database, session) == User(name="ann", role="viewer")
    with pytest.raises(Refused):
        use_sign_in_link(shop.database, link)


def test_sign_in_link_used_by_many_at_once_works_for_one(shop: Shop) -> None:
    create_user(shop.database, "ann", "viewer")
    link = make_sign_in_link(shop.database, "ann")
    won: list[str] = []
    start = threading.Barrier(4)

    def use() -> None:
        start.wait()
        try:
            won.append(use_sign_in_link(shop.database, link))
        except Refused:
            return

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_sign_in_link_and_session_expire(shop: Shop) -> None:
    create_user(shop.database, "ann", "viewer")
    with pytest.raises(Refused):
        use_sign_in_link(
            shop.database, make_sign_in_link(shop.database, "ann", minutes=0)
        )
    session = use_sign_in_link(shop.database, make_sign_in_link(shop.database, "ann"))
    with shop.database.begin() as connection:
        connection.execute(update(sessions).values(expires_at="2001-01-01"))
    assert find_session(shop.database, session) is None


def test_set_password_ends_sessions(shop: Shop) -> None:
    create_user(shop.database, "ann", "viewer")
    session = use_sign_in_link(shop.database, make_sign_in_link(shop.database, "ann"))
    set_password(shop.database, "ann", PASSWORD)
    assert find_session(shop.database, session) is None
    with pytest.raises(NotFound):
        set_password(shop.database, "bob", PASSWORD)


def test_create_user_refuses_what_does_not_fit(shop: Shop) -> None:
    create_user(shop.database, "ann", "owner")
    with pytest.raises(Conflict):
        create_user(shop.database, "ann", "viewer")
    with pytest.raises(Misuse):
        create_user(shop.database, "", "viewer")
    with pytest.raises(Misuse):
        create_user(shop.database, "bob", "king")  # type: ignore[arg-type]
    with pytest.raises(Misuse, match="10 to 1000"):
        create_user(shop.database, "bob", "viewer", "short")
    with pytest.raises(NotFound):
        make_sign_in_link(shop.database, "bob")
    assert list_users(shop.database) == [User(name="ann", role="owner")]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_session_cookie_is_guarded(scheme: str) -> None:
    from starlette.responses import Response

    request = Request(
        {
            "type": "http",
            "scheme": scheme,
            "headers": [],
            "path": "/",
            "server": ("s", 1),
        }
    )
    response = Response()
    set_session_cookie(request, response, "t")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ("Secure" in cookie) is (scheme == "https")
