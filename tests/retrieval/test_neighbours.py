import tracemalloc

import faiss
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from retrieval.made_galleries import MODEL, PREPROCESS, built, made_up
from vouch.errors import DataError
from vouch.retrieval import neighbours
from vouch.retrieval.gallery import Gallery, transform
from vouch.retrieval.neighbours import nearest


def random_gallery(prototypes: int, width: int, products: int, seed: int = 0) -> Gallery:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(prototypes, width)).astype(np.float32)
    owner = np.sort(np.concatenate([np.arange(products), rng.integers(0, products, prototypes - products)]))
    return Gallery(
        products=tuple(f"p{i:05d}" for i in range(products)),
        prototypes=rows / np.linalg.norm(rows, axis=1, keepdims=True),
        owner=owner.astype(np.int64),
        mean=np.zeros(width, dtype=np.float32),
        projection=np.eye(width, dtype=np.float32),
        counts=np.ones(products, dtype=np.int64),
        model_sha256=MODEL,
        preprocess_sha256=PREPROCESS,
    )


def queries(n: int, width: int) -> np.ndarray:
    rows = np.random.default_rng(9).normal(size=(n, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("block", [neighbours.BLOCK, 1000])
def test_nearest_of_single_prototypes_are_those_of_faiss_and_scikit_learn(block, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", block)
    gallery, asked = random_gallery(700, 24, 700), queries(50, 24)
    found = nearest(gallery, asked, k=5)
    index = faiss.IndexFlatIP(24)
    index.add(gallery.prototypes)
    similarity, places = index.search(asked, 5)
    assert found.product_index.tolist() == places.tolist()
    assert found.similarity == pytest.approx(similarity, abs=1e-6)
    peer = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(gallery.prototypes)
    assert found.product_index.tolist() == peer.kneighbors(asked, return_distance=False).tolist()


def by_loop(gallery, asked, k):
    lines = []
    for query in asked:
        best = {}
        for owner, row in zip(gallery.owner.tolist(), gallery.prototypes, strict=True):
            best[owner] = max(best.get(owner, -2.0), float(row @ query))
        lines.append(sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:k])
    return lines


def test_a_product_is_as_near_as_its_nearest_prototype_and_stands_once():
    gallery, asked = random_gallery(90, 8, 30), queries(20, 8)
    found = nearest(gallery, asked, k=4)
    for line, indices, similarity in zip(
        by_loop(gallery, asked, 4), found.product_index, found.similarity, strict=True
    ):
        assert indices.tolist() == [product for product, _ in line]
        assert similarity == pytest.approx([value for _, value in line], abs=1e-6)


def test_of_equally_near_products_the_first_by_name_comes_first():
    gallery = built([[1, 0], [2, 0], [0, 1], [3, 0]], ["d", "b", "a", "c"])
    found = nearest(gallery, transform(gallery, [[5.0, 0.0]]), k=3)
    assert [gallery.products[index] for index in found.product_index[0]] == ["b", "c", "d"]


def test_where_the_gallery_has_fewer_products_nobody_is_named():
    gallery = built([[1, 0], [0, 1]], ["a", "b"])
    found = nearest(gallery, transform(gallery, [[3.0, 4.0]]), k=4)
    assert found.product_index.tolist() == [[1, 0, -1, -1]]
    assert found.similarity[0] == pytest.approx([0.8, 0.6, -1, -1])


def test_no_embedding_has_no_neighbours():
    gallery = built([[1, 0], [0, 1]], ["a", "b"])
    assert nearest(gallery, np.zeros((0, 2), dtype=np.float32), k=3).product_index.shape == (0, 3)


def test_no_similarity_is_beyond_one():
    gallery = random_gallery(200, 3, 200)
    found = nearest(gallery, gallery.prototypes, k=1)
    assert found.product_index[:, 0].tolist() == list(range(200))
    assert found.similarity.max() <= 1.0


def test_many_embeddings_of_many_prototypes_take_bounded_memory():
    gallery, asked = random_gallery(50_000, 4, 50_000), queries(300, 4)
    tracemalloc.start()
    nearest(gallery, asked, k=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 2**20  # all similarities at once are 60 MB


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (np.ones((1, 3)), "length 1, got 1.73205"),
        (np.full((1, 3), np.nan), "length 1, got nan"),
        (np.zeros((1, 3)), "length 1, got 0"),
        (np.ones((1, 4)), r"shape \(n, 3\), got shape \(1, 4\)"),
        (np.ones(3), r"shape \(n, 3\), got shape \(3,\)"),
    ],
)
def test_embeddings_that_the_gallery_has_not_transformed_are_refused(bad, word):
    with pytest.raises(DataError, match=word):
        nearest(built(np.eye(3), list("abc")), bad, k=1)


def test_whitened_products_are_told_apart():
    embeddings, products = made_up()
    gallery = built(embeddings, products, whiten=8, prototypes_per_product=2)
    found = nearest(gallery, transform(gallery, embeddings), k=1)
    assert [gallery.products[index] for index in found.product_index[:, 0]] == products
