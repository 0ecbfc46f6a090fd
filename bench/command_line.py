"""How soon the command line answers."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Figure, Plan, cartwheel, python, run


def help_text(plan: Plan) -> Iterator[Figure]:
    """Measure `cartwheel --help` beside Python alone and the option parser alone."""
    repeats = 2 if plan.quick else 15
    for name, command, most in (
        ("cartwheel --help", cartwheel("--help"), 0.3),
        ("Python alone, starting", python("-c", "pass"), None),
        ("typer alone, imported", python("-c", "import typer"), None),
    ):
        run(command)  # once, so that no repeat reads cold files
        yield Figure(
            part="help",
            name=name,
            size=f"{repeats} starts",
            unit="s",
            values=[run(command).seconds for _ in range(repeats)],
            most=most,
            floor=most is None,
        )
