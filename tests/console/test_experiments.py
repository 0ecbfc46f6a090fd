"""Experiments in the console: the list, the live view, the verdict, the record."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from cartwheel.measure.experiment.store import find
from cartwheel.shop import Shop
from tests.console.experiments import (
    HARM,
    OPEN,
    RUNNING,
    WORKED,
    add_experiments,
    look,
    metric,
    put,
    refusal,
    terms,
)
from tests.console.seed import HOSTILE, decision_id
from tests.console.test_pages import outline

Open = Callable[[Shop, str], TestClient]
PEEKING = ("winner", "p value", "p,", "p =", "significant", "higher", "lower", "0.777")


@pytest.fixture
def tested(shop: Shop) -> Shop:
    return add_experiments(shop)


@pytest.fixture
def ann(tested: Shop, signed_in: Open) -> TestClient:
    return signed_in(tested, "owner")


def main_of(text: str) -> str:
    return text.partition("<main")[2].partition("</main>")[0]


def rows_of(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_every_page_is_sound(ann: TestClient) -> None:
    for path in ("", "/new", *(f"/{one}" for one in (RUNNING, HARM, WORKED, OPEN))):
        answer = ann.get(f"/experiments{path}")
        assert answer.status_code == 200
        found = outline(answer.text)
        assert found.tags.count("h1") == 1
        assert found.inline == []
        assert len(found.ids) == len(set(found.ids))
        assert all(header.get("scope") for header in found.headers)


def test_list_shows_running_first_then_failures(ann: TestClient) -> None:
    text = main_of(ann.get("/experiments").text)
    places = [text.index(f"/experiments/{one}") for one in (RUNNING, HARM, OPEN)]
    assert [*places, text.index(f"/experiments/{WORKED}")] == sorted(
        [*places, text.index(f"/experiments/{WORKED}")]
    )
    assert "Did harm" in text
    assert "20 of 50" in text
    assert "Stopped: revenue fell by more than the 10% allowed." in text


def test_list_explains_holdouts_from_the_settings(ann: TestClient) -> None:
    text = ann.get("/experiments").text
    assert "The wheel leaves 5% of customers alone" in text
    assert "Recommendations 5%, Search 5%, Customers 5%, Prices 5%" in text


def test_an_empty_shop_says_what_will_come(empty_shop: Shop, signed_in: Open) -> None:
    text = signed_in(empty_shop, "owner").get("/experiments").text
    assert "No experiment runs." in text
    assert "No experiment is over yet." in text
    assert "Plan an experiment" in text


def test_a_running_experiment_shows_nothing_to_peek_at(
    tested: Shop, ann: TestClient
) -> None:
    text = main_of(ann.get(f"/experiments/{RUNNING}").text)
    assert "Day 20 of 50" in text
    assert find(tested.database, RUNNING).terms.fingerprint in text
    # The intervals of the looks are there, as chart and as table; no estimate is.
    assert text.count('class="span"') == 4  # two looks at two widths
    assert "−£11.55 to +£18.45" in text
    assert "not yet" in text
    for word in (*PEEKING, "£3.45", "+17.3%"):
        assert word not in text, word
    assert "Learning record" not in text


def test_every_kind_of_look_renders(shop: Shop, signed_in: Open) -> None:
    states, stops = ("running", "ended", "stopped"), ("fixed", "always-valid")
    found = ([], [metric(None, None)], [metric(5.0, None)])
    kinds = list(enumerate(product(states, stops, found)))
    for i, (state, stop, metrics) in kinds:
        agreed = terms(f"test-{i}", stop=stop, lever=f"lever-{i}")
        close = "end" if state == "ended" else ""
        put(shop, agreed, [look(50, metrics, close=close, reach=None)], state=state)
    client = signed_in(shop, "owner")
    for i, (state, _, _) in kinds:
        text = client.get(f"/experiments/test-{i}").text
        assert 'class="span"' not in text
        assert "not yet" in text
        assert client.get(f"/experiments/test-{i}/looks.csv").status_code == 200
        record = client.get(f"/experiments/test-{i}/record.txt")
        assert record.status_code == (409 if state == "running" else 200)
    for path in ("", "/list.csv", "/looks.csv"):
        assert client.get(f"/experiments{path}").status_code == 200


def test_without_a_look_the_page_says_so(shop: Shop, signed_in: Open) -> None:
    for state in ("running", "ended", "stopped"):
        put(shop, terms(f"no-{state}", lever=state), state=state, why="a supplier left")
    client = signed_in(shop, "owner")
    for state in ("running", "ended", "stopped"):
        text = client.get(f"/experiments/no-{state}").text
        assert "Day 0 of 50" in text
        assert "No look was taken yet." in text
    assert client.get("/experiments").status_code == 200


def test_a_refusal_hides_every_figure(shop: Shop, signed_in: Open) -> None:
    agreed = terms("refused-test")
    looks = [
        look(7, [metric(123.0, 50.0)]),
        look(8, [], checks=[refusal()], sentence="No verdict: the groups."),
    ]
    put(shop, agreed, looks)
    text = main_of(signed_in(shop, "owner").get("/experiments/refused-test").text)
    assert "The groups have not the sizes they should have." in text
    assert "Find out who is missing." in text
    assert "no figure of this experiment is shown" in text
    for figure in ("<svg", "£", "221", "40%"):
        assert figure not in text, figure


def test_a_warning_stands_above_the_figures(shop: Shop, signed_in: Open) -> None:
    warned = {**refusal(), "level": "warning", "message": "Costs are unknown."}
    put(shop, terms("warned-test"), [look(7, [metric(1.0, 9.0)], checks=[warned])])
    text = main_of(signed_in(shop, "owner").get("/experiments/warned-test").text)
    assert text.index("Costs are unknown.") < text.index("<svg")


def test_the_verdict_is_one_sentence_in_the_shops_currency(ann: TestClient) -> None:
    text = ann.get(f"/experiments/{WORKED}").text
    said = "Margin with treated against control is higher: +£4.00"
    assert f"{said} (95%: +£2.50 to +£5.50), +20.0%." in text
    assert "0.012" in text
    assert "corrected for 2 metrics" in text


def test_the_light_of_earlier_ones_says_the_priors_weight(ann: TestClient) -> None:
    text = ann.get(f"/experiments/{WORKED}").text
    # Both others on this lever and metric have an effect and an error.
    assert "In the light of 2 earlier experiments" in text
    assert "weigh " in text
    assert "the chance of a gain is" in text


def test_the_first_of_its_kind_is_drawn_towards_what_is_usual(
    shop: Shop, signed_in: Open
) -> None:
    put(shop, terms("only-one"), [look(50, [metric(400.0, 150.0)], close="end")])
    client = signed_in(shop, "owner")
    assert "In the light" not in client.get("/experiments/only-one").text
    client.post("/experiments/only-one/stop", data={"why": "enough"})
    assert "In the light of what is usual" in client.get("/experiments/only-one").text


def test_the_learning_record_is_shown_and_downloaded(ann: TestClient) -> None:
    answer = ann.get(f"/experiments/{HARM}/record.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.startswith(f"{HARM}: Does {HARM} earn more?")
    assert "Guard: revenue must not fall by more than 10%" in answer.text
    line = "Guard: revenue must not fall by more than 10%"
    assert line in ann.get(f"/experiments/{HARM}").text


def test_csv_of_the_list_has_the_order_of_the_page(ann: TestClient) -> None:
    rows = rows_of(ann, "/experiments/list.csv")
    assert [row["name"] for row in rows] == [RUNNING, HARM, OPEN, WORKED]
    assert [row["outcome"] for row in rows] == ["", "failed", "open", "worked"]


def test_csv_of_looks_holds_back_estimates_while_running(ann: TestClient) -> None:
    rows = rows_of(ann, "/experiments/looks.csv")
    assert {row["name"] for row in rows} == {RUNNING, HARM, OPEN, WORKED}
    for row in rows:
        running = row["name"] == RUNNING
        assert (row["effect"] == "") == running
        assert (row["p_adjusted"] == "") == running
    one = rows_of(ann, f"/experiments/{RUNNING}/looks.csv")
    assert [row["low"] for row in one] == ["", "-1877.0", "-1155.0"]


def test_stopping_needs_a_reason_and_keeps_what_was_typed(
    tested: Shop, ann: TestClient
) -> None:
    for why in ("", "  ", "x" * 1001):
        answer = ann.post(f"/experiments/{RUNNING}/stop", data={"why": why})
        assert answer.status_code == 400
        assert "expected 1 to 1,000" in answer.text
        assert why.strip() in answer.text
    assert find(tested.database, RUNNING).state == "running"


def test_an_owner_stops_with_a_reason(tested: Shop, ann: TestClient) -> None:
    answer = ann.post(
        f"/experiments/{RUNNING}/stop", data={"why": " <b>supplier</b> changed. "}
    )
    assert "decisions act on everybody again" in answer.text
    record = find(tested.database, RUNNING)
    assert (record.state, record.closed_by) == ("stopped", "owner")
    assert "Stopped on day 20 of 50: &lt;b&gt;supplier&lt;/b&gt; changed" in answer.text
    again = ann.post(f"/experiments/{RUNNING}/stop", data={"why": "again"})
    assert again.status_code == 409


def test_a_viewer_may_not_change_anything(tested: Shop, signed_in: Open) -> None:
    client = signed_in(tested, "viewer")
    for method, path in (
        ("GET", "/experiments/new"),
        ("POST", "/experiments/new"),
        ("POST", "/experiments"),
        ("POST", f"/experiments/{RUNNING}/stop"),
    ):
        answer = client.request(method, path, data={"why": "because"})
        assert answer.status_code == 403, path
    assert find(tested.database, RUNNING).state == "running"
    assert "/experiments/new" not in client.get("/experiments").text
    assert "Stop this experiment" not in client.get(f"/experiments/{RUNNING}").text


def test_another_sites_form_is_refused(tested: Shop, ann: TestClient) -> None:
    paths = ("/experiments", "/experiments/new", f"/experiments/{RUNNING}/stop")
    signs = ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"})
    for path, headers in product(paths, signs):
        answer = ann.post(path, data={"why": "because"}, headers=headers)
        assert answer.status_code == 403, path
    assert find(tested.database, RUNNING).state == "running"


def test_nobody_sees_experiments_without_signing_in(tested: Shop) -> None:
    from cartwheel.api.app import create_app

    client = TestClient(create_app(tested), headers={"accept": "text/html"})
    for path in ("", f"/{RUNNING}", "/new", "/list.csv", "/looks.csv"):
        answer = client.get(f"/experiments{path}", follow_redirects=False)
        assert answer.status_code == 303, path


def test_an_unknown_name_is_not_found(ann: TestClient) -> None:
    for path in ("nothing", "nothing/looks.csv", "nothing/record.txt"):
        assert ann.get(f"/experiments/{path}").status_code == 404
    assert ann.post("/experiments/nothing/stop", data={"why": "x"}).status_code == 404


def test_hostile_words_stay_text(shop: Shop, signed_in: Open) -> None:
    # A name with a slash would have no page; the command line refuses all of these.
    name = HOSTILE.replace("/", "") + "<img src=x>"
    agreed = terms(name, question=HOSTILE)
    metrics = [metric(300.0, 100.0, method=HOSTILE)]
    checks = [{**refusal(), "level": "warning", "message": HOSTILE, "check": HOSTILE}]
    looks = [look(50, metrics, sentence=HOSTILE, close="guard", checks=checks)]
    put(shop, agreed, looks, state="stopped", why=HOSTILE, actor=HOSTILE)
    client = signed_in(shop, "owner")
    own = f"/experiments/{quote(name, safe='')}"
    for path in ("/experiments", own, "/levers/lifecycle"):
        text = client.get(path).text
        assert "&lt;script" in text, path
        assert "<script>alert" not in text, path
        assert "<img" not in text, path
        assert outline(text).inline == []
    assert own in client.get("/levers/lifecycle").text
    rows = rows_of(client, "/experiments/list.csv")
    assert not rows[0]["question"].startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("path", ["/levers/lifecycle", "/decisions?lever=lifecycle"])
def test_proposals_cite_what_was_tried_failures_first(
    tested: Shop, signed_in: Open, path: str
) -> None:
    put(tested, terms("lifecycle-fourth"), state="stopped", why="no time")
    text = main_of(signed_in(tested, "owner").get(path).text)
    assert text.count('href="/experiments/') == 3
    assert text.index(f"/experiments/{HARM}") < text.index("lifecycle-fourth")
    assert f"/experiments/{WORKED}" not in text
    assert f"/experiments/{RUNNING}" not in text


def test_why_cites_its_levers_lessons_only(tested: Shop, signed_in: Open) -> None:
    from cartwheel.ledger.store import list_decisions

    client = signed_in(tested, "owner")
    assert "Tried before" not in client.get(f"/decisions/{decision_id(0)}").text
    mine = list_decisions(tested.database, lever="lifecycle", limit=1)[0]
    text = client.get(f"/decisions/{mine.id}").text
    assert "Tried before" in text
    assert f"/experiments/{HARM}" in text


ALONE = """
import json, sys
from pathlib import Path
from fastapi.testclient import TestClient
from cartwheel.api.app import create_app
from cartwheel.shop import open_shop
shop = open_shop(Path(sys.argv[1]))
with TestClient(create_app(shop), headers={"accept": "text/html"}) as client:
    client.post("/sign-in", data={"token": sys.argv[2]})
    for path in sys.argv[3:]:
        assert client.get(path).status_code == 200, path
print(json.dumps(sorted(sys.modules)))
"""
HEAVY = ("pandas", "pyarrow", "lightgbm", "ibis", "sklearn", "scipy", "duckdb")


def test_the_pages_load_no_heavy_library(tested: Shop) -> None:
    from tests.console.seed import link_for

    token = link_for(tested, "ann", "owner").partition("token=")[2]
    paths = ["", f"/{RUNNING}", f"/{WORKED}", "/new?lever=price&unit=product"]
    done = subprocess.run(
        [
            *(sys.executable, "-c", ALONE, str(tested.folder), token),
            *(f"/experiments{path}" for path in paths),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert [name for name in HEAVY if name in loaded] == []
