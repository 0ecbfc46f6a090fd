"""Blocks in pages: added, found again, and taken out to the last byte."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.text.page_block import (
    EDITED,
    TWICE,
    Change,
    Entry,
    Markup,
    block_of,
    carry_out,
    digest,
    write_block,
)

PAGES = st.text(max_size=300)
LINES = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4, unique=True)


def block(lines: list[str], markup: Markup = "html") -> str:
    return write_block("Size and fit", [Entry(text=one) for one in lines], [], markup)


def change(name: str, text: str, before: str, *, wanted: bool = True) -> Change:
    return Change(id=name, block=text, before=digest(before), wanted=wanted)


@settings(deadline=None)
@given(PAGES, LINES, st.sampled_from(("html", "text")))
def test_undo_gives_back_every_byte(page: str, lines: list[str], markup: str) -> None:
    text = block(lines, "html" if markup == "html" else "text")
    if text in page:
        return
    added = carry_out(page, [change("a", text, page)])
    assert added.standing == ("a",)
    assert added.text == page + text
    back = carry_out(added.text, [change("a", text, page, wanted=False)])
    assert back.text == page
    assert back.text.encode("utf-8", "surrogatepass") == page.encode(
        "utf-8", "surrogatepass"
    )


@settings(deadline=None)
@given(PAGES, LINES, LINES, st.permutations(("a", "b")))
def test_two_fixes_are_taken_out_in_any_order(
    page: str, first: list[str], second: list[str], order: list[str]
) -> None:
    blocks = {"a": block(first), "b": block(["more", *second])}
    if any(one in page for one in blocks.values()):
        return
    text = carry_out(page, [change("a", blocks["a"], page)]).text
    # The second was written for the page with the first on it.
    both = [change("a", blocks["a"], page), change("b", blocks["b"], text)]
    made = carry_out(page, both)
    assert made.standing == ("a", "b")
    here = made.text
    for gone in order:
        here = carry_out(here, [change(gone, blocks[gone], "", wanted=False)]).text
    assert here == page


@settings(deadline=None)
@given(PAGES, st.text(min_size=1, max_size=60), LINES)
def test_what_somebody_else_wrote_stays(
    page: str, theirs: str, lines: list[str]
) -> None:
    text = block(lines)
    if text in page + theirs or page + theirs == page:
        return
    # Edited before the fix was carried out: theirs stands, and the fix does not.
    late = carry_out(page + theirs, [change("a", text, page)])
    assert late.text == page + theirs
    assert late.refused == {"a": EDITED}
    # Edited around a fix that stands: taking it out leaves theirs.
    both = theirs + page + text
    if both.count(text) == 1:
        back = carry_out(both, [change("a", text, page, wanted=False)])
        assert back.text == theirs + page


def test_a_block_that_somebody_edited_is_left_alone() -> None:
    text = block(["Runs small."])
    edited = "<p>A shirt.</p>" + text.replace("small", "large")
    back = carry_out(edited, [change("a", text, "<p>A shirt.</p>", wanted=False)])
    assert back.text == edited


def test_a_block_that_stands_twice_is_not_guessed_at() -> None:
    text = block(["Runs small."])
    page = f"<p>A shirt.</p>{text}{text}"
    back = carry_out(page, [change("a", text, "", wanted=False)])
    assert back.text == page
    assert back.refused == {"a": TWICE}


def test_a_page_that_has_the_block_is_not_given_it_again() -> None:
    text = block(["Runs small."])
    page = "<p>A shirt.</p>"
    again = carry_out(page + text, [change("a", text, page)])
    assert again.text == page + text
    assert again.standing == ("a",)


def test_what_shoppers_wrote_is_text_in_a_page() -> None:
    asked = Entry(text="<script>alert(1)</script>", question='"><img src=x>')
    text = write_block("Fit", [], [asked], "html")
    assert "<script>" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_a_paragraph_stands_before_the_lines() -> None:
    said = [
        {"text": "It is <i>linen</i>.", "question": "", "paragraph": True},
        {"text": "Keep it dry.", "question": "", "paragraph": True},
        {"text": "Chest width: 54 cm", "question": ""},
        {"text": "It is.", "question": "Is it lined?"},
    ]
    assert block_of("Care", said, "html").endswith(
        "<h3>Care</h3><p>It is &lt;i&gt;linen&lt;/i&gt;. Keep it dry.</p>"
        "<ul><li>Chest width: 54 cm</li></ul>"
        "<dl><dt>Is it lined?</dt><dd>It is.</dd></dl></section>"
    )
    assert block_of("Care", said, "text") == (
        "\n\nCare\nIt is <i>linen</i>. Keep it dry.\n- Chest width: 54 cm\n"
        "Is it lined?\nIt is.\n"
    )
