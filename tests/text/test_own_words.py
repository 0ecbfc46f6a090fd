"""What a person wrote: quotations, heads of replies and signatures are left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwheel.text.markup import shown_text
from cartwheel.text.own_words import own_words

OUTLOOK = "From: Shop\nSent: Monday\nTo: Ann\nSubject: Re: x\n\nOld text"
GERMAN = "Von: Shop\nGesendet: Montag\nAn: Ann\nBetreff: AW: x\n\nAlter Text"


@pytest.mark.parametrize(
    "tail",
    [
        "On Mon, 2 Mar 2026 at 09:00, Shop <a@b.example> wrote:\n> old",
        "On Mon, 2 Mar 2026 at 09:00,\nShop <a@b.example> wrote:\n> old",
        "Am 02.03.2026 um 09:00 schrieb Shop <a@b.example>:\n> alt",
        "Le 2 mars 2026 à 09:00, Shop <a@b.example> a écrit :\nvieux",
        "El lun, 2 mar 2026 a las 9:00, Shop (<a@b.example>) escribió:\nviejo",
        "Em seg., 2 de mar. de 2026 às 09:00, Shop <a@b.example> escreveu:\nvelho",
        "Il giorno lun 2 mar 2026 alle 09:00 Shop <a@b.example> ha scritto:\nv",
        "Op ma 2 mrt 2026 om 09:00 schreef Shop <a@b.example>:\nv",
        "Den mån 2 mars 2026 kl 09:00 skrev Shop <a@b.example>:\ng",
        "pon., 2 mar 2026 o 09:00 Shop <a@b.example> napisał(a):\ns",
        "po 2. 3. 2026 v 9:00 odesílatel Shop <a@b.example> napsal:\ns",
        "-----Original Message-----\nold",
        "-----Ursprüngliche Nachricht-----\nalt",
        "________________________________\n" + OUTLOOK,
        OUTLOOK,
        GERMAN,
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "-- \nAnn Lee\n030 1234567",
        "> quoted\n> more",
    ],
)
def test_what_others_wrote_is_left_out(tail: str) -> None:
    own = "The zip broke.\n\nCan I send it back?"
    assert own_words(f"{own}\n\n{tail}") == own
    assert own_words(f"{own}\r\n\r\n{tail}".replace("\n", "\r\n")) == own


@pytest.mark.parametrize(
    "text",
    [
        "From: the box it looks fine, but the date is old.",
        "To: be or not to be",
        "I wrote:\nthe size is wrong",
        "On the box somebody wrote a number.",
        "It is 20 cm - too short - and blue.",
        "Sizes: 3, 4 and 5\nDate: none\nIt fits.",
    ],
)
def test_sentences_that_look_alike_stay(text: str) -> None:
    assert own_words(text) == text


def test_answers_between_quoted_lines_stay() -> None:
    given_text = "> Which size?\nForty.\n> Which colour?\nBlue."
    assert own_words(given_text) == "Forty.\nBlue."


@given(st.text(alphabet="On wrote:>-_\n @A1", max_size=400))
def test_nothing_is_made_up(text: str) -> None:
    found = own_words(text).split("\n")
    lines = {line.strip() for line in text.split("\n")}
    assert all(line.strip() in lines or not line for line in found)


@pytest.mark.parametrize(
    "nasty",
    [
        "On " * 50_000 + "wrote",
        "From: " * 40_000,
        "_" * 200_000,
        "> " * 100_000,
        "--\n" * 9,
    ],
)
def test_long_lines_are_looked_at_in_part(nasty: str) -> None:
    assert len(own_words(nasty)) <= len(nasty)


@given(st.text(max_size=300))
def test_no_markup_breaks_the_reader(text: str) -> None:
    hidden = text.replace("<", "").replace("&", "")
    assert shown_text(f"<p>a</p><script>{hidden}</script><p>b</p>") == "a\nb"
    for markup in (text, f"<div>{text}<blockquote>{text}"):
        assert "\n\n" not in shown_text(markup)


def test_a_head_that_is_never_closed_hides_nothing() -> None:
    assert shown_text("<head><title>x<body>Shown &amp; told") == "Shown & told"
    assert shown_text("<p>a<br>b</p><blockquote>c<p>d</p></blockquote>e") == (
        "a\nb\n> c\n> d\ne"
    )
