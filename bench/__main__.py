"""Run the bench: `python -m bench [PART ...] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.measure import THREADS, Figure, Plan, Skipped, table

# Before numpy is imported by a part: one thread per BLAS call.
for _name in THREADS:
    os.environ[_name] = "1"

from bench import api, command_line, growth, online_retail, segments, two_gigabytes
from bench.machine import this_machine

Part = Callable[[Plan], Iterator[Figure]]

PARTS: Mapping[str, Part] = {
    "help": command_line.help_text,
    "segments": segments.segments,
    "events": api.events_part,
    "recommendations": api.recommendations_part,
    "import": online_retail.imports,
    "turn": online_retail.turn,
    "memory": two_gigabytes.memory,
    "growth": growth.growth,
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
    print("\n".join(table(figures)))
    for part, reason in skipped.items():
        print(f"{part}: not measured: {reason}")
    if options.json:
        value = {
            "machine": machine.to_json(),
            "quick": options.quick,
            "figures": [figure.to_json() for figure in figures],
            "skipped": skipped,
        }
        options.json.write_text(json.dumps(value, indent=1), encoding="utf-8")
    missed = any(figure.met is False for figure in figures)
    return 1 if missed and not options.quick else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Speed and memory, each beside its floor."
    )
    known = ", ".join(PARTS)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {known}; all")
    parser.add_argument("--quick", action="store_true", help="small sizes, no verdict")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures too")
    check = parser.parse_args

    def parse(args: Sequence[str] | None = None) -> argparse.Namespace:
        options = check(args)
        strange = sorted(set(options.parts) - set(PARTS))
        if strange:
            parser.error(f"unknown part {', '.join(strange)}; known are {known}")
        return options

    parser.parse_args = parse  # type: ignore[assignment, method-assign]
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
