"""Crops of a made-up embedder: products p0 to p3 that the gallery knows, u0 to u2 that it does not."""

import numpy as np
import pandas as pd

KNOWN, UNKNOWN = ("p0", "p1", "p2", "p3"), ("u0", "u1", "u2")


def crops(similarity, margin, product, class_pred, group) -> pd.DataFrame:
    """Build rows; a product that is none of the known ones has no truth that the gallery knows."""
    product = np.asarray(product, dtype=object)
    true = np.where(np.isin(product, KNOWN), product, None)
    return pd.DataFrame(
        {
            "sample_id": [f"s{index:05d}#0" for index in range(len(product))],
            "group": np.asarray(group, dtype=object),
            "class_true": pd.array(true, dtype="str"),
            "class_pred": pd.array(np.asarray(class_pred, dtype=object), dtype="str"),
            "correct": true == np.asarray(class_pred, dtype=object),
            "similarity": np.asarray(similarity, dtype=np.float64),
            "margin": np.asarray(margin, dtype=np.float64),
            "product": product,
        }
    )


def independent(seed: int, known: int = 400, unknown: int = 400) -> pd.DataFrame:
    """Crops in groups of their own: known ones near their product and right nine times of ten."""
    rng = np.random.default_rng(seed)
    product = np.concatenate([rng.choice(KNOWN, known), rng.choice(UNKNOWN, unknown)]).astype(object)
    near = np.arange(known + unknown) < known
    similarity = np.clip(np.where(near, 0.8, 0.35) + 0.12 * rng.normal(size=len(near)), -1, 1)
    margin = rng.exponential(np.where(near, 0.4, 0.1))
    right = near & (rng.random(len(near)) < 0.9)
    said = np.where(right, product, rng.choice(KNOWN, len(near)))
    return crops(similarity, np.minimum(margin, 2), product, said, [f"g{i:05d}" for i in range(len(near))])
