"""A step of a turn in a process of its own: `python -m cartwheel.turn.child`.

Arguments: SHOP NUMBER signals | lever NAME | stand-in NAME WHY | compact
"""

from __future__ import annotations

import sys
from pathlib import Path

from cartwheel.child_process import die_with_parent, step_back
from cartwheel.errors import CartwheelError


def main(arguments: list[str]) -> int:
    """Run one step; return the exit code."""
    from cartwheel.shop import open_shop
    from cartwheel.turn import steps

    folder, number, step, *rest = arguments
    try:
        shop = open_shop(Path(folder))
        if step == "signals":
            steps.make_signals(shop, int(number))
        elif step == "lever":
            steps.run_staged(shop, int(number), rest[0])
        elif step == "stand-in":
            steps.run_staged(shop, int(number), rest[0], failed=rest[1])
        elif step == "compact":
            shop.lake.compact()
        else:
            raise ValueError(f"unknown step {step!r}")
    except CartwheelError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    die_with_parent()
    step_back()
    sys.exit(main(sys.argv[1:]))
