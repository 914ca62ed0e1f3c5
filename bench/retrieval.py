"""Nearest of 50,000 prototypes for 1,000 crops, beside faiss: `PYTHONPATH=src python bench/retrieval.py`."""

import importlib.util
import sys

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sides import in_turns
from vouch.retrieval.gallery import Gallery
from vouch.retrieval.neighbours import nearest

RUNS = 5
PROTOTYPES, WIDTH, QUERIES, K = 50_000, 256, 1000, 5
GOALS = {"faiss": 0.9, "scikit-learn": 2}


def directions(generator: np.random.Generator, rows: int) -> np.ndarray:
    found = generator.standard_normal((rows, WIDTH), dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def made_up_gallery(generator: np.random.Generator) -> Gallery:
    return Gallery(
        products=tuple(f"p{index:05d}" for index in range(PROTOTYPES)),
        prototypes=directions(generator, PROTOTYPES),
        owner=np.arange(PROTOTYPES),
        mean=np.zeros(WIDTH, dtype=np.float32),
        projection=np.eye(WIDTH, dtype=np.float32),
        counts=np.ones(PROTOTYPES, dtype=np.int64),
        model_sha256="a" * 64,
        preprocess_sha256="b" * 64,
    )


def main() -> None:
    if importlib.util.find_spec("faiss") is None:
        sys.exit("bench/retrieval.py: the peer faiss-cpu is not installed; run `make bench`, which installs it")
    import faiss

    generator = np.random.default_rng(0)
    gallery, crops = made_up_gallery(generator), directions(generator, QUERIES)
    index = faiss.IndexFlatIP(WIDTH)
    index.add(gallery.prototypes)
    brute = NearestNeighbors(n_neighbors=K, metric="cosine", algorithm="brute").fit(gallery.prototypes)
    sides = {
        "ours": lambda: nearest(gallery, crops, k=K).product_index,
        "faiss": lambda: index.search(crops, K)[1],
        "scikit-learn": lambda: brute.kneighbors(crops, return_distance=False),
    }
    found, seconds = in_turns(sides, RUNS)
    for peer in GOALS:
        if np.mean(found["ours"] == found[peer]) < 0.999:  # two that are equally near in float32 may change places
            sys.exit(f"bench/retrieval.py: {peer} found others")
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    for peer, goal in GOALS.items():
        what = f"{K} nearest of {PROTOTYPES:,} prototypes for {QUERIES:,} crops, beside {peer}"
        mine, theirs = seconds["ours"], seconds[peer]
        print(f"| {what} | {mine:.2f} s | {theirs:.2f} s | {theirs / mine:.2f} | {goal} |")


if __name__ == "__main__":
    main()
