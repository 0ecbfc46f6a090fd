"""What customers said, with the product it is about."""

from __future__ import annotations

from cartwheel.connectors.shopify_csv.customers import customer_id
from tests.contract.tiny_lake import TinyLake

TODAY = "2026-01-20"


def test_texts_of_three_sources_are_told_with_their_product(lake: TinyLake) -> None:
    lake.add(
        "reviews",
        review_id="r1",
        product_id="p",
        created_at="2026-01-10 10:00",
        rating=2,
        title="Runs small",
        body="Too tight.",
    )
    lake.add("reviews", review_id="r2", created_at="2026-01-10 10:00", body="  ")
    lake.add(
        "messages",
        message_id="m1",
        direction="in",
        sent_at="2026-01-11 23:30",
        order_id="o1",
        body="Where is it?",
    )
    lake.add(
        "messages",
        message_id="m2",
        direction="out",
        sent_at="2026-01-11 10:00",
        body="On its way.",
    )
    lake.add(
        "returns",
        return_id="b1",
        line_id="1",
        product_id="q",
        returned_at="2026-01-12 10:00",
        quantity_units=2,
        reason="size_too_small",
    )
    lake.sale("o1", "v1", "2026-01-05 10:00")
    rows = {row["feedback_id"]: row for row in lake.rows("feedback", TODAY)}
    assert set(rows) == {"r1", "m1", "b1/1"}
    assert rows["r1"]["text"] == "Runs small\nToo tight."
    assert (rows["r1"]["product_id"], rows["r1"]["rating"]) == ("p", 2)
    assert (rows["m1"]["source"], rows["m1"]["product_id"]) == ("message", "v1")
    assert (rows["b1/1"]["units"], rows["b1/1"]["text"]) == (2, "size_too_small")


def test_an_order_of_two_products_names_none(lake: TinyLake) -> None:
    lake.sale("o1", "v1", "2026-01-05 10:00")
    lake.add(
        "order_lines",
        order_id="o1",
        line_id="2",
        kind="product",
        product_id="other",
        quantity_units=1,
        unit_price_minor=100,
        placed_at="2026-01-05 10:00",
    )
    lake.add(
        "reviews",
        review_id="r1",
        order_id="o1",
        created_at="2026-01-10 10:00",
        body="Late.",
    )
    (row,) = lake.rows("feedback", TODAY)
    assert row["product_id"] is None


def test_old_texts_are_left_out_and_long_ones_are_cut(lake: TinyLake) -> None:
    lake.add("reviews", review_id="r1", created_at="2024-01-10 10:00", body="Old.")
    lake.add("reviews", review_id="r2", created_at="2026-01-10", body="long " * 2_000)
    (row,) = lake.rows("feedback", TODAY)
    assert row["feedback_id"] == "r2"
    assert len(row["text"]) == 4_000


def test_questions_are_texts_and_keep_their_answers(lake: TinyLake) -> None:
    asked = {
        "question_id": "q1",
        "product_id": "p",
        "asked_at": "2026-01-10 10:00",
        "question": "Is it lined?",
    }
    lake.add("questions", **asked, updated_at="2026-01-10 10:00")
    (row,) = lake.rows("questions", TODAY)
    assert (row["product_id"], row["answer"]) == ("p", None)
    (text,) = lake.rows("feedback", TODAY)
    assert (text["source"], text["text"]) == ("question", "Is it lined?")
    lake.add("questions", **asked, updated_at="2026-01-12 10:00", answer="No.")
    (row,) = lake.rows("questions", TODAY)
    assert row["answer"] == "No."
    assert lake.rows("questions", "2026-01-11")[0]["answer"] is None


def test_policies_are_read(lake: TinyLake) -> None:
    lake.add("policies", policy_id="r", topic="returns", body="Within 30 days.")
    (row,) = lake.rows("policies", TODAY)
    assert (row["topic"], row["body"]) == ("returns", "Within 30 days.")


def test_a_survey_is_told_by_its_words_and_not_by_its_score(lake: TinyLake) -> None:
    for name, medium, body in (
        ("s1", "nps", " 9 "),
        ("s2", "NPS", "It runs small."),
        ("s3", "survey", "It came late."),
        ("s4", "email", "9"),
        ("s5", None, "Hello"),
    ):
        lake.add(
            "messages",
            message_id=name,
            direction="in",
            medium=medium,
            sent_at="2026-01-11 10:00",
            body=body,
        )
    rows = {row["feedback_id"]: row["source"] for row in lake.rows("feedback", TODAY)}
    assert rows == {"s2": "survey", "s3": "survey", "s4": "message", "s5": "message"}


