"""One bound for shares of rows that come in groups, for judging, gating, operating points and certificates.

A share of hits among rows is read as if it came from fewer, independent rows (Korn, Graubard 1998: Clopper-Pearson on
effective counts). How many fewer is known from two sides, and the lower of the two bounds counts:

planned  from the sizes of the groups and a correlation fixed beforehand: m rows of a group are worth
         m / (1 + (m - 1) correlation) independent ones. Where hardly anything is missed the rows judged say nothing of
         their correlation, and an estimate from them would be 0 more often than not.
shown    from the misses themselves: pairs of misses in a group beyond what chance allows at the share in question.

Both rise when a hit or a group of hits is added, or a miss becomes a hit: what is planned depends on sizes alone and
gains by every row; what is shown counts misses, which other hits can only make rarer. For rows in groups of their own
both are Clopper-Pearson's. docs/intervals.md has the measured errors.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, ndtri, stdtrit

FloatArray = npt.NDArray[np.float64]

STEPS = 40  # halvings of the search for a bound: 1e-12
MAJORITY = 0.5  # from this share of misses on, what chance alone leaves of the pairs is taken off; below it is little


def share_interval(hits: FloatArray, rows: FloatArray, *, correlation: float, level: float) -> tuple[float, float]:
    """Return the ends of the two-sided interval of a share; each end is a one-sided bound with (1 - level) / 2.

    Parameters
    ----------
    hits, rows : float64 arrays, shape (g,)
        Whole numbers of each group, hits <= rows.
    correlation : float
        Of hits within a group, in [0, 1], known from elsewhere.
    level : float
        Two-sided coverage, say .95.
    """
    tail = (1 - level) / 2
    low = lower_bound(hits, rows, correlation=correlation, tail=tail)
    return low, 1 - lower_bound(rows - hits, rows, correlation=correlation, tail=tail)


def lower_bound(hits: FloatArray, rows: FloatArray, *, correlation: float, tail: float) -> float:
    """Return the bound that lies above the true share with a probability of about `tail`; 0 of nothing.

    Parameters
    ----------
    hits, rows, correlation
        As `share_interval` takes them. One group is one observation, whatever the correlation.
    tail : float
        In (0, 1); a bound that is no bound (tail above .25) is not promised to rise with every hit.

    >>> one_of_each = np.ones(73)
    >>> round(lower_bound(one_of_each, one_of_each, correlation=0.05, tail=0.025), 3)
    0.951
    """
    some = rows > 0
    hits, rows = hits[some], rows[some]
    if not hits.any():
        return 0.0
    known = correlation if len(rows) > 1 else 1.0
    worth = rows / (1 + (rows - 1) * known)
    total = float(worth.sum())
    # Where large groups fare worse, a share weighted by worth lies above that of the rows; either may be the lower one.
    share = min(float(hits.sum() / rows.sum()), float((hits / rows) @ worth) / total)
    planned = float(betaincinv(share * total, (1 - share) * total + 1, tail))
    return planned if len(rows) < 2 else 1 - _shown(rows - hits, rows, at_least=1 - planned, tail=tail)


def effective_rows(rows: FloatArray, correlation: float) -> float:
    """Return how many independent rows the rows of groups are worth before anything is known of their hits."""
    rows = rows[rows > 0]
    return float((rows / (1 + (rows - 1) * (correlation if len(rows) > 1 else 1.0))).sum())


def intraclass_correlation(hits: FloatArray, rows: FloatArray) -> float:
    """Return the correlation of two rows of a group, 0 where every row is a hit or none is, or no group has two.

    The mean product of deviations over all pairs of rows that share a group, over the variance of a row.
    """
    pairs = float((rows * (rows - 1)).sum())
    share = float(hits.sum() / max(rows.sum(), 1.0))
    if pairs == 0 or not 0 < share < 1:
        return 0.0
    alone = hits * (1 - share) ** 2 + (rows - hits) * share**2
    products = float(((hits - share * rows) ** 2 - alone).sum())
    return float(np.clip(products / pairs / (share * (1 - share)), 0.0, 1.0))


def _shown(misses: FloatArray, rows: FloatArray, *, at_least: float, tail: float) -> float:
    """Return the least share of misses from `at_least` on that the misses and their pairs contradict."""
    inside = misses > 0
    total, size = float(misses.sum()), float(rows.sum())
    # Pairs are counted in few groups; t in place of normal quantiles is the usual price of an estimated variance.
    price = float((stdtrit(len(rows) - 1, min(tail, 0.25)) / ndtri(min(tail, 0.25))) ** 2)
    sizes, groups = np.unique(rows, return_counts=True)
    misses, rows = misses[inside], rows[inside]

    def contradicted(share: float) -> bool:
        if share >= 1:
            return True
        beyond = float((misses * np.maximum(misses - 1 - share * (rows - 1), 0.0)).sum())
        if share > MAJORITY:
            beyond = max(beyond - float(groups @ _pairs_by_chance(sizes, share)), 0.0)
        pairs = min(price * beyond / (1 - share), total * (total - 1))
        if pairs <= 0:
            return True  # no more than what is planned
        # As many pairs come from at least `fewest` misses, all of one group. That such a group is one miss of as many
        # is the less certain reading of few clusters, and keeps a lone further miss from looking like good news.
        fewest = (1 + np.sqrt(1 + 4 * pairs)) / 2
        return _improbable(total, size, 1 + pairs / total, share, tail) and _improbable(
            fewest, size, fewest, share, tail
        )

    low, high = at_least, 1.0
    if contradicted(low):
        return low
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if contradicted(middle) else (middle, high)
    return high


def _pairs_by_chance(sizes: FloatArray, share: float) -> FloatArray:
    """Return what independent rows of a group leave on average of m (m - 1 - share (n - 1)), cut off at 0.

    Partial factorial moments of the binomial distribution of the m misses of n rows: from `least` on, E m (m - 1) is
    n (n - 1) share^2 P(m' >= least - 2) of two rows fewer, E m is n share P(m' >= least - 1) of one row fewer.
    """
    least = np.floor(1 + share * (sizes - 1)) + 1
    ahead = _at_least(least - 2, sizes - 2, share) - _at_least(least - 1, sizes - 1, share)
    return sizes * (sizes - 1) * share**2 * ahead


def _at_least(count: FloatArray, rows: FloatArray, share: float) -> FloatArray:
    """Return the probability of at least `count` misses among independent rows."""
    some = (count > 0) & (count <= rows)
    found = np.where(count > 0, 0.0, 1.0)
    found[some] = betainc(count[some], rows[some] - count[some] + 1, share)
    return found


def _improbable(misses: float, rows: float, effect: float, share: float, tail: float) -> bool:
    """Whether so few misses, or fewer, have a probability of at most `tail` under this share."""
    left = (rows - misses) / effect
    return left > 0 and float(betainc(left, misses / effect + 1, 1 - share)) <= tail
