"""`cartwheel voice correct`: the console's corrections, from the command line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cartwheel.api.security import create_user
from cartwheel.lake.inbox import drain_waiting
from cartwheel.operations import inbox
from cartwheel.shop import Shop, open_shop
from cartwheel.text.objections import standing
from cartwheel.voice_desk import read_record
from tests.cli.program import Done, Run, assert_one_line
from tests.console.seed import make_published
from tests.console.test_voice_new import publish_new
from tests.voice_page import publish_voice, quote_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = make_published(tmp_path_factory.mktemp("corrected") / "shop")
    shop.database.dispose()
    return shop.folder


@pytest.fixture
def shop(tmp_path: Path, made: Path) -> Iterator[Shop]:
    shutil.copytree(made, tmp_path / "shop")
    opened = open_shop(tmp_path / "shop")
    yield opened
    opened.database.dispose()


def correct(run: Run, shop: Shop, *arguments: str) -> Done:
    return run("voice", "correct", *arguments, "--shop", shop.folder)


def record(shop: Shop) -> list[dict[str, Any]]:
    return read_record(shop.database)


def test_a_sentence_is_corrected_as_the_page_does_it(run: Run, shop: Shop) -> None:
    body = publish_voice(shop)
    key = quote_of(body, "size_fit", "Runs small.")["key"]
    said = ("--product", "p", "--sentence", "runs small")
    done = correct(run, shop, "not-this", "size_fit", *said, "--json")
    (row,) = record(shop)
    assert done.json() == {
        "correction_id": row["correction_id"],
        "kind": "not-this",
        "by": "cli",
    }
    assert (row["kind"], row["sentence"], row["made_by"]) == ("not_this", key, "cli")
    assert len(row["beside"].split()) == 2  # what the page shows beside it
    drain_waiting(shop)
    with shop.lake.attached(read_only=True) as con:
        found = con.execute(
            "SELECT correction_id, sentence, made_by FROM lake.theme_corrections"
        ).fetchall()
    assert found == [(row["correction_id"], key, "cli")]
    done = correct(run, shop, "take-back", row["correction_id"])
    assert "is taken back" in done.out
    assert standing(record(shop)).by_id == {}
    assert len(record(shop)) == 2


def test_a_move_a_merge_and_an_own_theme(run: Run, shop: Shop) -> None:
    body = publish_voice(shop)
    quote = quote_of(body, "size_fit", "Too tight")["text"]
    moved = ("--product", "p", "--sentence", quote, "--into", "service")
    assert correct(run, shop, "move", "size_fit", *moved).code == 0
    assert correct(run, shop, "merge", "quality_doubt", "--into", "price").code == 0
    own = ("--title", "Sleeves", "--words", "sleeve, sleeves")
    assert correct(run, shop, "split", "size_fit", *own).code == 0
    stands = standing(record(shop))
    assert list(stands.sentences.values()) == ["service"]
    assert stands.merged == {"quality_doubt": "price"}
    assert stands.splits[0].words == ("sleeve", "sleeves")


def test_new_themes_are_judged_by_key_or_name(run: Run, shop: Shop) -> None:
    (fresh,) = publish_new(shop)["fresh"]
    done = correct(run, shop, "keep", fresh["key"], "--title", "Loud hinge")
    assert "acts from the next turn on" in done.out
    (row,) = record(shop)
    assert (row["kind"], row["objection"], row["words"]) == ("split", None, "hinge")
    assert_one_line(correct(run, shop, "dismiss", "hinge"), 2, "already")
    correct(run, shop, "take-back", row["correction_id"])
    assert correct(run, shop, "teach", "hinge", "--into", "service").code == 0
    assert standing(record(shop)).taught[0].into_objection == "service"


def test_who_says_it_is_an_owner_on_record(run: Run, shop: Shop) -> None:
    publish_new(shop)
    create_user(shop.database, "vic", "viewer", "a long enough password 1")
    create_user(shop.database, "olga", "owner", "a long enough password 2")
    done = correct(run, shop, "dismiss", "hinge", "--who", "vic")
    assert_one_line(done, 2, "a viewer of this shop")
    done = correct(run, shop, "dismiss", "hinge", "--who", "nobody")
    assert_one_line(done, 2, "nobody of this shop")
    assert record(shop) == []
    assert correct(run, shop, "dismiss", "hinge", "--who", "olga").code == 0
    assert record(shop)[0]["made_by"] == "olga"


WRONG = [
    (("drop", "size_fit"), "not-this"),
    (("not_this", "size_fit"), "not-this"),
    (("not-this", "size_fit"), "--sentence"),
    (("not-this", "size_fit", "--product", "p", "--sentence", "Never"), "quotes no"),
    (("not-this", "size_fit", "--product", "x", "--sentence", "Runs small."), "tells"),
    (("move", "size_fit", "--product", "p", "--sentence", "Runs small."), "theme"),
    (("merge", "size_fit"), "Choose another"),
    (("merge", "no\nclass", "--into", "price"), "tells nothing"),
    (("split", "size_fit", "--title", "Own"), "words"),
    (("split", "size_fit", "--words", "a", "--title", "a\u202eb"), "printable"),
    (("keep", "nothing", "--title", "Own"), "tells nothing"),
    (("dismiss", "<script>"), "tells nothing"),
    (("take-back", "nothing"), "No correction"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=str)
def test_what_does_not_fit_ends_with_two_and_is_not_kept(
    run: Run, shop: Shop, arguments: tuple[str, ...], said: str
) -> None:
    publish_voice(shop)
    assert_one_line(correct(run, shop, *arguments), 2, said)
    assert record(shop) == []
    with shop.database.begin() as con:
        assert con.execute(select(inbox.c.id)).all() == []


def test_corrections_are_listed(run: Run, shop: Shop) -> None:
    publish_new(shop)
    assert (
        "No correction stands."
        in run("voice", "corrections", "--shop", shop.folder).out
    )
    correct(run, shop, "dismiss", "hinge")
    said = run("voice", "corrections", "--shop", shop.folder).out
    assert "dismiss hinge (cli, " in said
    assert "from the next turn on" in said
    (row,) = record(shop)
    correct(run, shop, "take-back", row["correction_id"])
    value = run("voice", "corrections", "--shop", shop.folder, "--json").json()
    assert value["standing"] == []
    assert value["taken_back"][0]["correction_id"] == row["correction_id"]
    said = run("voice", "corrections", "--shop", shop.folder).out
    assert "; taken back by cli" in said


def test_a_shop_without_a_turn_says_what_to_do(run: Run, empty: Path) -> None:
    done = run(
        "voice", "correct", "merge", "price", "--into", "service", "--shop", empty
    )
    assert_one_line(done, 2, "cartwheel turn")
