"""What a process started by another does first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cartwheel.child_process import BEHIND


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no niceness on this system")
def test_a_process_that_steps_back_is_nicer() -> None:
    code = "import os; from cartwheel.child_process import step_back; "
    code += "step_back(); step_back(); "
    said = subprocess.run(
        [sys.executable, "-c", code + "print(os.nice(0))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(said.stdout) == max(os.nice(0), BEHIND)
