"""What a comparison could have shown: the smallest true difference that groups like these make significant."""

from collections.abc import Mapping
from typing import Any

from scipy.stats import t

from vouch.evaluation.gates.margins import ENOUGH
from vouch.evaluation.metrics.definitions.table import METRICS


def detectable(found: Mapping[str, Any], *, name: str, family: int, level: float) -> float | None:
    """Return the true difference, either way, that would be called better or worse with 80 %; None where none would.

    The minimum detectable effect of Bloom (1995): the standard error times the sum of two quantiles of t on the groups,
    that of the corrected level and that of the power. Holm's first step corrects over the whole family, so this is what
    one difference needs beside others that show nothing. The spread is the one observed, of two sides this much alike.
    None without an error, where nothing differs, where no p of so few groups is small enough, and for a share above 1.

    Parameters
    ----------
    found : map
        A difference of comparison.json: `standard_error`, `n_groups`, `least_p_holm`.
    name : str
        Key of `definitions.table.METRICS`.
    family : int
        Differences that Holm's correction is over, at least 1.
    level : float
        1 - alpha of better and worse, over all of them.
    """
    error, least, groups = found["standard_error"], found["least_p_holm"], found["n_groups"]
    if error is None or least is None or least > 1 - level or not error > 0:
        return None
    reach = t.isf((1 - level) / (2 * family), groups - 1) + t.ppf(ENOUGH, groups - 1)
    smallest = float(error * reach)
    return None if METRICS[name].interval == "share" and smallest > 1 else smallest
