"""How the command line ends when something goes wrong: one line and an exit code.

Exit code 2 says that the command, a file or a setting is wrong, 1 that carrying it out
failed, 130 that somebody stopped it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from cartwheel.errors import CartwheelError


def run_guarded(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code; every error is one line on stderr."""
    try:
        code = command()
        sys.stdout.flush()
    except CartwheelError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        return _misused(error)
    except BrokenPipeError:
        # Whoever read the output has enough; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _fail(
            f"{error.strerror or error}{where}. "
            "Check the path, its permissions and the free disk space.",
            1,
        )
    except (KeyboardInterrupt, typer.Abort):
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:  # the last resort: a traceback is no answer
        return _fail(_unexpected(error), 1)
    return code if isinstance(code, int) else 0


def _fail(text: str, code: int) -> int:
    print(f"error: {' '.join(text.split())}", file=sys.stderr)
    return code


def _misused(error: typer.TyperException) -> int:
    """Say in one line how a command was called wrongly; help is shown as it is."""
    context = getattr(error, "ctx", None)
    said = getattr(error, "format_message", lambda: str(error))().strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        print(said)
        return 2
    command = context.command_path if context is not None else "cartwheel"
    said = said if said.endswith((".", "?")) else f"{said}."
    return _fail(f"{said} See: {command} --help", 2)


def _unexpected(error: Exception) -> str:
    """Return one line about an error nobody expected, with what to do next."""
    room = type(error).__module__.partition(".")[0]
    text = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
    if room == "sqlalchemy":
        return (
            f"The operational database cannot be used ({said}). Check that it is "
            "reachable, its file whole and the disk not full, or restore a backup."
        )
    if room in {"duckdb", "_duckdb"}:
        return (
            f"The lake cannot be used ({said}). Check that the shop's folder is whole "
            "and the disk not full, or restore a backup."
        )
    return (
        f"Something unforeseen went wrong ({said}{_place(error)}). What was saved "
        "before is safe; report this line with the command you ran."
    )


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
