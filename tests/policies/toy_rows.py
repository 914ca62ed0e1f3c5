"""Calibrated rows of a made-up binary classifier whose truth is known."""

import numpy as np
import pandas as pd


def binary(positive: np.ndarray, true: np.ndarray, group: np.ndarray, gate: np.ndarray | None = None) -> pd.DataFrame:
    """Build rows from the calibrated probability of "work", whether it is work, and the group."""
    table = pd.DataFrame(
        {
            "sample_id": [f"s{index:05d}" for index in range(len(positive))],
            "group": [f"g{index:05d}" for index in np.asarray(group)],
            "stratum_source": "north",
            "class_true": np.where(true, "work", "free"),
            "class_pred": np.where(positive >= 0.5, "work", "free"),
            "confidence": np.maximum(positive, 1 - positive),
            "probability_free": 1 - positive,
            "probability_work": positive,
        }
    )
    return table if gate is None else table.assign(gate=gate)


def world(generator: np.random.Generator, groups: int, size: float, alike: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw groups; return their rows and the true probability of "work" of each, given all that its group knows.

    `alike` is the share of the variance of what makes a row easy that its group decides, and of what the classifier
    cannot see; 0 makes rows independent.
    """
    group = np.repeat(np.arange(groups), 1 + generator.poisson(size - 1, groups))
    seen = np.sqrt(alike) * generator.normal(size=groups)[group]
    seen = 3 * (seen + np.sqrt(1 - alike) * generator.normal(size=len(group)))
    hidden = np.sqrt(alike) * generator.normal(size=groups)[group]
    truth = 1 / (1 + np.exp(-(1.3 * seen + hidden)))
    table = binary(1 / (1 + np.exp(-seen)), generator.random(len(group)) < truth, group)
    return table.assign(gate=np.clip(table["confidence"] - 0.05 * np.abs(np.sin(9 * seen)), 0, 1)), truth
