"""Run the bench: `python -m bench [PART ...] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench import (
    api,
    claims,
    command_line,
    console_pages,
    economics,
    full_history,
    growth,
    intents,
    journey,
    mailbox,
    measure_aa,
    measure_interleave,
    measure_past,
    measure_truth,
    new_themes,
    next_item,
    off_policy,
    online_retail,
    search,
    search_speed,
    segments,
    sentiment,
    serving,
    support,
    two_gigabytes,
    voice,
    worlds,
)
from bench.machine import Machine, this_machine
from bench.measure import Figure, Plan, Skipped, table

Part = Callable[[Plan], Iterator[Figure]]

PARTS: Mapping[str, Part] = {
    "help": command_line.help_text,
    "segments": segments.segments,
    "events": api.events_part,
    "serving": serving.serving,
    "serving-growth": serving.serving_growth,
    "recommendations": api.recommendations_part,
    "import": online_retail.imports,
    "mail": mailbox.mail,
    "turn": online_retail.turn,
    "memory": two_gigabytes.memory,
    "growth": growth.growth,
    "journey": journey.journey,
    "measure-aa": measure_aa.measure_aa,
    "measure-speed": measure_aa.measure_speed,
    "pages": console_pages.pages,
    "measure-interleave": measure_interleave.measure_interleave,
    "measure-truth": measure_truth.measure_truth,
    "measure-past": measure_past.measure_past,
    "worlds": worlds.worlds,
    "connected": worlds.connected,
    "economics": economics.economics,
    "off-policy": off_policy.off_policy,
    "search": search.search,
    "search-speed": search_speed.search_speed,
    "next-item": next_item.next_item,
    "full-history": full_history.full_history,
    "voice": voice.voice,
    "new-themes": new_themes.new_themes,
    "claims": claims.claims,
    "support": support.support,
    "intents": intents.intents,
    "sentiment": sentiment.sentiment,
}
DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def main(arguments: Sequence[str]) -> int:
    """Run the parts named, or all; return 1 when a full run misses a target."""
    options = _parser().parse_args(arguments)
    machine = this_machine()
    print("\n".join(machine.lines()), flush=True)
    figures: list[Figure] = []
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="cartwheel-bench-") as name:
        data = Path(os.environ.get("CARTWHEEL_DATA", DATA))
        plan = Plan(work=Path(name), data=data, quick=options.quick)
        for part in options.parts or PARTS:
            print(f"measuring {part}", file=sys.stderr, flush=True)
            try:
                figures += PARTS[part](plan)
            except Skipped as reason:
                skipped[part] = str(reason)
            if options.json:  # after every part: a run that is stopped keeps them
                _write(options.json, machine, options.quick, figures, skipped)
    print("\n".join(table(figures)))
    for part, why in skipped.items():
        print(f"{part}: not measured: {why}")
    missed = any(figure.met is False for figure in figures)
    return 1 if missed and not options.quick else 0


def _write(
    file: Path,
    machine: Machine,
    quick: bool,
    figures: Sequence[Figure],
    skipped: Mapping[str, str],
) -> None:
    value = {
        "machine": machine.to_json(),
        "quick": quick,
        "figures": [figure.to_json() for figure in figures],
        "skipped": skipped,
    }
    file.write_text(json.dumps(value, indent=1), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Speed and memory, each beside its floor."
    )
    known = ", ".join(PARTS)
    parser.add_argument(
        "parts", nargs="*", type=_part, metavar="PART", help=f"of {known}; default all"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, no verdict")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures too")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        known = ", ".join(PARTS)
        raise argparse.ArgumentTypeError(f"{name!r} is no part; known are {known}")
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
