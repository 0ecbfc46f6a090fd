"""The scripts for a shop's own pages: their files, less the lines that only comment."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
STOREFRONT, CHAT, PAGE_FIX = "storefront.js", "support.js", "page-fix.js"
CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=86400"
"""A shop's pages carry a new version within minutes and wait for none."""

COMMENT_LINE = re.compile(rb"^ +//.*\n", re.MULTILINE)
"""A line inside a script that says why; the heading, which is not moved in, stays.

No text of a script that runs over lines may hold such a line.
"""

router = APIRouter(include_in_schema=False)


class Snippet(NamedTuple):
    """The script, plain and packed."""

    plain: bytes
    packed: bytes
    etag: str


@cache
def read_snippet(name: str = STOREFRONT) -> Snippet:
    """Return a script as a page loads it; it is read and packed once.

    Args:
        name: Its file.
    """
    plain = COMMENT_LINE.sub(b"", (FOLDER / name).read_bytes())
    digest = hashlib.blake2b(plain, digest_size=12).hexdigest()
    # Without a date in it, so that every replica sends the same bytes.
    return Snippet(plain, gzip.compress(plain, 9, mtime=0), digest)


@router.api_route("/storefront.js", methods=["GET", "HEAD"])
async def get_snippet(request: Request) -> Response:
    """Return what reports events and fills slots."""
    return _script(request, STOREFRONT)


@router.api_route("/support.js", methods=["GET", "HEAD"])
async def get_chat(request: Request) -> Response:
    """Return the chat."""
    return _script(request, CHAT)


@router.api_route("/page-fix.js", methods=["GET", "HEAD"])
async def get_page_fix(request: Request) -> Response:
    """Return what shows a page fix to a part of the visitors."""
    return _script(request, PAGE_FIX)


def _script(request: Request, name: str) -> Response:
    """Return a script, packed for whoever reads gzip, or 304 when it is known."""
    snippet = read_snippet(name)
    packed = "gzip" in request.headers.get("accept-encoding", "").lower()
    # Other bytes are another representation and need a tag of their own.
    etag = f'"{snippet.etag}{"-gz" if packed else ""}"'
    headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag in (tag.strip() for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(
        snippet.packed if packed else snippet.plain,
        media_type="text/javascript",
        headers=headers,
    )
