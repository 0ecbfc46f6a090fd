"""A small IMAP server on this machine, for tests; it can misbehave."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PASSWORD = 'a "secret" \\ word'


@dataclass(kw_only=True)
class Served:
    """What the server holds and how it behaves.

    Attributes:
        mails: Messages by UID.
        folders: Folders there are, as IMAP writes them.
        validity: UIDVALIDITY.
        drop_at: UID of the message within which the connection ends.
        literal: Size that is claimed for every message; None for the true one.
        sizes: Sizes that are told instead of the true ones.
        gone: UIDs that are listed and no longer there.
        refuse: What is answered NO.
        garbage: What is said instead of a greeting.
        said: Every line a client sent.
        port: Where it listens.
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    folders: tuple[str, ...] = ("INBOX",)
    validity: int = 7
    drop_at: int = 0
    literal: int | None = None
    sizes: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    refuse: str = ""
    garbage: bytes = b""
    said: list[str] = field(default_factory=list)
    port: int = 0


def make_certificate(folder: Path) -> Path:
    """Make a certificate of 127.0.0.1 with its key in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    path = folder / "server.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9"),
            *("-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(
        (folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes()
    )
    return path


@contextmanager
def serving(certificate: Path, served: Served) -> Iterator[Served]:
    """Serve until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    served.port = listener.getsockname()[1]
    thread = threading.Thread(target=_accept, args=(listener, context, served))
    thread.start()
    try:
        yield served
    finally:
        # Wakes the thread that waits for the next client.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=30)
        assert not thread.is_alive()


def _accept(listener: socket.socket, context: ssl.SSLContext, served: Served) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        plain.settimeout(30)
        with (
            suppress(OSError),
            plain,
            context.wrap_socket(plain, server_side=True) as client,
        ):
            _serve(client, served)


def _serve(client: ssl.SSLSocket, served: Served) -> None:
    if served.garbage:
        client.sendall(served.garbage)
        return
    client.sendall(b"* OK ready\r\n")
    with client.makefile("rb") as lines:
        for raw in lines:
            line = raw.decode().rstrip("\r\n")
            served.said.append(line)
            tag, _, rest = line.partition(" ")
            answer = _answer(rest, served)
            if answer is None:
                client.sendall(_half(rest, served))
                return
            client.sendall(answer.replace(b"TAG", tag.encode(), 1))
            if rest == "LOGOUT":
                return


def _answer(rest: str, served: Served) -> bytes | None:
    """Return what a command is answered, None for half a message and the end."""
    if served.refuse and rest.startswith(served.refuse):
        return b"TAG NO refused\r\n"
    if rest == "CAPABILITY":
        return b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n"
    if rest == "LOGOUT":
        return b"* BYE\r\nTAG OK done\r\n"
    if rest.startswith("LOGIN "):
        wanted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        right = rest.endswith(f' "{wanted}"')
        return b"TAG OK in\r\n" if right else f"TAG NO {rest}\r\n".encode()
    if rest.startswith("EXAMINE "):
        if rest[9:-1] not in served.folders:
            return b"TAG NO no such folder\r\n"
        return (
            f"* {len(served.mails)} EXISTS\r\n"
            f"* OK [UIDVALIDITY {served.validity}] valid\r\n"
            "TAG OK [READ-ONLY] done\r\n"
        ).encode()
    if found := re.fullmatch(r"UID FETCH (\d+):\* \(RFC822\.SIZE\)", rest):
        return _sizes(int(found[1]), served)
    if found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]\)", rest):
        return _message(int(found[1]), served)
    return b"TAG BAD unknown\r\n"


def _sizes(first: int, served: Served) -> bytes:
    newest = max(served.mails, default=0)
    lines = [
        f"* {at} FETCH (RFC822.SIZE {served.sizes.get(uid, len(body))} UID {uid})\r\n"
        for at, (uid, body) in enumerate(sorted(served.mails.items()), 1)
        if uid >= min(first, newest)
    ]
    return "".join([*lines, "TAG OK done\r\n"]).encode()


def _message(uid: int, served: Served) -> bytes | None:
    if uid in served.gone:
        return b"TAG OK nothing\r\n"
    if uid == served.drop_at:
        return None
    body = served.mails[uid]
    size = len(body) if served.literal is None else served.literal
    head = f"* 1 FETCH (UID {uid} BODY[] {{{size}}}\r\n".encode()
    return head + body + b")\r\nTAG OK done\r\n"


def _half(rest: str, served: Served) -> bytes:
    uid = int(rest.split()[2])
    body = served.mails[uid]
    head = f"* 1 FETCH (UID {uid} BODY[] {{{len(body)}}}\r\n".encode()
    return head + body[: len(body) // 2]