def test_a_writer_is_known_by_a_fingerprint(lake: TinyLake) -> None:
    day = "2026-01-10 10:00"
    for name, said in (
        ("r1", {"customer_id": "c1"}),
        ("r2", {"customer_id": "c1", "order_id": "o1"}),
        ("r3", {"order_id": "c1"}),
        ("r4", {}),
    ):
        lake.add("reviews", review_id=name, created_at=day, body="Odd.", **said)
    sent = {"direction": "in", "sent_at": day, "body": "Odd."}
    lake.add("messages", message_id="m1", address="jo@example.org", **sent)
    rows = {row["feedback_id"]: row["writer"] for row in lake.rows("feedback", TODAY)}
    assert rows["r1"] == rows["r2"]
    assert len({rows["r1"], rows["r3"], rows["m1"]}) == 3
    assert rows["r4"] is None
    assert all(len(one) == 16 for one in rows.values() if one)
    assert "jo" not in rows["m1"]


def _bought(lake: TinyLake, order: str, product: str, at: str, customer: str) -> None:
    lake.sale(order, product, at, customer=customer)


def _mail(lake: TinyLake, name: str, address: str | None, at: str, **more: str) -> None:
    lake.add(
        "messages",
        message_id=name,
        direction="in",
        medium="email",
        sent_at=at,
        address=address,
        body="It is too small.",
        **more,
    )


def test_a_mail_is_about_the_one_order_of_late_of_its_sender(lake: TinyLake) -> None:
    lake.add("customers", customer_id="7", email="Ana@Example.org ")
    _bought(lake, "o1", "p", "2026-01-02 10:00", "7")
    _bought(lake, "o0", "q", "2025-10-01 10:00", "7")
    _mail(lake, "m1", "ana@example.org", "2026-01-10 10:00")
    _mail(lake, "m2", "ana@example.org", "2026-01-01 10:00")
    _mail(lake, "m3", "other@example.org", "2026-01-10 10:00")
    _mail(lake, "m4", None, "2026-01-10 10:00", customer_id="7")
    _mail(lake, "m5", "ana@example.org", "2026-01-10 10:00", order_id="o0")
    _mail(lake, "m6", None, "2026-01-10 10:00")
    _mail(lake, "m7", "ana@example.org", "2026-01-10 10:00", customer_id="8")
    rows = {row["feedback_id"]: row for row in lake.rows("feedback", TODAY)}
    found = {name: row["product_id"] for name, row in rows.items()}
    assert found == {
        "m1": "p",
        "m2": None,  # before the order, and long after the other
        "m3": None,
        "m4": "p",
        "m5": "q",  # what the source says stands
        "m6": None,
        "m7": None,
    }
    assert rows["m1"]["writer"] == rows["m2"]["writer"] == rows["m4"]["writer"]
    assert rows["m1"]["writer"] != rows["m3"]["writer"]


def test_with_two_orders_or_two_people_nobody_can_tell(lake: TinyLake) -> None:
    lake.add("customers", customer_id="7", email="ana@example.org")
    _bought(lake, "o1", "p", "2026-01-02 10:00", "7")
    _bought(lake, "o2", "q", "2026-01-03 10:00", "7")
    lake.add("customers", customer_id="8", email="desk@example.org")
    lake.add("customers", customer_id="9", email="desk@example.org")
    _bought(lake, "o3", "p", "2026-01-02 10:00", "8")
    _mail(lake, "m1", "ana@example.org", "2026-01-10 10:00")
    _mail(lake, "m2", "desk@example.org", "2026-01-10 10:00")
    rows = {row["feedback_id"]: row for row in lake.rows("feedback", TODAY)}
    assert rows["m1"]["product_id"] is None
    assert rows["m2"]["product_id"] is None


def test_a_customer_whose_id_is_made_of_the_address_is_found(lake: TinyLake) -> None:
    made = customer_id("Ana@example.org", None, None)
    _bought(lake, "o1", "p", "2026-01-02 10:00", made)
    _mail(lake, "m1", "ana@example.org", "2026-01-10 10:00")
    (row,) = lake.rows("feedback", TODAY)
    assert row["product_id"] == "p"
