"""Metrics of selective answers: answer the surest, abstain from the rest, count errors among what was answered.

Rows that say nothing (a miss) are not answers and stand outside. The risk is the share of wrong ones among the
answered.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import xlog1py

from vouch.evaluation.metrics.blocks import by_blocks
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure
from vouch.evaluation.metrics.ranking import (
    Order,
    Places,
    events_of,
    in_order,
    least,
    measure_of,
    quotient,
    rows_upto,
    weighted,
)

SLACK = 1e-9  # events: .07 of 100 rows is 7.000000000000001, and .29 of them 28.999999999999996


def errors_by_confidence(rows: pd.DataFrame, n_groups: int) -> Order:
    """Order the answers by calibrated confidence; the wrong ones are the events."""
    said = rows[rows["class_pred"].notna().to_numpy(dtype=bool)]
    return in_order(
        said["confidence"].to_numpy(dtype=np.float64),
        ~said["correct"].to_numpy(dtype=bool),
        said["group_index"].to_numpy(dtype=np.intp),
        n_groups=n_groups,
    )


def aurc(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the mean over k of the risk of the k surest answers, in random order inside a tie.

    References
    ----------
    Geifman, Uziel, El-Yaniv 2019 (arXiv:1805.08206); ties as the expectation over their order.
    """
    return measure_of(errors_by_confidence(rows, n_groups), _aurc)


def e_aurc(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return AURC less e + (1 - e) ln(1 - e), what the best order of as many errors (a share e) would have.

    References
    ----------
    Geifman, Uziel, El-Yaniv 2019 (arXiv:1805.08206), equation 4: the limit of many rows, so off by about 1 / n.
    """
    return measure_of(errors_by_confidence(rows, n_groups), lambda found: _aurc(found) - _best_aurc(found))


def augrc(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the area under the generalised risk (wrong and answered, of all) over the coverage, in [0, 1/2].

    Every error counts for the coverages from its own on, which is the trapezoid rule over working points and equals
    (1 - AUROC) a (1 - a) + (1 - a)^2 / 2 with the accuracy a and the AUROC of right against wrong.

    References
    ----------
    Traub et al. 2024 (arXiv:2407.01032), equation 5.
    """
    return measure_of(errors_by_confidence(rows, n_groups), _augrc)


def risk_at_coverage(rows: pd.DataFrame, n_groups: int, *, share: float) -> Measure:
    """Return the risk at the first working point that answers at least `share` of the rows."""
    order = errors_by_confidence(rows, n_groups)

    def values(weights: IntArray) -> FloatArray:
        return by_blocks(len(weights), len(order.group), lambda block: _risk_at(order, weights[block], share))

    return Measure(values, order.support, share=True)


def coverage_at_risk(rows: pd.DataFrame, n_groups: int, *, limit: float) -> Measure:
    """Return the largest share of rows answered at a working point whose risk is at most `limit`; 0 without one.

    The risk may be above the limit at smaller coverages: `coverage_before_risk` stops there.
    """
    order = errors_by_confidence(rows, n_groups)
    return measure_of(order, lambda found: quotient(admissible(found, limit)[0], found.total))


def coverage_before_risk(rows: pd.DataFrame, n_groups: int, *, limit: float) -> Measure:
    """Return the share of rows answered before the risk first exceeds `limit`; 1 when it never does."""
    order = errors_by_confidence(rows, n_groups)
    return measure_of(order, lambda found: quotient(_before_crossing(found, limit), found.total))


def admissible(found: Places, limit: float) -> tuple[FloatArray, FloatArray]:
    """Return how many rows, and how many of them are events, stand up to the last working point within the limit.

    Between two ties with events the risk only falls, so the last row before each such tie, and the very last row, are
    all that has to be looked at. None of them within the limit is no row and no event.
    """
    rows = np.concatenate([found.first, found.upto[:, -1:]], axis=1)
    events = np.zeros_like(rows)
    np.cumsum(found.events, axis=1, out=events[:, 1:])
    within = events <= limit * rows + SLACK  # without a row: 0 events, within
    last = rows.shape[1] - 1 - np.argmax(within[:, ::-1], axis=1)[:, None]
    most, wrong = (np.take_along_axis(part, last, axis=1)[:, 0].astype(np.float64) for part in (rows, events))
    return most, wrong


def _before_crossing(found: Places, limit: float) -> FloatArray:
    above = np.cumsum(found.events, axis=1) > limit * found.last + SLACK
    starts = np.where(above, found.first, found.upto[:, -1:])
    earliest = starts.min(axis=1, initial=np.iinfo(np.int32).max)
    reached: FloatArray = np.minimum(earliest.astype(np.float64), found.total)
    return reached


def _aurc(found: Places) -> FloatArray:
    """Sum what each error adds to the risks r_k = E_k / k: 1 / k from its own k on, a ramp inside its tie."""
    harmonic = _harmonic(int(found.upto.max(initial=1)).bit_length())
    first, last = found.first, found.last
    low, high = harmonic[first], harmonic[last]
    taken = high + first / np.maximum(last - first, 1) * (high - low)
    whole = found.found * (harmonic[found.upto[:, -1]] + 1.0)
    return quotient(whole - weighted(found.events, taken), found.total)


@lru_cache(maxsize=1)
def _harmonic(bits: int) -> FloatArray:
    """Return 1 + 1/2 + .. + 1/k for every k that has so many bits, 0 first."""
    numbers = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, 2**bits))])
    numbers.setflags(write=False)
    return numbers


def _best_aurc(found: Places) -> FloatArray:
    error = quotient(found.found, found.total)
    best: FloatArray = error + xlog1py(1.0 - error, -error)
    return best


def _augrc(found: Places) -> FloatArray:
    beyond = found.found * found.total - weighted(found.events, found.first + found.last) / 2
    return quotient(beyond, found.total**2)


def _risk_at(order: Order, weights: IntArray, share: float) -> FloatArray:
    upto = np.take(rows_upto(order, weights), order.ends, axis=1)
    events = np.cumsum(events_of(order, weights), axis=1)
    risks = np.full(len(weights), np.nan)
    for replicate in np.flatnonzero(upto[:, -1:].any(axis=1)):
        rows = upto[replicate]
        needed = least(share, rows[-1:].astype(np.float64)).astype(np.int32)
        tie = rows.searchsorted(needed)[0]
        wrong = order.event_tie.searchsorted(tie, side="right")
        risks[replicate] = events[replicate, wrong - 1] / rows[tie] if wrong else 0.0
    return risks
