"""The machine a run was made on."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a reader needs to judge the figures.

    Attributes:
        cpu: Model of the processor.
        cores: Cores this process may use.
        memory_gb: Memory in all.
        system: Operating system.
        python: Version of Python.
        load_before: Load average of the minute before the run.
        on: Day of the run.
    """

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    load_before: float
    on: str

    def lines(self) -> list[str]:
        """Return the machine in two lines."""
        return [
            f"{self.cpu}, {self.cores} cores, {self.memory_gb:.1f} GB, {self.system}",
            f"Python {self.python}, load before {self.load_before:.2f}, {self.on}",
        ]

    def to_json(self) -> dict[str, object]:
        """Return JSON values."""
        return asdict(self)


def this_machine() -> Machine:
    """Return the machine this process runs on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=pages / 2**30,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load_before=os.getloadavg()[0],
        on=date.today().isoformat(),
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
