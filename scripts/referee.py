"""The gate for releases: connected against isolated on fixed simulated worlds.

    python scripts/referee.py            # minutes: what CI runs
    python scripts/referee.py nightly    # more worlds

Exit code 1 when connected no longer beats isolated by more than the noise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from cartwheel.simulator.referee.batch import Progress, run_batch
from cartwheel.simulator.referee.gate import FIXED, jobs, judge
from cartwheel.simulator.referee.results import read_runs

ARM_SECONDS = 1_800
WORKERS = 2


class Teller:
    """Prints how far it is, once for each arm that ends."""

    def __init__(self) -> None:
        self._told = -1

    def __call__(self, progress: Progress) -> None:
        """Print when another arm has ended."""
        if progress.done != self._told:
            self._told = progress.done
            said = f"{progress.done} of {progress.total} played"
            print(said, file=sys.stderr, flush=True)


def main() -> int:
    """Play the fixed worlds and judge them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("size", nargs="?", default="ci", choices=sorted(FIXED))
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory(prefix="cartwheel-referee-") as name:
        folder = Path(name)
        run_batch(
            jobs(size), folder, workers=WORKERS, seconds=ARM_SECONDS, progress=Teller()
        )
        verdict = judge(read_runs(folder), size)
    for world, seed, share in verdict.rows:
        print(f"{world:12} {seed:4}  {share:+.1%} of revenue")
    print(f"{'passed' if verdict.passed else 'FAILED'}: {verdict.reason}")
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
