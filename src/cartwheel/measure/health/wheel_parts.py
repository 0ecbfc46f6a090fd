"""Checks of what the wheel itself did: levers, links, decisions, holdout, forecasts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import numpy as np

from cartwheel.measure.health.data import HealthData, Made, month_of
from cartwheel.measure.health.finding import UNKNOWN, Finding, Stake
from cartwheel.measure.health.shares import lacking, plain_stake

WAITING_DAYS = 7
"""Days after which an approved decision should have been carried out."""

TOLERATED = 0.01
"""Share of treated answers that may reach held-out people: devices not yet known."""

BIASED = 0.20
"""Least relative error of the sum that matters."""

LEAST_SUBJECTS = 20


def lever_states(data: HealthData) -> list[Finding]:
    """Return a finding for every lever that did not decide by its own model."""
    found = []
    for run in data.runs:
        blank = Finding(
            check=f"lever_{run.lever}",
            spoke=run.lever,
            part="lever",
            state="well",
            says=f"{run.lever} is {run.state}.",
            evidence={"state": run.state},
        )
        if run.state == "healthy":
            found.append(blank)
            continue
        healthy = run.before.count("healthy")
        reason = run.reason.rstrip(".") or "it gave no reason"
        found.append(
            replace(
                blank,
                # It worked before: something broke. Else it never had enough data.
                state="broken" if healthy else "weak",
                says=f"{run.lever} is {run.state}: {reason}. It was healthy in "
                f"{healthy} of {len(run.before)} turns before.",
                evidence={
                    "state": run.state,
                    "healthy_before": healthy,
                    "turns_before": len(run.before),
                },
                stake=_worth(data, run.lever),
                next_step="Its page says what it lacks; give it that, or correct "
                "the error it names.",
            )
        )
    if not data.runs:
        blank = Finding(
            check="levers", spoke="levers", part="lever", state="unknown", says=""
        )
        return [lacking(blank, "no turn has run")]
    return found


def _worth(data: HealthData, lever: str) -> Stake:
    """Return what a lever's decisions were worth a turn, by its own figures."""
    by_turn: Counter[int] = Counter()
    for one in data.decisions:
        if one.lever == lever and one.worth_minor:
            by_turn[one.turn] += one.worth_minor
    values = np.array(list(by_turn.values()), float)
    values = values[values > 0]
    if len(values) == 0:
        return replace(UNKNOWN, basis="unknown: its decisions had no value in money")
    return Stake(
        value=float(np.median(values)),
        low=float(values.min()) * 0.25,
        high=float(values.max()),
        basis="what its decisions of a turn were worth by its own figures; "
        "a quarter of the smallest to the largest turn",
    )


def links(data: HealthData) -> list[Finding]:
    """Return a finding for every link that is cut or carries nothing."""
    found = [
        Finding(
            check=f"link_{link.name}",
            spoke=link.name,
            part="link",
            state="weak",
            says=f"{link.name} is cut: its reader sees the neutral value."
            if link.cut
            else f"{link.name} carries nothing: its reader sees the neutral value.",
            evidence={"cut": link.cut, "rows": link.rows},
            stake=replace(UNKNOWN, basis="unknown: what this link earns is not known"),
            next_step="Restore it on the overview, under Every link."
            if link.cut
            else "Import what its signal is made from; see the signal's page.",
        )
        for link in data.links
        if link.cut or not link.rows
    ]
    if found:
        return found
    blank = Finding(
        check="links",
        spoke="links",
        part="link",
        state="well",
        says="Every link flows.",
    )
    return [blank] if data.links else [lacking(blank, "no turn has run")]


def approved_not_applied(data: HealthData) -> list[Finding]:
    """Return a finding for each kind with approved decisions nobody carried out."""
    late: dict[str, list[Made]] = {}
    for one in data.decisions:
        waits = data.end - one.at >= timedelta(days=WAITING_DAYS)
        if one.state == "approved" and waits:
            late.setdefault(one.kind, []).append(one)
    found = []
    for kind, waiting in sorted(late.items()):
        worth = [d.worth_minor for d in waiting if d.worth_minor]
        total = float(sum(worth))
        found.append(
            Finding(
                check=f"applied_{kind}",
                spoke=waiting[0].lever,
                part="lever",
                state="weak",
                says=f"{len(waiting):,} approved decisions ({kind}) wait for more "
                f"than {WAITING_DAYS} days to be carried out.",
                evidence={"waiting": len(waiting), "worth_minor": total},
                rows=tuple(d.id for d in waiting[:5]),
                stake=Stake(
                    value=0.5 * total,
                    low=0.25 * total,
                    high=total,
                    basis="what they were worth; assumed lost: 25% to all of it",
                )
                if worth
                else UNKNOWN,
                next_step="Carry them out, or take the approval back; a kind set to "
                "suggest is never carried out by itself.",
            )
        )
    return found


