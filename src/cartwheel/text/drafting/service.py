"""The adapter: any service that speaks `/chat/completions` as OpenAI's does, over HTTP.

The service is not trusted: no redirect is followed, its answer is read up to a size and
a time, and none of it gets into a message of ours. The key goes into one header and
nowhere else.
"""

from __future__ import annotations

import ipaddress
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cartwheel.errors import Misuse
from cartwheel.text.drafting.port import ServiceFailed, Terms

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 262_144
"""Longest answer that is read."""

MOST_TOKENS = 600
"""Longest draft that is asked for, which bounds what an answer costs."""

WHERE = "levers.content.text_service"


class ChatService:
    """A text service at an address.

    Args:
        terms: Where it is, and how long it may take.

    Raises:
        Misuse: If the address is not HTTPS to a host, or HTTP to this machine; if no
            model is named; or if the key's variable is empty or holds no key.
    """

    def __init__(self, terms: Terms) -> None:
        self.model = terms.model
        self._address = f"{check_address(terms.url)}/chat/completions"
        self._seconds = terms.seconds
        self._key = _key_of(terms.key_variable)
        if not terms.model.strip():
            raise Misuse(
                f"{WHERE} is set, but no model is.",
                f"Name one: {WHERE}_model.",
            )

    def complete(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]
    ) -> str:
        """Return the answer to messages; see `TextService`."""
        import httpx2

        ends = time.monotonic() + self._seconds
        body = {
            "model": self.model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "draft", "strict": True, "schema": schema},
            },
        }
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            # Neither a proxy nor a password file of the machine is asked.
            with (
                httpx2.Client(trust_env=False, follow_redirects=False) as client,
                client.stream(
                    "POST",
                    self._address,
                    content=json.dumps(body).encode(),
                    headers=headers,
                    timeout=self._seconds,
                ) as response,
            ):
                return _said(self._read(response, ends))
        except httpx2.TimeoutException:
            raise ServiceFailed(self._slow()) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServiceFailed(
                f"it could not be reached: {type(error).__name__}"
            ) from None

    def _read(self, response: httpx2.Response, ends: float) -> bytes:
        """Return the body of an answer of the right status, size and time."""
        if response.status_code != 200:
            raise ServiceFailed(f"it answered with status {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ServiceFailed("its answer is packed, which was not asked for")
        read = bytearray()
        for part in response.iter_raw():
            read += part
            if len(read) > MOST_BYTES:
                raise ServiceFailed(f"its answer is over {MOST_BYTES:,} bytes")
            if time.monotonic() > ends:
                raise ServiceFailed(self._slow())
        return bytes(read)

    def _slow(self) -> str:
        return f"it took longer than {self._seconds:g} s"


def check_address(url: str) -> str:
    """Return a service's base address without a slash at its end.

    Raises:
        Misuse: If it is not HTTPS to a host, or HTTP to this machine; or if it holds a
            name, a password, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    bare = not (parts.username or parts.password or parts.query or parts.fragment)
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    if not host or not bare or not safe or not url.isprintable() or " " in url:
        raise Misuse(
            # Not the address itself: somebody may have put a key into it.
            f"{WHERE} is no address that drafts may be asked from.",
            "Expected https://HOST/PATH, or http:// for a service on this machine, "
            "without a password, a query or a fragment.",
        )
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key_of(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Misuse(
            f"The environment variable {variable} holds no key of a text service.",
            f"Set it where the turn runs, or leave {WHERE}_key empty.",
        )
    return key


def _said(body: bytes) -> str:
    """Return what the model said, from the answer that carries it."""
    try:
        said = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ServiceFailed("its answer is no chat completion") from None
    if not isinstance(said, str):
        raise ServiceFailed("its answer is no chat completion")
    return said
