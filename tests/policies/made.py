"""A calibrator that changes nothing, the policies of one threshold a class, and detections for them to decide on."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

SHARED = {"feasible": True, "infeasible": {}, "objective": {}, "evidence": {}, "intraclass_correlation": 0.05}


def unchanged(floor: float = 0.0) -> dict[str, Any]:
    return {"kind": "scalar", "floor": floor, "global": {"method": "identity"}, "classes": {}}


def accepting(thresholds: Mapping[str, float]) -> dict[str, Any]:
    of_none = {"guarantee": "none", "alpha": None, "delta": None}
    return {"kind": "operating_point", "thresholds": dict(thresholds), **of_none, **SHARED}


def certified(kind: str, positive: str, **own: Any) -> dict[str, Any]:
    return {"kind": kind, "positive": positive, "guarantee": "certified", "alpha": 0.02, "delta": 0.05, **SHARED, **own}


def phones(found: Iterable[bool], group: Iterable[int], *, stream: Any, score: float, hits: int) -> pd.DataFrame:
    """One row for each phone that is there, found with this score and these hits, or missed."""
    found = np.asarray(found, dtype=bool)
    return pd.DataFrame(
        {
            "sample_id": [f"s{number:04d}" for number in range(len(found))],
            "group": [f"g{number:03d}" for number in group],
            "stratum_stream": stream,
            "class_true": pd.array(["phone"] * len(found), dtype="str"),
            "class_pred": pd.array(np.where(found, "phone", None), dtype="str"),
            "score": np.where(found, score, 0.0),
            "correct": found,
            "hits": np.where(found, hits, 0).astype(np.uint16),
        }
    )