def holdout_kept(data: HealthData) -> list[Finding]:
    """Test whether held-out customers were treated more often than devices explain."""
    blank = Finding(
        check="holdout_kept",
        spoke="holdout",
        part="lever",
        state="unknown",
        says="",
        next_step="Held-out customers were treated, so what the wheel earns is "
        "measured too low. Ask for slots with the customer id, and mail only who is "
        "in the outbox.",
        after=("visitors_known",),
    )
    if not data.held_out:
        return [lacking(blank, "no customer is held out")]
    rows = data.rows(
        "SELECT count(*), count(*) FILTER (arm = 'treated' AND customer_id IN "
        "(SELECT customer_id FROM h_alone)) FROM h_answers WHERE ago < 28 AND "
        "customer_id IN (SELECT customer_id FROM h_alone)"
    )
    answered, treated = (int(n) for n in rows[0])
    mine = [
        d
        for d in data.decisions
        if d.subject.partition(":")[0] == "customer"
        and d.subject.partition(":")[2] in data.held_out
    ]
    reached = [d for d in mine if d.state in ("approved", "applied")]
    total, wrong = answered + len(mine), treated + len(reached)
    if total < 5:
        return [lacking(blank, "fewer than 5 decisions concerned held-out customers")]
    from scipy.stats import binom

    share = wrong / total
    found = replace(
        blank,
        state="broken" if share > TOLERATED else "well",
        says=f"{wrong:,} of {total:,} decisions on held-out customers reached them.",
        evidence={"reached": wrong, "of": total},
        rows=tuple(d.id for d in reached[:5]),
        p_value=float(binom.sf(wrong - 1, total, TOLERATED)),
    )
    if found.state == "well":
        return [found]
    basis = "unknown: it costs no sale but the measurement of all"
    return [replace(found, stake=replace(UNKNOWN, basis=basis))]


def forecasts_biased(data: HealthData) -> list[Finding]:
    """Test whether what happened is above or below what was predicted, in sum.

    Subjects are the units: one product's forecasts err together turn after turn. The
    statistic is the sum of errors over the root of the sum of squared sums by subject.
    """
    found = []
    rows = data.rows(
        "SELECT lever, metric, subject, sum(actual), sum(predicted), count(*) "
        "FROM h_outcomes WHERE ago < 28 AND actual IS NOT NULL "
        "AND predicted IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    groups: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for lever, metric, _, actual, predicted, count in rows:
        groups.setdefault((lever, metric), []).append((actual, predicted, count))
    for (lever, metric), each in groups.items():
        blank = Finding(
            check=f"forecast_{lever}_{metric}",
            spoke=lever,
            part="lever",
            state="unknown",
            says="",
            next_step="Look at its page for what changed; until it has learned, take "
            "its figures with this error.",
        )
        table = np.array(each, float)
        if len(table) < LEAST_SUBJECTS or table[:, 1].sum() <= 0:
            found.append(
                lacking(blank, f"fewer than {LEAST_SUBJECTS} subjects have outcomes")
            )
            continue
        error = table[:, 0] - table[:, 1]
        spread = float(np.sqrt((error**2).sum()))
        from scipy.stats import t as student

        ratio = float(table[:, 0].sum() / table[:, 1].sum())
        z = abs(float(error.sum())) / spread if spread else 0.0
        biased = abs(ratio - 1) >= BIASED
        one = replace(
            blank,
            state="broken" if biased else "well",
            says=f"{lever}: {table[:, 0].sum():,.0f} happened where "
            f"{table[:, 1].sum():,.0f} were predicted ({metric}, "
            f"{int(table[:, 2].sum()):,} outcomes of the last 28 days).",
            evidence={
                "actual": float(table[:, 0].sum()),
                "predicted": float(table[:, 1].sum()),
                "subjects": len(table),
            },
            p_value=2 * float(student.sf(z, len(table) - 1)),
        )
        if biased:
            one = replace(one, stake=_misjudged(data, abs(ratio - 1)))
        found.append(one)
    if groups:
        return found
    blank = Finding(
        check="forecasts", spoke="forecast", part="lever", state="unknown", says=""
    )
    return [lacking(blank, "no prediction's horizon has passed yet")]


def _misjudged(data: HealthData, size: float) -> Stake:
    money = month_of(data, "SELECT ago, sum(paid) FROM h_order_lines GROUP BY ago")
    share = min(size, 1.0)
    return plain_stake(
        money,
        *(0.01 * share, 0.05 * share, 0.15 * share),
        "revenue of 30 days times the error; assumed lost: 1% to 15% of it, too much "
        "or too little in stock",
    )
