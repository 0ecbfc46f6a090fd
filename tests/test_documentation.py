"""The documents say what the program does: commands, options, settings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from cartwheel.cli import app
from cartwheel.levers.content import options as content_options
from cartwheel.levers.lifecycle import lever as lifecycle
from cartwheel.levers.price import choice as price_choice
from cartwheel.levers.recommend import model as recommend_model
from cartwheel.levers.replenish import reorder_math
from cartwheel.levers.search import options as search_options
from cartwheel.levers.support import options as support_options
from cartwheel.settings import Settings
from cartwheel.simulator.world.spec import WorldSpec

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
)
LEVER_OPTIONS: Mapping[str, Any] = {
    "recommend": recommend_model.Options,
    "lifecycle": lifecycle.Options,
    "price": price_choice.Options,
    "replenish": reorder_math.Terms,
    "search": search_options.Options,
    "content": content_options.Options,
    "support": support_options.Options,
}


def names_of(command: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command by its words, `key make` and the like."""
    for name, one in command.commands.items():
        if hasattr(one, "commands"):
            if one.invoke_without_command:
                yield " ".join((*before, name)), one
            yield from names_of(one, (*before, name))
        else:
            yield " ".join((*before, name)), one


COMMANDS = dict(names_of(typer.main.get_command(app)))


def options_of(name: str) -> set[str]:
    found = {"--help"}
    for parameter in COMMANDS[name].params:
        found |= {*parameter.opts, *parameter.secondary_opts}
    return {option for option in found if option.startswith("--")}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def uses(text: str) -> Iterator[tuple[str, str]]:
    """Yield what follows `cartwheel` in code, as (command, the rest of its line)."""
    code = re.findall(r"^ {4}(cartwheel .*)$", text, re.M)
    code += re.findall(r"`(cartwheel [^`]+)`", text.replace("\n", " "))
    for block in re.findall(r"```\w*\n(.*?)```", text, re.S):
        code += re.findall(r"^(cartwheel .*)$", block, re.M)
    for line in code:
        for part in re.split(r"&&|\||;", line):
            words = part.split()
            if len(words) < 2 or words[0] != "cartwheel" or words[1].startswith("-"):
                continue
            two = " ".join(words[1:3])
            name = two if two in COMMANDS else words[1]
            yield name, part


def section(name: str) -> str:
    """Return what docs/cli.md says of a command."""
    text = text_of(ROOT / "docs" / "cli.md")
    _, found, rest = text.partition(f"\n## `cartwheel {name}`\n")
    assert found, f"docs/cli.md has no section on {name}"
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_of_a_document_exist(path: Path) -> None:
    for name, line in uses(text_of(path)):
        assert name in COMMANDS, f"{path.name}: {line}"
        for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", line):
            assert option in options_of(name), f"{path.name}: {line}"


def test_readme_and_quick_start_show_commands() -> None:
    shown = set()
    for path in (ROOT / "README.md", ROOT / "docs" / "quickstart.md"):
        shown |= {name for name, _ in uses(text_of(path))}
    assert {"init", "import", "turn", "serve", "decisions", "approve"} <= shown


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_is_documented_with_an_example_and_its_options(name: str) -> None:
    text = section(name)
    help_line = (COMMANDS[name].help or "").splitlines()[0].partition(" Example:")[0]
    assert help_line in text
    assert f"    cartwheel {name} " in text + " "
    for option in options_of(name) - {"--help", "--shop", "--json"}:
        assert f"`{option}" in text or f" {option}`" in text or f"{option} /" in text, (
            f"docs/cli.md does not tell of {name} {option}"
        )


def test_command_line_document_tells_of_no_other_command() -> None:
    found = re.findall(r"^## `cartwheel (.*)`$", text_of(ROOT / "docs/cli.md"), re.M)
    assert sorted(found) == sorted(COMMANDS)


@pytest.mark.parametrize(
    "name",
    [
        *("import", "rejects", "turn", "status", "wheel", "decisions", "replay"),
        *("rollback", "backtest", "key list", "approve", "reject", "undo"),
    ],
)
def test_reading_command_has_json(name: str) -> None:
    assert "--json" in options_of(name)


WITHOUT_SHOP = {
    "init",
    "demo",
    *(name for name in COMMANDS if "simulate " in name),
    "measure",
}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_SHOP))
def test_command_takes_the_shop_from_the_environment(name: str) -> None:
    (shop,) = [one for one in COMMANDS[name].params if one.name == "shop"]
    assert shop.envvar == "CARTWHEEL_SHOP"


def settings_of(kind: type[BaseModel], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_of(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}", field


def rows_of_settings() -> dict[str, tuple[str, str]]:
    rows = re.findall(
        r"^\| `([\w.]+)` \| `(.*?)` \| (.*?) \|$",
        text_of(ROOT / "docs" / "settings.md"),
        re.M,
    )
    return {name: (default, doc) for name, default, doc in rows}


def test_settings_document_lists_every_setting_as_it_is() -> None:
    rows = rows_of_settings()
    for name, field in settings_of(Settings):
        default = "required" if field.is_required() else repr(field.get_default())
        if field.default_factory is not None:
            default = repr(field.get_default(call_default_factory=True))
        assert rows.pop(name, None) == (default, field.description), name
    for lever, kind in LEVER_OPTIONS.items():
        for option in fields(kind):
            found = rows.pop(f"levers.{lever}.{option.name}", None)
            assert found is not None, f"levers.{lever}.{option.name}"
            assert found[0] == repr(option.default)
            assert found[1].endswith(".")
    assert rows == {}, "settings.md lists what there is not"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_a_document_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), f"{path.name} links to {target}"
        assert place.is_relative_to(ROOT), f"{path.name} links out: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", text_of(place), re.M)
            known = {
                re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles
            }
            assert anchor in known, f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_names_no_place_of_one_machine(path: Path) -> None:
    found = re.findall(
        r"(?<![\w.])/(?:home|root|work|Users|tmp|mnt)/\S*", text_of(path)
    )
    assert found == []


def parameters_of(kind: type[BaseModel], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and meaning of every parameter of a world, lists of parts included."""
    for name, field in kind.model_fields.items():
        parts = [field.annotation, *get_args(field.annotation)]
        inner = [p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)]
        if inner:
            yield from parameters_of(inner[0], f"{before}{name}.")
        else:
            yield f"{before}{name}", field.description or ""


def test_worlds_document_lists_every_parameter_as_it_is() -> None:
    rows = re.findall(
        r"^\| `([\w.]+)` \| [\w]+ \| [^|]+ \| (.+?) \|$",
        text_of(ROOT / "docs" / "worlds.md"),
        re.M,
    )
    assert dict(rows) == dict(parameters_of(WorldSpec))
