"""The public sets of visits and purchases, as sequences."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import Plan, Skipped
from cartwheel.levers.recommend.ranker import Cases, every_step
from cartwheel.levers.recommend.sequences import Sequences

Array = np.ndarray[Any, Any]

RETAILROCKET_DAYS = 137.0
"""The set's sessions are in order but bear no dates; they are spread over 137 days."""

QUICK = 1500
ONLINE_RETAIL_DAYS = 30.0


def retailrocket(plan: Plan) -> tuple[Sequences, Cases]:
    """Return training visits, and the fixed prefixes with the next product."""
    import pyarrow.parquet as pq

    folder = _folder(plan, "retailrocket-sessions")
    train = pq.read_table(folder / "train_sessions.parquet")["items"]
    test = pq.read_table(folder / "test_prefixes.parquet")
    item, start = _lists(train)
    prefix, ends = _lists(test["items"])
    target = test["next_item"].to_numpy()
    n_items = int(max(item.max(), prefix.max(), target.max())) + 1
    visits = len(start) - 1
    days = np.repeat(np.arange(visits) / visits * RETAILROCKET_DAYS, np.diff(start))
    rows = len(target)
    cases = Cases(
        data=Sequences.of(
            prefix, ends, n_items, at=np.full(len(prefix), RETAILROCKET_DAYS)
        ),
        which=np.arange(rows),
        until=ends[1:],
        now=np.full(rows, RETAILROCKET_DAYS),
        row=np.arange(rows),
        target=target,
        weight=np.ones(rows),
    )
    return _small(plan, Sequences.of(item, start, n_items, at=days)), few(plan, cases)


def yoochoose(plan: Plan) -> tuple[Sequences, Cases]:
    """Return training visits, and every click after the first of the last day."""
    import pandas as pd

    folder = _folder(plan, "yoochoose-100k")
    train = pd.read_parquet(folder / "clicks_train_full.parquet")
    test = pd.read_parquet(folder / "clicks_test.parquet")
    items = np.unique(np.concatenate([train["ItemId"], test["ItemId"]]))
    before, last_day = (_clicks(frame, items) for frame in (train, test))
    return _small(plan, before), few(plan, every_step(last_day))


def _clicks(frame: Any, items: Array) -> Sequences:
    ended = frame.groupby("SessionId")["Time"].transform("max")
    frame = frame.assign(ended=ended)
    frame = frame.sort_values(["ended", "SessionId", "Time"], kind="stable")
    return Sequences.of(
        np.searchsorted(items, frame["ItemId"].to_numpy()),
        starts_of(frame["SessionId"].to_numpy()),
        len(items),
        at=frame["Time"].to_numpy() / 86_400,
    )


def beauty(plan: Plan) -> Sequences:
    """Return the histories of Amazon Beauty."""
    file = _folder(plan, "amazon-beauty-s3rec") / "Beauty.txt.gz"
    with gzip.open(file, "rt", encoding="ascii") as lines:
        rows = [np.array(line.split()[1:], np.int64) for line in lines]
    start = np.r_[0, np.cumsum([len(row) for row in rows])]
    return _histories(plan, np.concatenate(rows), start)


def video_games(plan: Plan) -> Sequences:
    """Return the histories of Amazon Video Games."""
    import pandas as pd

    frame = pd.read_parquet(_folder(plan, "amazon-videogames-5core") / "Video.parquet")
    frame = frame.sort_values(["user_idx", "row_order"])
    start = starts_of(frame["user_idx"].to_numpy())
    return _histories(plan, frame["item_idx"].to_numpy(), start)


def _histories(plan: Plan, item: Array, start: Array) -> Sequences:
    data = Sequences.of(item, start, int(item.max()) + 1, at=np.zeros(len(item)))
    return data.take(np.arange(min(len(data), QUICK))) if plan.quick else data


def online_retail_orders(plan: Plan) -> Sequences:
    """Return valid product lines by known customer; an order is a step."""
    import pandas as pd

    frame = pd.read_parquet(_folder(plan, "online-retail") / "online_retail.parquet")
    code = frame["StockCode"].str.strip().str.upper()
    valid = frame["CustomerID"].notna() & code.str.match(r"\d{5}", na=False)
    valid &= (frame["Quantity"] > 0) & (frame["UnitPrice"] > 0)
    frame = frame.assign(code=code)[valid]
    frame = frame.drop_duplicates(["CustomerID", "InvoiceNo", "code"])
    frame = frame.sort_values(["CustomerID", "InvoiceDate", "InvoiceNo"], kind="stable")
    items, item = np.unique(frame["code"].to_numpy().astype(str), return_inverse=True)
    start = starts_of(frame["CustomerID"].to_numpy())
    order = frame["InvoiceNo"].to_numpy().astype(str)
    changes = np.r_[False, order[1:] != order[:-1]].cumsum()
    seconds = frame["InvoiceDate"].to_numpy().astype("datetime64[s]").astype(float)
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    return Sequences(
        item=item.astype(np.int64),
        step=changes - changes[start[:-1]][owner],
        at=seconds / 86_400,
        start=start,
        n_items=len(items),
    )


def starts_of(who: Array) -> Array:
    """Return where each run of equal values begins, and the end."""
    return np.r_[np.flatnonzero(np.r_[True, who[1:] != who[:-1]]), len(who)]


def upto(data: Sequences, back: int) -> Sequences:
    """Return histories without their last entries."""
    kept = np.arange(len(data.item)) < (data.start[1:] - back)[data.owner]
    return data.where(kept)


def few(plan: Plan, cases: Cases) -> Cases:
    """Return all cases, or some for a quick run."""
    if not plan.quick or len(cases) <= QUICK:
        return cases
    order = np.random.default_rng(1).permutation(len(cases))
    return cases.take(np.sort(order[:QUICK]))


def _small(plan: Plan, data: Sequences) -> Sequences:
    if not plan.quick:
        return data
    return data.take(np.arange(max(len(data) - 5 * QUICK, 0), len(data)))


def _lists(column: Any) -> tuple[Array, Array]:
    array = column.combine_chunks()
    return array.flatten().to_numpy(), array.offsets.to_numpy().astype(np.int64)


def _folder(plan: Plan, name: str) -> Path:
    folder = plan.data / name
    if not folder.is_dir():
        raise Skipped(f"{name} is not in CARTWHEEL_DATA ({plan.data})")
    return folder
