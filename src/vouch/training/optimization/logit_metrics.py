"""What a curve says of an epoch: accuracy, likelihood and the selective figure, on val_select."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from scipy.stats import rankdata

from vouch.errors import DataError, Problem


def metrics(logits: NDArray[np.float64], class_ids: NDArray[np.int64], *, where: str) -> dict[str, float]:
    """Return accuracy, nll (nats a photograph) and augrc of the largest probability, in [0, 0.5].

    Raises
    ------
    DataError
        When a logit is NaN or infinite: the training has diverged.

    References
    ----------
    AUGRC: Traub et al., arXiv:2407.01032; closed form (1 - AUROC) a (1 - a) + (1 - a)² / 2 at accuracy a, ties at
    their mean rank.
    """
    broken = int((~np.isfinite(logits)).any(axis=1).sum())
    if broken:
        got = f"NaN or infinity for {broken} of {len(logits)} photographs"
        raise DataError([Problem(where, "finite logits", got, "lower learning_rate, or train in float32")])
    log_p: NDArray[np.float64] = log_softmax(logits, axis=1)
    right = log_p.argmax(axis=1) == class_ids
    nll = -log_p[np.arange(len(class_ids)), class_ids].mean()
    accuracy = right.mean()
    return {"accuracy": float(accuracy), "nll": float(nll), "augrc": _augrc(log_p.max(axis=1), right)}


def _augrc(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    accuracy = right.mean()
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if n_right == 0 or n_wrong == 0:
        return float((1 - accuracy) / 2)
    ranks = rankdata(confidence)
    auroc = (ranks[right].sum() - n_right * (n_right + 1) / 2) / (n_right * n_wrong)
    return float((1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2)
