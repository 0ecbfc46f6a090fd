"""Are the groups as large as they should be? If not, nothing else can be believed."""

from __future__ import annotations

from collections.abc import Mapping

ALARM = 0.001
"""p value below which the check stops every verdict."""


def sample_ratio(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Return the p value of the groups' sizes against their shares; chi-square.

    Args:
        counts: Units by arm.
        shares: Share of each arm, above 0; they are scaled to add up to one.

    Raises:
        ValueError: If the arms differ, a share is not above 0 or nobody was counted.
    """
    from scipy.stats import chisquare

    if set(counts) != set(shares):
        raise ValueError(f"arms {sorted(counts)} and shares of {sorted(shares)} differ")
    if min(shares.values()) <= 0:
        raise ValueError(f"shares are {dict(shares)}; expected each above 0")
    total = sum(counts.values())
    if total == 0:
        raise ValueError("there are no units")
    names = sorted(counts)
    whole = sum(shares.values())
    expected = [total * shares[name] / whole for name in names]
    return float(chisquare([counts[name] for name in names], expected).pvalue)
