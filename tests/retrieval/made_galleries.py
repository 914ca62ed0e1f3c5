"""Galleries of made-up products: each has a direction of its own, and embeddings around it."""

from typing import Any

import numpy as np

from vouch.retrieval.gallery import Gallery, build

MODEL, PREPROCESS = "a" * 64, "b" * 64


def made_up(products: int = 6, each: int = 20, width: int = 16, noise: float = 0.3) -> tuple[np.ndarray, list[str]]:
    """Return embeddings of lengths other than 1, and the product of each."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(products, width)) + 2.0  # a mean that all share, as of networks that end in a ReLU
    found = np.repeat(centres, each, axis=0) + noise * rng.normal(size=(products * each, width))
    return found * rng.uniform(0.5, 20, size=(len(found), 1)), [f"p{i // each:02d}" for i in range(len(found))]


def built(embeddings: Any, products: list[str], **changes: Any) -> Gallery:
    asked = {"prototypes_per_product": 1, "whiten": None, "seed": 1}
    return build(embeddings, products, model_sha256=MODEL, preprocess_sha256=PREPROCESS, **{**asked, **changes})


def unit(rows: Any) -> np.ndarray:
    return np.array([np.asarray(row) / np.sqrt(sum(value * value for value in row)) for row in rows])
