"""Running the command line in a test, and what every error must look like."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.turned import CLI

HEAVY = (
    *("numpy", "pandas", "pyarrow", "duckdb", "ibis", "scipy", "sklearn", "lightgbm"),
    *("fastapi", "uvicorn", "sqlalchemy", "dbos", "pydantic", "jinja2"),
)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        assert self.code == 0, self.err
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]


def program(*arguments: str | Path, **environment: str) -> Done:
    """Run the program as a process of its own."""
    done = subprocess.run(
        [*CLI, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def assert_one_line(done: Done, code: int, said: str = "") -> None:
    """An error is one line on stderr: what is wrong, and what to do next."""
    assert done.code == code, (done.out, done.err)
    assert done.out == ""
    assert done.err.endswith("\n")
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert re.search(said, line), line
    # What is wrong and the next step are a sentence each.
    assert re.search(r"[.?] [A-Z]", line), line
