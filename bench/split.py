"""Split of 1,000,000 samples in 100,000 groups, beside scikit-learn: `PYTHONPATH=src python bench/split.py`.

One run of StratifiedGroupKFold takes about 45 s, so the five of the median take four minutes.
"""

import resource

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from sides import in_turns
from vouch.splits.assignment import assign
from vouch.splits.params import Fractions, Splitting

RUNS = 5
N, N_GROUPS = 1_000_000, 100_000
FRACTIONS = {"train": 0.7, "val_select": 0.1, "val_calib": 0.1, "val_test": 0.1}


def made_up() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Samples with one of ten labels, which hang together within a group, and the same as codes."""
    generator = np.random.default_rng(0)
    group = generator.integers(0, N_GROUPS, N)
    label = np.minimum((generator.integers(0, 40, N_GROUPS)[group] + generator.integers(0, 40, N)) // 8, 9)
    names = np.array([f"class_{code}" for code in range(10)], dtype=object)
    samples = pd.DataFrame(
        {
            "sample_id": [f"source/{number:07d}.jpg" for number in range(N)],
            "label": pd.Series(names[label], dtype="str"),
            "group_session": pd.Series([f"s{code:06d}" for code in group], dtype="str"),
        }
    )
    return samples, label, group


def ours(samples: pd.DataFrame) -> pd.DataFrame:
    none = pd.DataFrame(columns=["sample_id", "class_name", "cluster"], dtype="str")
    asked = Splitting(fractions=Fractions(**FRACTIONS), seed=1, bridge="refuse", stated={}, unknown_products={})
    return assign(samples, none, none, {}, asked).table


def peer(label: np.ndarray, group: np.ndarray) -> int:
    folds = StratifiedGroupKFold(n_splits=10).split(np.zeros(N), label, group)
    return sum(len(test) for _, test in folds)


def imbalance(table: pd.DataFrame, samples: pd.DataFrame) -> float:
    label = samples.set_index("sample_id")["label"].reindex(table["sample_id"]).to_numpy()
    shares = pd.crosstab(label, table["split"].to_numpy(), normalize="index")
    return float((shares - pd.Series(FRACTIONS)).abs().to_numpy().max())


def main() -> None:
    samples, label, group = made_up()
    worst = imbalance(ours(samples), samples)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # before the peer adds its own
    _, seconds = in_turns({"ours": lambda: ours(samples), "peer": lambda: peer(label, group)}, RUNS)
    our_s, peer_s = seconds["ours"], seconds["peer"]
    what = f"split {N:,} samples in {N_GROUPS:,} groups (peak {peak_gb:.2f} GB of 2, label shares within {worst:.4f})"
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    print(f"| {what} | {our_s:.2f} s | {peer_s:.1f} s | {peer_s / our_s:.0f} | 20 |")


if __name__ == "__main__":
    main()
