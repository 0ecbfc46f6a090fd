"""A file's figures: those of tea-tasting, in any order of rows, at any look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.measure.files.analyse import analyse
from cartwheel.measure.files.question import parse_metrics, parse_shares
from tests.measure.files.made import ask, question, shoppers


def test_figures_are_those_of_tea_tasting(tmp_path: Path) -> None:
    frame = shoppers(3_000, seed=5, lift=2.0)
    found = ask(
        tmp_path,
        frame,
        metric=["spend=spend", "rate=orders/visits"],
        covariate=["before"],
    )
    peer = tea_tasting.Experiment(
        {
            "spend": tea_tasting.Mean("spend", "before"),
            "rate": tea_tasting.RatioOfMeans("orders", "visits", "before"),
        },
        variant="arm",
    ).analyze(frame, control="control")
    for ours in found.comparisons:
        theirs = peer[ours.metric]
        assert ours.effect == pytest.approx(theirs.effect_size, abs=1e-6)
        assert ours.low == pytest.approx(theirs.effect_size_ci_lower, abs=1e-6)
        assert ours.p_value == pytest.approx(theirs.pvalue, abs=1e-6)


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    frame = shoppers(500).assign(flag=lambda f: f["orders"] > 0)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    asked = {"metric": ["spend=spend", "flag=flag"], "covariate": ["before"]}
    one, other = (
        analyse(question(tmp_path / name, **asked)) for name in ("a.csv", "a.parquet")
    )
    assert one == other


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_means_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    frame = shoppers(300, seed=3)
    frame.loc[:4, "spend"] = None
    plain = ask(folder, frame, covariate=["before"])
    mixed = ask(folder, frame.sample(frac=1, random_state=seed), covariate=["before"])
    for one, other in zip(plain.comparisons, mixed.comparisons, strict=True):
        assert other.effect == pytest.approx(one.effect, abs=1e-9)
        assert other.p_value == pytest.approx(one.p_value, abs=1e-9)


def test_several_arms_are_corrected_for_being_several(tmp_path: Path) -> None:
    frame = shoppers(3_000)
    frame["arm"] = np.array(["control", "a", "b"])[np.arange(3_000) % 3]
    frame["spend"] += (frame["arm"] == "b") * 2.0
    found = ask(tmp_path, frame)
    assert [one.arm for one in found.comparisons] == ["a", "b"]
    raw = [one.p_value for one in found.comparisons]
    assert min(found.adjusted) == pytest.approx(min(1.0, 2 * min(raw)))
    assert max(found.adjusted) >= max(raw)


def test_an_interval_planned_for_every_look_is_wider(tmp_path: Path) -> None:
    plain = ask(tmp_path, shoppers()).comparisons[0]
    peeked = ask(tmp_path, shoppers(), planned=2_000).comparisons[0]
    assert peeked.method == "always-valid welch"
    assert 1.3 < (peeked.high - peeked.low) / (plain.high - plain.low) < 1.7
    early = ask(tmp_path, shoppers(150), planned=2_000).comparisons[0]
    assert early.low == -np.inf
    assert early.p_value == 1.0


def test_metrics_as_they_are_typed() -> None:
    spend, rate = parse_metrics(
        ["spend=paid", "rate = orders / visits"], ["x", "rate=y"]
    )
    assert (spend.value, spend.per, spend.covariates) == ("paid", None, ("x",))
    assert (rate.value, rate.per, rate.covariates) == ("orders", "visits", ("x", "y"))
    for wrong in ("spend", "=x", "a=", "a=b/"):
        with pytest.raises(Misuse, match="expected NAME=COL"):
            parse_metrics([wrong], [])
    with pytest.raises(Misuse, match="twice"):
        parse_metrics(["a=x", "a=y"], [])
    with pytest.raises(Misuse, match="not asked for"):
        parse_metrics(["a=x"], ["b=y"])
    with pytest.raises(Misuse, match="both covariate and outcome"):
        parse_metrics(["a=x"], ["x"])
    assert parse_shares(["a=1", "b=2.5"]) == {"a": 1.0, "b": 2.5}
    assert parse_shares([]) is None
    for wrong in ("a", "a=0", "=1", "a=x", "a=inf"):
        with pytest.raises(Misuse, match="expected ARM=NUMBER"):
            parse_shares([wrong])


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    frame = shoppers(200).rename(columns={"spend": 'a"; DROP TABLE units; --'})
    name = 'a"; DROP TABLE units; --'
    found = ask(tmp_path, frame, metric=[f"m={name}"])
    assert found.comparisons[0].metric == "m"
    frame = shoppers(200)
    frame["arm"] = frame["arm"].map({"mail": "it's; 'x'", "control": "control"})
    assert ask(tmp_path, frame).comparisons[0].arm == "it's; 'x'"


@pytest.mark.data
def test_hillstrom_gives_the_published_figures(data_folder, tmp_path: Path) -> None:
    frame = pd.read_parquet(data_folder("hillstrom-email") / "hillstrom.parquet")
    frame.insert(0, "user", range(len(frame)))
    frame.to_parquet(tmp_path / "h.parquet")
    found = analyse(
        question(
            tmp_path / "h.parquet",
            arm="segment",
            control="No E-Mail",
            metric=["visit=visit", "spend=spend"],
        )
    )
    assert found.checks == ()
    effects = {(o.metric, o.arm): o.effect for o in found.comparisons}
    assert effects["visit", "Mens E-Mail"] == pytest.approx(0.0766, abs=1e-4)
    assert effects["spend", "Womens E-Mail"] == pytest.approx(0.4244, abs=1e-3)


@pytest.mark.data
def test_cookie_cats_gives_the_anchors(data_folder) -> None:
    found = analyse(
        question(
            data_folder("cookie-cats-ab") / "cookie_cats.parquet",
            unit="userid",
            arm="version",
            control="gate_30",
            metric=["seventh=retention_7", "rounds=sum_gamerounds"],
        )
    )
    seventh = found.comparisons[0]
    assert seventh.effect == pytest.approx(-0.0082, abs=5e-5)
    assert seventh.low == pytest.approx(-0.0133, abs=5e-5)
    assert seventh.high == pytest.approx(-0.0031, abs=5e-5)
    assert seventh.p_value == pytest.approx(0.0016, abs=5e-5)
    assert {check.check for check in found.checks} == {"sample_ratio", "outlier"}
