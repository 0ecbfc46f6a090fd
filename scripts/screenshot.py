"""Draw the README's screenshot from a running console.

    cartwheel demo                       # prints the address with a sign-in link
    python scripts/screenshot.py 'http://127.0.0.1:8600/sign-in?token=...' \
        docs/images/overview.png

Needs playwright and a Chromium (Debian: apt-get install chromium).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

LARGEST_BYTES = 300_000
ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
]


def draw(link: str, target: Path, *, width: int, height: int, scheme: str) -> None:
    """Sign in by the link and save what the overview shows first.

    Args:
        link: One-time sign-in link.
        target: PNG file to write.
        width: Width of the window in CSS pixels.
        height: Height of the window in CSS pixels.
        scheme: "light" or "dark".
    """
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("No Chromium is installed; get one with: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page.goto(link)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("heading", name="Overview").wait_for()
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(target))
        browser.close()
    size = target.stat().st_size
    if size > LARGEST_BYTES:
        sys.exit(f"{target} has {size:,} bytes; expected at most {LARGEST_BYTES:,}.")
    print(f"{target}: {size:,} bytes")


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("link", help="one-time sign-in link of a running console")
    parser.add_argument("target", type=Path, help="PNG file to write")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=860)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    given = parser.parse_args()
    draw(
        given.link,
        given.target,
        width=given.width,
        height=given.height,
        scheme=given.scheme,
    )


if __name__ == "__main__":
    main()
