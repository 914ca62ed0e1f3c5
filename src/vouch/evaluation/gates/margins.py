"""What groups can resolve: how often a model equal to its baseline keeps a limit on their difference."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

ENOUGH = 0.8  # the usual power; an equal model that passes less often is judged by luck
NORMAL = NormalDist()


def equal_passes(found: Mapping[str, Any], *, op: str, limit: float, bound: str) -> float | None:
    """Return the chance that a model equal to the baseline keeps a limit on the difference, with groups like these.

    None where nobody asks: the limit calls for a gain, the rule reads the verdict, the difference has no interval, or
    the candidate is shown to be better, so that the spread of its difference is not that of two equal models.

    Parameters
    ----------
    found : map
        A difference of comparison.json.
    op, limit, bound
        Of the rule.
    """
    offset, error = _offset(found, bound), found.get("standard_error")
    away = 1 if op == ">=" else -1
    if offset is None or error is None or away * limit > 0 or found.get("verdict") == "better":
        return None
    room = away * (offset - limit)
    return float(NORMAL.cdf(room / error)) if error > 0 else float(room >= 0)


def least_margin(found: Mapping[str, Any], *, op: str, bound: str) -> float | None:
    """Return the loss that a limit has to allow for an equal model to pass with 80 %; None without an interval."""
    offset, error = _offset(found, bound), found.get("standard_error")
    if offset is None or error is None:
        return None
    return float(max(0.0, NORMAL.inv_cdf(ENOUGH) * error + (-offset if op == ">=" else offset)))


def least_limit(found: Mapping[str, Any], *, op: str, bound: str, level: float) -> float | None:
    """Return the limit that is kept with 80 % on other such groups, were the truth what was observed.

    The metric is taken as normal, as wide as its interval shows on the side that hurts; None without that end.

    Parameters
    ----------
    found : map
        What was measured: `value`, `low`, `high`.
    op, bound
        Of the rule: `>=` or `<=`, and what it reads, `value` or an end.
    level : float
        Two-sided, of the interval.
    """
    value, end = found.get("value"), found.get("low" if op == ">=" else "high")
    if value is None or end is None:
        return None
    reach = NORMAL.inv_cdf((1 + level) / 2)
    room = NORMAL.inv_cdf(ENOUGH) + (reach if bound != "value" else 0.0)
    return float(value + (end - value) / reach * room)


def _offset(found: Mapping[str, Any], bound: str) -> float | None:
    """Return how far what a rule reads lies from the difference itself."""
    read, delta = found.get("delta" if bound == "value" else bound), found.get("delta")
    return read - delta if isinstance(read, float | int) and isinstance(delta, float | int) else None
