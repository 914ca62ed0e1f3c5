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

BoolArray = npt.NDArray[np.bool_]
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
    planned = float(_planned(hits, rows, correlation=correlation, tail=tail))
    return planned if len(rows) < 2 else 1 - _shown(rows - hits, rows, at_least=1 - planned, tail=tail)


def reaches(hits: FloatArray, rows: FloatArray, *, limit: float, correlation: float, tail: float) -> BoolArray:
    """Return for each draw whether `lower_bound` is at least `limit`, without a search for the bound itself.

    Parameters
    ----------
    hits, rows : float64 arrays, shape (draws, g)
        As `lower_bound` takes them, a line for each draw; no group is empty.
    limit : float
        In (0, 1].
    correlation, tail
        As `lower_bound` takes them.
    """
    planned = _planned(hits, rows, correlation=correlation, tail=tail)
    found = (planned >= limit) & hits.any(axis=-1)
    if rows.shape[-1] < 2 or not found.any():
        return found
    misses, rows = (rows - hits)[found], rows[found]
    chance = _pairs_by_chance(rows, 1 - limit).sum(axis=-1)
    asked = {"chance": chance, "price": _price(rows.shape[-1], tail), "tail": tail}
    found[found] = _contradicted(misses, rows, rows.sum(axis=-1), 1 - limit, **asked)
    return found


def _planned(hits: FloatArray, rows: FloatArray, *, correlation: float, tail: float) -> FloatArray:
    """Return the bound from sizes and a correlation, along the last axis."""
    known = correlation if rows.shape[-1] > 1 else 1.0
    worth = rows / (1 + (rows - 1) * known)
    total = worth.sum(axis=-1)
    # Where large groups fare worse, a share weighted by worth lies above that of the rows; either may be the lower one.
    weighted = (hits / rows * worth).sum(axis=-1) / total
    share = np.minimum(hits.sum(axis=-1) / rows.sum(axis=-1), weighted)
    share = np.minimum(share, 1.0)  # of a sum that rounds up
    return np.asarray(betaincinv(share * total, (1 - share) * total + 1, tail), dtype=np.float64)


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
    size, price, inside = rows.sum(), _price(len(rows), tail), misses > 0
    sizes, groups = np.unique(rows, return_counts=True)
    misses, rows = misses[inside], rows[inside]

    def contradicted(share: float) -> bool:
        if share >= 1:
            return True
        chance = groups @ _pairs_by_chance(sizes, share)
        return bool(_contradicted(misses, rows, size, share, chance=chance, price=price, tail=tail))

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
    n (n - 1) share^2 P(m' >= least - 2) of two rows fewer, E m is n share P(m' >= least - 1) of one row fewer. Nothing
    up to `MAJORITY`.
    """
    if share <= MAJORITY:
        return np.zeros_like(sizes)
    least = np.floor(1 + share * (sizes - 1)) + 1
    ahead = _at_least(least - 2, sizes - 2, share) - _at_least(least - 1, sizes - 1, share)
    return sizes * (sizes - 1) * share**2 * ahead


def _at_least(count: FloatArray, rows: FloatArray, share: float) -> FloatArray:
    """Return the probability of at least `count` misses among independent rows."""
    some = (count > 0) & (count <= rows)
    found = np.where(count > 0, 0.0, 1.0)
    found[some] = betainc(count[some], rows[some] - count[some] + 1, share)
    return found


def _price(groups: int, tail: float) -> float:
    """Return what t costs in place of normal quantiles, as pairs are counted in few groups: an estimated variance."""
    return float((stdtrit(groups - 1, min(tail, 0.25)) / ndtri(min(tail, 0.25))) ** 2)


def _contradicted(
    misses: FloatArray,
    rows: FloatArray,
    size: FloatArray,
    share: float,
    *,
    chance: FloatArray,
    price: float,
    tail: float,
) -> BoolArray:
    """Return along the last axis whether misses among `size` rows, and their pairs, contradict a share below 1."""
    total = misses.sum(axis=-1)
    beyond = (misses * np.maximum(misses - 1 - share * (rows - 1), 0.0)).sum(axis=-1)
    pairs = np.minimum(price * np.maximum(beyond - chance, 0.0) / (1 - share), total * (total - 1))
    # As many pairs come from at least `fewest` misses, all of one group. That such a group is one miss of as many
    # is the less certain reading of few clusters, and keeps a lone further miss from looking like good news.
    fewest = (1 + np.sqrt(1 + 4 * pairs)) / 2
    counted = _improbable(total, size, 1 + pairs / np.maximum(total, 1.0), share, tail)
    nothing: BoolArray = pairs <= 0  # and so what is planned holds
    return nothing | counted & _improbable(fewest, size, fewest, share, tail)


def _improbable(misses: FloatArray, rows: FloatArray, effect: FloatArray, share: float, tail: float) -> BoolArray:
    """Return whether so few misses, or fewer, have a probability of at most `tail` under this share."""
    return np.asarray(betainc((rows - misses) / effect, misses / effect + 1, 1 - share) <= tail)
