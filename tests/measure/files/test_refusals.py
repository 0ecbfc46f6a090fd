"""Bad files are refused or warned of before a verdict, with rows and a next step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cartwheel.errors import Misuse
from cartwheel.measure.files.analyse import Analysis
from tests.measure.files.made import ask, refusals, shoppers, warnings


def only(found: Analysis, name: str) -> int:
    """Check that one thing alone is refused and no verdict given; return its rows."""
    assert refusals(found) == {name}
    assert found.refused
    assert found.comparisons == ()
    (check,) = (check for check in found.checks if check.refuses)
    assert f"{check.rows:,}" in check.message
    assert check.next_step
    return check.rows


def test_a_clean_file_has_a_verdict_and_no_check(tmp_path: Path) -> None:
    found = ask(
        tmp_path,
        shoppers(),
        metric=["spend=spend", "rate=orders/visits"],
        covariate=["spend=before"],
        shown="seen",
        time="bought_at",
    )
    assert found.checks == ()
    assert not found.refused
    assert [one.metric for one in found.comparisons] == ["spend", "rate"]
    assert found.comparisons[0].reduction > 0.3


def test_a_unit_in_two_arms(tmp_path: Path) -> None:
    frame = shoppers()
    other = frame.head(7).assign(
        arm=frame.head(7)["arm"].map({"mail": "control", "control": "mail"})
    )
    found = ask(tmp_path, pd.concat([frame, other]))
    assert only(found, "contradictory_assignment") == 14


def test_a_unit_with_two_rows(tmp_path: Path) -> None:
    frame = shoppers()
    found = ask(tmp_path, pd.concat([frame, frame.head(5), frame.head(2)]))
    assert only(found, "duplicated_units") == 7


def test_an_arm_that_was_not_shown(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[:10, "seen"] = frame.loc[:10, "arm"].map(
        {"mail": "control", "control": "mail"}
    )
    assert only(ask(tmp_path, frame, shown="seen"), "shown_other_arm") == 11


def test_a_unit_that_was_never_shown_is_told_of(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[:8, "seen"] = None
    found = ask(tmp_path, frame, shown="seen")
    assert warnings(found) == {"never_shown"}
    assert found.checks[0].rows == 9
    flags = frame.assign(seen=np.where(np.arange(len(frame)) < 20, "false", "true"))
    found = ask(tmp_path, flags, shown="seen")
    assert found.checks[0].rows == 20
    assert len(found.comparisons) == 1


def test_an_outcome_before_the_exposure(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[:3, "bought_at"] = "2026-02-01T08:00:00+00:00"
    found = ask(tmp_path, frame, shown="shown_at", time="bought_at")
    assert only(found, "outcome_before_exposure") == 4


def test_time_zones_mixed(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[:5, "bought_at"] = "2026-03-20T08:00:00"
    found = ask(tmp_path, frame, time="bought_at")
    assert only(found, "mixed_time_zones") == 6
    frame.loc[:5, "bought_at"] = "2026-03-20T08:00:00+02:00"
    found = ask(tmp_path, frame, time="bought_at")
    assert warnings(found) == {"mixed_time_zones"}
    assert found.checks[0].rows == 6
    frame.loc[:5, "bought_at"] = "next tuesday"
    assert only(ask(tmp_path, frame, time="bought_at"), "unreadable_time") == 6


def test_a_metric_defined_after_the_start(tmp_path: Path) -> None:
    frame = shoppers()
    early = pd.to_datetime(frame["bought_at"]) < pd.Timestamp("2026-03-05T00:00:00Z")
    frame.loc[early, "spend"] = None
    found = ask(tmp_path, frame, time="bought_at")
    assert only(found, "defined_after_start") == int(early.sum())


def test_a_missing_outcome(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[frame["arm"] == "mail", "spend"] = frame["spend"].where(
        frame.index % 20 != 0
    )
    gone = int(frame["spend"].isna().sum())
    assert only(ask(tmp_path, frame), "missing_outcome") == gone
    frame = shoppers()
    frame.loc[frame.index % 9 == 0, "spend"] = None
    gone = int(frame["spend"].isna().sum())
    assert only(ask(tmp_path, frame), "missing_outcome") == gone
    frame = shoppers()
    frame.loc[:4, "spend"] = None
    found = ask(tmp_path, frame)
    assert warnings(found) == {"missing_outcome"}
    assert found.checks[0].rows == 5
    assert found.comparisons[0].n == len(frame) - 5


def test_one_arm_alone(tmp_path: Path) -> None:
    frame = shoppers()
    frame = frame[frame["arm"] == "control"]
    assert only(ask(tmp_path, frame), "one_arm") == len(frame)


def test_a_variance_that_does_not_exist(tmp_path: Path) -> None:
    frame = shoppers(8_000)
    rng = np.random.default_rng(3)
    frame["spend"] = rng.pareto(1.1, len(frame)) + 1
    assert refusals(ask(tmp_path, frame)) == {"infinite_variance"}
    frame["spend"] = rng.lognormal(3, 1.2, len(frame)) * (rng.random(len(frame)) < 0.2)
    assert refusals(ask(tmp_path, frame)) == set()  # what shops really see


def test_an_infinite_value(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[3, "spend"] = np.inf
    assert only(ask(tmp_path, frame), "infinite_value") == 1


def test_a_zero_denominator(tmp_path: Path) -> None:
    frame = shoppers()
    metric = ["rate=orders/visits"]
    frame.loc[frame["arm"] == "mail", "visits"] = 0
    found = ask(tmp_path, frame, metric=metric)
    assert only(found, "zero_denominator") == 1_000
    frame = shoppers().assign(orders=1)
    frame.loc[:2, "visits"] = 0
    found = ask(tmp_path, frame, metric=metric)
    assert warnings(found) == {"zero_denominator"}
    frame.loc[:2, "visits"] = -1
    assert refusals(ask(tmp_path, frame, metric=metric)) == {"negative_denominator"}


def test_text_among_numbers(tmp_path: Path) -> None:
    frame = shoppers()
    frame["spend"] = frame["spend"].astype(str)
    frame.loc[11, "spend"] = "12,50 EUR"
    found = ask(tmp_path, frame)
    assert only(found, "not_a_number") == 1
    assert "row 12" in found.checks[0].message


def test_rows_without_unit_or_arm(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[:2, "user"] = None
    assert only(ask(tmp_path, frame), "missing_unit") == 3
    frame = shoppers()
    frame.loc[:1, "arm"] = " "
    assert only(ask(tmp_path, frame), "missing_arm") == 2


def test_groups_of_the_wrong_size(tmp_path: Path) -> None:
    frame = shoppers(10_000)
    control = frame[frame["arm"] == "control"]
    found = ask(tmp_path, frame.drop(control.index[:250]))
    assert warnings(found) == {"sample_ratio"}  # p .011
    assert len(found.comparisons) == 1
    frame = frame.drop(control.index[:700])
    assert only(ask(tmp_path, frame), "sample_ratio") == len(frame)
    found = ask(tmp_path, frame, shares={"control": 43.0, "mail": 50.0})
    assert not found.refused


def test_a_covariate_that_knows_the_arm(tmp_path: Path) -> None:
    frame = shoppers()
    frame["before"] += (frame["arm"] == "mail") * 9
    found = ask(tmp_path, frame, covariate=["before"])
    assert refusals(found) == {"covariate_differs"}


def test_a_gap_in_a_covariate_leaves_nobody_out(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[:200, "before"] = None
    found = ask(tmp_path, frame, covariate=["before"])
    assert warnings(found) == {"missing_covariate"}
    assert found.comparisons[0].n == len(frame)


def test_a_metric_that_is_one_value_or_has_too_few_units(tmp_path: Path) -> None:
    assert only(ask(tmp_path, shoppers().assign(spend=3)), "no_spread") == 2_000
    frame = shoppers(40)
    found = ask(tmp_path, frame)
    assert warnings(found) == {"few_units"}
    assert found.rough("spend")
    frame = pd.concat(
        [frame[frame["arm"] == "mail"].head(5), frame[frame["arm"] != "mail"].head(1)]
    )
    assert refusals(ask(tmp_path, frame)) == {"too_few_units"}


def test_one_outlier_is_told_of(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[5, "spend"] = 5_000
    found = ask(tmp_path, frame)
    assert warnings(found) == {"outlier"}
    assert found.checks[0].rows == 1


def test_one_bad_metric_does_not_silence_the_others(tmp_path: Path) -> None:
    frame = shoppers()
    frame.loc[3, "spend"] = np.inf
    found = ask(tmp_path, frame, metric=["spend=spend", "rate=orders/visits"])
    assert found.refused
    assert [one.metric for one in found.comparisons] == ["rate"]


def test_a_wrong_mapping_names_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"no column 'usr'.*Did you mean 'user'"):
        ask(tmp_path, shoppers(10), unit="usr")
    with pytest.raises(Misuse, match="--control is 'off'; the arms are"):
        ask(tmp_path, shoppers(10), control="off")
    with pytest.raises(Misuse, match="expected at most 20 arms"):
        ask(tmp_path, shoppers(100), arm="user", control="u00001")
    with pytest.raises(Misuse, match="--shown"):
        ask(tmp_path, shoppers(10), shown="spend")
    with pytest.raises(Misuse, match="differ in"):
        ask(tmp_path, shoppers(10), shares={"control": 1.0})


@pytest.mark.parametrize(
    "content", [b"\x00\xff\xfe\x01garbage", b"", b'user,arm\n"open', b"PAR1broken"]
)
@pytest.mark.parametrize("name", ["test.csv", "test.parquet"])
def test_garbage_is_a_clear_error(tmp_path: Path, content: bytes, name: str) -> None:
    from cartwheel.measure.files.analyse import analyse
    from tests.measure.files.made import question

    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Misuse):
        analyse(question(path))
    with pytest.raises(Misuse, match="There is no file"):
        analyse(question(tmp_path / "other.csv"))
