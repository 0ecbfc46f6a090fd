"""Serves the storefront, here or as a process beside the API.

`python -m cartwheel.storefront.serve SHOP HOST PORT API`
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cartwheel.child_process import die_with_parent
from cartwheel.errors import CartwheelError, Failure
from cartwheel.shop import open_shop

if TYPE_CHECKING:
    from cartwheel.shop import Shop

KEY_FILE = "storefront.key"
"""File of the shop's folder with the key that stands in the pages."""


def serve(shop: Shop, *, host: str, port: int, api: str) -> None:
    """Serve until stopped.

    Raises:
        Misuse: If the shop is no demo shop, or `api` no address.
        Failure: If the address cannot be listened on.
    """
    import uvicorn

    from cartwheel.storefront.app import create_app

    app = create_app(shop, api=api, key=read_key(shop.folder))
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        timeout_graceful_shutdown=3,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def read_key(folder: Path) -> str:
    """Return the key that stands in the pages, "" for none."""
    path = folder / KEY_FILE
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise Failure(
            f"Port {port} on {host} cannot be used: {error.strerror or error}.",
            "Choose another with --storefront-port, or end the program that has it.",
        ) from error
    return listening


def main(arguments: list[str]) -> int:
    """Serve beside the API; return the exit code."""
    folder, host, port, api = arguments
    try:
        serve(open_shop(Path(folder)), host=host, port=int(port), api=api)
    except CartwheelError as error:
        print(f"storefront: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    die_with_parent()
    sys.exit(main(sys.argv[1:]))
