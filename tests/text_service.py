"""A text service on this machine for tests: it answers over the real wire, as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Play = Callable[["Handler"], None]


class FakeService(ThreadingHTTPServer):
    """Answers each request with the next of its plays, the last one again and again.

    Attributes:
        plays: What it does, request by request.
        heard: Bodies of the requests.
        headers: Headers of the requests.
        paths: Paths of the requests.
        over: Set when it closes; slow plays wait for it.
    """

    daemon_threads = True

    def __init__(self, plays: Sequence[Play]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plays = list(plays)
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def facts(self, at: int = -1) -> list[dict[str, str]]:
        """Return the facts that a request sent."""
        sent = json.loads(self.heard[at]["messages"][1]["content"])
        found: list[dict[str, str]] = sent["facts"]
        return found

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the play."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: FakeService

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append(json.loads(body))
        self.server.headers.append({k.lower(): v for k, v in self.headers.items()})
        self.server.paths.append(self.path)
        at = min(len(self.server.heard), len(self.server.plays)) - 1
        self.server.plays[at](self)

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def text_service(*plays: Play) -> Iterator[FakeService]:
    """Run a service while a test needs it."""
    service = FakeService(plays)
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        service.shutdown()
        service.server_close()
        thread.join()


def completion(content: object) -> bytes:
    """Return a chat completion that says something."""
    message = {"role": "assistant", "content": content}
    return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


def says(*sentences: tuple[str, Sequence[str]]) -> Play:
    """Answer with sentences and the ids of facts they cite."""
    listed = [{"text": text, "facts": list(facts)} for text, facts in sentences]
    return raw(json.dumps({"sentences": listed}))


def raw(content: object) -> Play:
    """Answer with a chat completion that says anything."""
    return lambda one: one.answer(completion(content))


def every_fact(service_says: Callable[[dict[str, str]], str]) -> Play:
    """Answer with one sentence a fact, made from it."""

    def play(one: Handler) -> None:
        listed = [
            {"text": service_says(fact), "facts": [fact["id"]]}
            for fact in one.server.facts()[:6]
        ]
        one.answer(completion(json.dumps({"sentences": listed})))

    return play


def status(code: int, body: bytes = b"no", **headers: str) -> Play:
    """Answer with a status."""
    return lambda one: one.answer(body, code, **headers)


def never(one: Handler) -> None:
    """Answer only when the test is over."""
    one.server.over.wait()


def drips(one: Handler) -> None:
    """Send one byte after the other, for a long while or until the test is over."""
    one.send_response(200)
    one.send_header("Content-Type", "application/json")
    one.end_headers()
    for _ in range(100):
        if one.server.over.wait(0.02):
            return
        one.wfile.write(b" ")
        one.wfile.flush()
