"""Drafts of the offline writer, checked twice and laid open: `python -m bench.drafts`.

Protocol:

- Facts: the manuals of six invented shops under `labels/support*`, written for the
  bench `support` and not for this one, and reviews of clothing for size notes.
- Objections are made, see `bench/drafts_made.py`: each product has each class once.
- A draft counts once by shop, form, heading and lines: the shop's terms are the same
  words on page after page.
- The claim check reads what the lever decided, as the gate does. The second check, see
  `bench/drafts_sources.py`, looks each source up in the manual and compares words.
- What a reader found in the sample stands in `labels/drafts.json`, by the draft's
  hash: "" where each line is said by its source also as it stands there, under its
  heading and on its page, else what is not. A draft that changed is not read.
- The sample to be read takes a draft of each form in turn, in the order of a hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.clothing import SET, read_rows
from bench.drafts_made import Written, from_manual, from_reviews
from bench.drafts_read import OUTLINE, PHOTOS, Draft
from bench.drafts_sources import FRAME, PHRASES, unsupported, word_for_word
from bench.support_sets import LABELS, read_manual

SAMPLE = 50
READING = LABELS / "drafts.json"
UNREAD = "Not read yet."


def main() -> int:
    """Print the page; 1 where a line says what its source does not."""
    written = [
        from_manual(folder.name, read_manual(folder))
        for folder in sorted(one.parent for one in LABELS.rglob("manual.json"))
    ]
    data = Path(os.environ.get("CARTWHEEL_DATA", "../shared/data")) / SET
    if data.is_dir():
        written.append(from_reviews(read_rows(data)))
        skipped = ""
    else:
        skipped = f"Size notes from reviews are left out: CARTWHEEL_DATA has no {SET}."
    print("\n".join(page(written, skipped)))
    drafts = [one for shop in written for one in shop.drafts]
    return int(any(failing(one) for one in drafts))


def failing(draft: Draft) -> list[tuple[int, tuple[str, ...]]]:
    """Return the lines that say what their source does not: place and words."""
    found = []
    for place, (line, source) in enumerate(
        zip(draft.lines, draft.sources, strict=True)
    ):
        words = unsupported(line, source) if line.sources else ()
        if words:
            found.append((place, words))
    return found


def sample(drafts: Sequence[Draft], most: int = SAMPLE) -> list[Draft]:
    """Return drafts to read, a form after the other, in the order of a hash.

    Args:
        drafts: All drafts.
        most: Drafts at most.
    """
    waiting: dict[str, list[Draft]] = {}
    for one in sorted(drafts, key=digest_of):
        waiting.setdefault(one.form, []).append(one)
    found: list[Draft] = []
    while len(found) < most and any(waiting.values()):
        for form in sorted(waiting):
            if waiting[form] and len(found) < most:
                found.append(waiting[form].pop(0))
    return sorted(found, key=lambda one: (one.form, digest_of(one)))


def digest_of(draft: Draft) -> str:
    """Return what a draft is known by: shop, product, form and lines."""
    said = "\n".join([draft.shop, draft.about, draft.form, *map(repr, draft.lines)])
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def page(written: Sequence[Written], skipped: str) -> Iterator[str]:
    """Yield the page's lines.

    Args:
        written: What was drafted, by shop.
        skipped: Why the reviews are left out, "" where they are not.
    """
    drafts = [one for shop in written for one in shop.drafts]
    facts = [one for one in drafts if one.form != PHOTOS]
    yield "# Drafts of the offline writer, to be read"
    yield ""
    yield (
        f"{len(facts):,} drafts that state facts, and {len(drafts) - len(facts)} lists "
        "of photographs to take, which state none, by the offline writer of the lever "
        "[content](content.md). Printed by `python -m bench.drafts`; protocol in "
        "`bench/drafts.py`. The facts are those of invented shops, whose manuals were "
        "written for `python -m bench support`, and of reviews of clothing (CC0). The "
        f"objections are made: each product has each class once. {skipped}".rstrip()
    )
    yield ""
    yield from _counts(written)
    yield from _first(written)
    yield from _second(drafts)
    yield from _to_read(drafts)


def _counts(written: Sequence[Written]) -> Iterator[str]:
    shops = [one.shop for one in written]
    count = Counter((one.form, one.shop) for shop in written for one in shop.drafts)
    forms = sorted({form for form, _ in count} | {OUTLINE})
    yield f"| form | all | {' | '.join(shops)} |"
    yield f"|---|---:|{'---:|' * len(shops)}"
    for form in forms:
        each = [count[form, shop] for shop in shops]
        cells = [f"{sum(each)}", *(str(one or "") for one in each)]
        yield f"| {form} | {' | '.join(cells)} |"
    each = [len(one.drafts) for one in written]
    yield f"| **all** | {' | '.join(map(str, (sum(each), *each)))} |"
    yield ""
    repeated = sum(one.repeated for one in written)
    yield (
        f"{repeated:,} more say word for word what a draft counted above says, and are "
        "left out. An outline needs five products on sale in a category and two "
        "attributes that divide them; where none stands above, no shop has these. A "
        "structured data file is what stands beside a page on which a fix was put."
    )
    yield ""


def _first(written: Sequence[Written]) -> Iterator[str]:
    drafts = [one for shop in written for one in shop.drafts]
    blocked = [(one, why) for one in drafts for why in one.blocked]
    kept_out = [
        (shop.shop, text, why) for shop in written for text, why in shop.kept_out
    ]
    yield "## Claim check"
    yield ""
    yield (
        f"It read {sum(one.read for one in drafts):,} sentences and cells of tables "
        f"and blocked {len(blocked):,}. Before that the writer's own pass of the same "
        f"check had kept {len(kept_out):,} lines out. It reads no photographs, no "
        "outlines and no structured data."
    )
    yield ""
    for draft, why in blocked:
        yield f"- Blocked in {draft.shop}, {draft.about}: {why}"
    for shop, text, why in kept_out:
        yield f"- Kept out in {shop}: “{_flat(text)}” ({why})"
    yield ""


def _second(drafts: Sequence[Draft]) -> Iterator[str]:
    pairs = [
        (line, source)
        for one in drafts
        for line, source in zip(one.lines, one.sources, strict=True)
        if line.sources
    ]
    exact = sum(word_for_word(line, source) for line, source in pairs)
    wrong = [(one, *fault) for one in drafts for fault in failing(one)]
    yield "## Second check"
    yield ""
    yield (
        "Each number, and each word longer than three letters, of a line that states a "
        "fact must stand in the source that the line cites, looked up in the shop's "
        f"manual. Of {len(pairs):,} lines {len(wrong):,} fail; {exact:,} stand in the "
        "source word for word. A number may stand there as often as in the source. "
        "It does not see words in another order, nor what was left out."
    )
    yield ""
    yield "Words of the writer's own that are let through:"
    yield ""
    for kind, words in FRAME.items():
        phrase = f", “{PHRASES[kind]}”" if kind in PHRASES else ""
        yield f"- {kind}: {', '.join(sorted(words))}{phrase}"
    yield ""
    for draft, place, words in wrong:
        yield (
            f"- Fails in {draft.shop}, {draft.about}, {draft.form}: "
            f"“{_flat(draft.lines[place].text)}” has {', '.join(words)}; source: "
            f"“{_flat(draft.sources[place])}”"
        )
    if wrong:
        yield ""


def _to_read(drafts: Sequence[Draft]) -> Iterator[str]:
    chosen = sample(drafts)
    reading: Mapping[str, str] = json.loads(READING.read_text("utf-8"))
    told = [reading.get(digest_of(one)) for one in chosen]
    yield f"## {len(chosen)} drafts in full"
    yield ""
    yield (
        "A form after the other, in the order of a hash. In brackets stands the source "
        "with its text, of a policy once a draft. Where no text is printed, the source "
        "is the line, letter for letter. Beneath stands what a reader found that the "
        "source does not say, or not of this product or in this case (protocol in "
        f"`bench/drafts.py`): of {sum(one is not None for one in told)} drafts read, "
        f"{sum(bool(one) for one in told)} have such a line."
    )
    yield ""
    for number, (draft, found) in enumerate(zip(chosen, told, strict=True), 1):
        heading = f" “{draft.heading}”" if draft.heading else ""
        yield f"{number}. **{draft.form}**, {draft.shop}, {draft.about}.{heading}"
        lines = list(_in_full(draft))
        if found is None or found:
            lines.append(f"**Unsupported as read:** {found}" if found else UNREAD)
        yield from (f"    - {line}" for line in lines)


def _in_full(draft: Draft) -> Iterator[str]:
    told: set[str] = set()
    for line, source in zip(draft.lines, draft.sources, strict=True):
        asked = f"{_flat(line.question)} → " if line.question else ""
        cited = ", ".join(line.sources)
        said = "" if _flat(source) == line.text else f": “{_flat(source)}”"
        said = ", see above" if cited in told else said
        told.add(cited)
        yield f"{asked}{_flat(line.text)}" + (f" [{cited}{said}]" if cited else "")


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
