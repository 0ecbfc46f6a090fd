"""A mailbox of 100 MB: how long its import takes, and in how much memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import numpy as np

from bench.measure import Figure, Plan, cartwheel, run
from cartwheel.shop import make_shop

SIZE, QUICK_SIZE = 100_000_000, 2_000_000
MOST_MB = 1000.0
WITH_PICTURE = 20
"""One letter in so many has a picture of 150 kB."""

WORDS = (
    *("parcel", "shirt", "order", "small", "late", "broken", "colour", "please", "the"),
    *("my", "arrived", "too", "when", "does", "it", "fit", "return", "refund", "is"),
)


def mail(plan: Plan) -> Iterator[Figure]:
    """Measure the import of one mbox file."""
    file = plan.work / "box.mbox"
    letters = _write(file, QUICK_SIZE if plan.quick else SIZE)
    done = []
    for repeat in range(plan.repeats(2)):
        shop = plan.work / f"mail-{repeat}"
        made = make_shop(shop, currency="EUR", timezone="Europe/Berlin")
        made.database.dispose()
        done.append(
            run(cartwheel("import", "mail", str(file), "--shop", str(shop), "--json"))
        )
    report = json.loads(done[0].stdout)
    assert report["rows_kept"] == letters, report
    size = f"{file.stat().st_size / 1e6:,.0f} MB, {letters:,} letters"
    yield Figure(
        part="mail",
        name="import of an mbox",
        size=size,
        unit="s",
        values=[one.seconds for one in done],
    )
    yield Figure(
        part="mail",
        name="import of an mbox, peak memory",
        size=size,
        unit="MB",
        values=[one.peak_mb for one in done],
        most=None if plan.quick else MOST_MB,
    )


def _write(file: Path, size: int) -> int:
    """Write an mbox file of about so many bytes; return its number of letters."""
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, 150_000, dtype=np.uint8).tobytes()
    (file.parent / "mail.toml").write_text('own = ["help@harbour.example"]')
    count = 0
    with file.open("wb") as out:
        while out.tell() < size:
            letter = EmailMessage()
            letter["From"] = f"customer{count % 9_000}@mail.example"
            letter["To"] = "help@harbour.example"
            letter["Subject"] = f"Order {count}"
            letter["Date"] = "Tue, 03 Mar 2026 10:00:00 +0100"
            letter["Message-ID"] = f"<{count}@mail.example>"
            said = " ".join(rng.choice(WORDS, 150))
            quoted = "\n".join(f"> {line}" for line in [said] * 2)
            letter.set_content(f"{said}\n\nOn 3 Mar 2026 Shop wrote:\n{quoted}\n")
            if count % WITH_PICTURE == 0:
                letter.add_attachment(picture, maintype="image", subtype="jpeg")
            out.write(b"From x@mail.example Tue Mar  3 10:00:00 2026\n")
            out.write(letter.as_bytes() + b"\n\n")
            count += 1
    return count
