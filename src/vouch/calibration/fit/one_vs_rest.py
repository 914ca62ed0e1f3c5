"""Learn one scalar curve for each class against the rest: platt, isotonic, beta, histogram, BBQ and spline.

Curves are learned on the class's softmax, kept in [1e-7, 1 - 1e-7]; `multiclass_maps` makes each row sum to one
afterwards. Histogram, BBQ and spline may fall where the data do, so a detector's scores, whose order must stay, have
no use for them.
"""

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import gammaln

from vouch.calibration.apply.multiclass_maps import one_vs_rest_scores
from vouch.calibration.apply.probabilities import IntArray
from vouch.calibration.apply.scalar_maps import FloatArray, Map
from vouch.calibration.fit.scalar_fits import BoolArray, fit_beta, fit_isotonic, fit_platt

HISTOGRAM_BINS = 15  # Guo et al. 2017
PRIOR_ROWS = 2.0  # N' of the BDeu score, the value of Naeini's experiments
LEAST_WEIGHT = 1e-4  # of a histogram in BBQ's average, relative to the best one: the rest could not move a .0001
KNOTS = 6  # of the spline, as in Gupta et al.
POINTS = 101  # of the stored spline, at equally spaced ranks


def fit_one_vs_rest(method: str, logits: FloatArray, labels: IntArray) -> Map:
    """Return a map with one curve of this method for each class.

    Parameters
    ----------
    method : str
        One of `CURVES`.
    logits : float64 array, shape (n, classes)
    labels : intp array, shape (n,), in [0, classes)
    """
    scores = one_vs_rest_scores(logits)
    curves = [CURVES[method](scores[:, index], labels == index) for index in range(logits.shape[1])]
    return {"method": method, "classes": curves}


def fit_histogram(score: FloatArray, correct: BoolArray) -> Map:
    """Return (k + 1) / (n + 2) of 15 bins with about equally many rows (Zadrozny, Elkan 2001)."""
    ordered, right = _ordered(score, correct)
    places = _places(ordered, HISTOGRAM_BINS)
    n, k = _counts(right, places)
    return {
        "method": "histogram",
        "edges": _edges(ordered, places).tolist(),
        "confidences": ((k + 1) / (n + 2)).tolist(),
    }


def fit_bbq(score: FloatArray, correct: BoolArray) -> Map:
    """Return the average of equal-mass histograms of many sizes, each weighted by its BDeu score, as one step curve.

    Sizes run from n^(1/3) / 10 to 10 n^(1/3) bins. Histograms below 1e-4 of the best weight are left out, and values
    are kept in [1 / (n + 2), 1 - 1 / (n + 2)].

    References
    ----------
    Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    ordered, right = _ordered(score, correct)
    root = len(score) ** (1 / 3)
    sizes = range(max(1, round(root / 10)), max(1, round(10 * root)) + 1)
    histograms = [_bdeu(ordered, right, _places(ordered, size)) for size in sizes]
    evidence = np.array([one for one, _, _ in histograms])
    weights = np.exp(evidence - evidence.max())
    kept = [(weight, *one[1:]) for weight, one in zip(weights, histograms, strict=True) if weight >= LEAST_WEIGHT]
    edges = np.unique(np.concatenate([own for _, own, _ in kept]))
    inside = np.concatenate([[0.0], edges])  # a bin holds its lower edge
    summed = np.sum([weight * levels[np.searchsorted(own, inside, "right")] for weight, own, levels in kept], axis=0)
    mixed = summed / sum(weight for weight, _, _ in kept)
    return {"method": "bbq", "edges": edges.tolist(), "confidences": _kept_inside(mixed, len(score)).tolist()}


def fit_spline(score: FloatArray, correct: BoolArray) -> Map:
    """Return score + D'(rank), D a natural cubic spline through the cumulative gap between right and score.

    D(t) is the sum of (correct - score) over the share t of rows with the lowest scores, divided by n, so its slope is
    the local calibration error. The curve is stored at 101 ranks and is linear in between; values are kept in
    [1 / (n + 2), 1 - 1 / (n + 2)].

    References
    ----------
    Gupta et al., "Calibration of Neural Networks using Splines", ICLR 2021 (arXiv:2006.12800).
    """
    values, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    n = len(score)
    ahead = np.bincount(inverse, weights=correct - score) / counts  # equal scores have no order: each takes their mean
    gap = np.cumsum(np.repeat(ahead, counts)) / n
    basis = CubicSpline(np.linspace(0.0, 1.0, KNOTS), np.eye(KNOTS), bc_type="natural")
    design = basis(np.arange(1, n + 1) / n)[:, 1:]  # D(0) = 0: the first knot has no height of its own
    heights = np.linalg.lstsq(design, gap, rcond=None)[0]
    last = np.cumsum(counts) / n  # rank of each value's last row
    picked = np.unique(np.searchsorted(last, np.linspace(0.0, 1.0, POINTS)).clip(max=len(values) - 1))
    rank = last[picked] - counts[picked] / (2 * n)  # of the middle of the rows with this score
    levels = values[picked] + basis(rank, 1)[:, 1:] @ heights
    return {
        "method": "spline",
        "scores": values[picked].tolist(),
        "confidences": _kept_inside(levels, n).tolist(),
    }


CURVES: dict[str, Callable[[FloatArray, BoolArray], Map]] = {
    "platt": fit_platt,
    "isotonic": fit_isotonic,
    "beta": fit_beta,
    "histogram": fit_histogram,
    "bbq": fit_bbq,
    "spline": fit_spline,
}


def _ordered(score: FloatArray, correct: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return sorted scores, and how many of the first i rows are right, for i from 0 to n."""
    order = np.argsort(score, kind="stable")
    return score[order], np.concatenate([[0.0], np.cumsum(correct[order])])


def _places(ordered: FloatArray, bins: int) -> IntArray:
    """Return where bins 2 .. of at most `bins` with about equally many rows start; equal scores share a bin."""
    starts = ordered[(np.arange(1, bins) * len(ordered)) // bins]
    places = np.unique(np.searchsorted(ordered, starts, side="left"))
    return places[places > 0]


def _edges(ordered: FloatArray, places: IntArray) -> FloatArray:
    """Return the middle between neighbours of two bins, so that a rounded edge moves no row."""
    return (ordered[places - 1] + ordered[places]) / 2


def _counts(right: FloatArray, places: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the rows and the right rows of each bin."""
    ends = np.concatenate([[0], places, [len(right) - 1]])
    return np.diff(ends).astype(np.float64), np.diff(right[ends])


def _bdeu(ordered: FloatArray, right: FloatArray, places: IntArray) -> tuple[float, FloatArray, FloatArray]:
    """Return a histogram's log evidence under a Beta prior at each bin's middle, its edges and its posterior means."""
    n, k = _counts(right, places)
    edges = _edges(ordered, places)
    bounds = np.concatenate([[0.0], edges, [1.0]])
    prior = PRIOR_ROWS / len(n)
    yes = prior * (bounds[:-1] + bounds[1:]) / 2
    no = prior - yes
    evidence = gammaln(prior) - gammaln(n + prior) + gammaln(k + yes) - gammaln(yes) + gammaln(n - k + no) - gammaln(no)
    return float(evidence.sum()), edges, (k + yes) / (n + prior)


def _kept_inside(levels: FloatArray, n: int) -> FloatArray:
    margin = 1.0 / (n + 2)
    return np.clip(levels, margin, 1.0 - margin)
