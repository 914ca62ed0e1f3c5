import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans

from retrieval.made_galleries import MODEL, PREPROCESS, built, made_up, unit
from vouch.errors import BundleError, DataError
from vouch.retrieval.gallery import added, check, removed, transform
from vouch.retrieval.gallery_file import to_bytes
from vouch.retrieval.neighbours import nearest
from vouch.sources.vocabulary import is_fit

AS_BUILT = {"prototypes_per_product": 1, "seed": 1}


def same(one, other):
    return to_bytes(one) == to_bytes(other)


def test_one_prototype_is_the_mean_of_directions_scaled_to_length_1():
    found = built([[3, 4], [0, 2], [5, 0]], ["tea", "tea", "cola"])
    assert found.products == ("cola", "tea")
    # of (.6, .8) and (0, 1): (.3, .9), of length sqrt(.9)
    assert found.prototypes == pytest.approx(np.array([[1, 0], [0.3 / 0.9**0.5, 0.9 / 0.9**0.5]]))
    assert found.prototypes.dtype == np.float32
    assert (found.owner.tolist(), found.counts.tolist()) == ([0, 1], [1, 2])
    assert (found.model_sha256, found.preprocess_sha256) == (MODEL, PREPROCESS)


def test_without_whitening_an_embedding_is_its_direction():
    embeddings, products = made_up()
    found = built(embeddings, products)
    assert transform(found, embeddings) == pytest.approx(unit(embeddings), abs=1e-6)


def test_several_prototypes_are_the_centres_of_a_products_clusters():
    rng = np.random.default_rng(1)
    sides = unit([[1, 0, 0.1], [0, 1, 0.1], [0.1, 0, 1]])  # front, back and top of one bottle
    embeddings = np.repeat(sides, 30, axis=0) + 0.05 * rng.normal(size=(90, 3))
    found = built(embeddings, ["tea"] * 90, prototypes_per_product=3)
    peer = KMeans(n_clusters=3, n_init=10, random_state=0).fit(unit(embeddings)).cluster_centers_
    assert np.array(sorted(found.prototypes.tolist())) == pytest.approx(np.array(sorted(unit(peer).tolist())), abs=1e-6)
    assert found.owner.tolist() == [0, 0, 0]
    assert found.counts.tolist() == [90]


def test_no_product_has_more_prototypes_than_different_embeddings():
    found = built([[1, 0], [2, 0], [0, 1], [0, 5]], ["a", "a", "a", "b"], prototypes_per_product=3)
    assert found.owner.tolist() == [0, 0, 1]
    assert sorted(found.prototypes[:2].tolist()) == [[0, 1], [1, 0]]


def test_a_products_prototypes_do_not_depend_on_the_products_beside_it():
    embeddings, products = made_up()
    both, chosen = built(embeddings, products, prototypes_per_product=4), np.array(products) == "p03"
    alone = built(embeddings[chosen], ["p03"] * int(chosen.sum()), prototypes_per_product=4)
    assert both.prototypes[both.owner == 3].tobytes() == alone.prototypes.tobytes()


def test_the_same_embeddings_give_the_same_gallery_and_a_seed_another():
    embeddings, products = made_up(products=2, noise=2.0)
    asked = {"prototypes_per_product": 5, "whiten": 4}
    assert same(built(embeddings, products, **asked), built(embeddings, products, **asked))
    others = [built(embeddings, products, **asked, seed=seed) for seed in range(2, 6)]
    assert any(not same(built(embeddings, products, **asked), other) for other in others)


@pytest.mark.parametrize("whiten", [None, 8])
def test_a_product_is_added_and_removed_without_building_again(whiten):
    embeddings, products = made_up()
    full = built(embeddings, products, whiten=whiten, prototypes_per_product=3)
    chosen = np.array(products) == "p02"
    less = removed(full, "p02")
    assert less.products == ("p00", "p01", "p03", "p04", "p05")
    assert less.owner.max() == 4
    again = added(less, "p02", embeddings[chosen], prototypes_per_product=3, seed=1)
    assert same(again, full)
    found = nearest(less, transform(less, embeddings[chosen]), k=1)
    assert 2 not in [int(full.products.index(less.products[index])) for index in found.product_index[:, 0]]


def test_an_empty_gallery_is_one_that_knows_nothing():
    none = built(np.zeros((0, 4)), [], whiten=3)
    last = removed(built([[1, 0, 0, 0]], ["tea"]), "tea")
    for gallery in (none, last):
        assert gallery.products == ()
        assert gallery.prototypes.shape == (0, 4)
        placed = transform(gallery, np.eye(4))
        assert placed == pytest.approx(np.eye(4))
        found = nearest(gallery, placed, k=2)
        assert (found.product_index == -1).all()
        assert (found.similarity == -1).all()
    assert same(added(none, "tea", [[2, 0, 0, 0]], **AS_BUILT), built([[1, 0, 0, 0]], ["tea"]))


def problems(call, error=DataError):
    with pytest.raises(error) as refused:
        call()
    return [(problem.where, problem.expected, problem.got) for problem in refused.value.problems]


def test_each_embedding_without_a_direction_is_named_by_its_sample():
    bad = [[1, 2], [np.nan, 0], [0, 0], [np.inf, 1e308]]
    expected = [
        ("shop/1.jpg#0", "an embedding of finite numbers", "NaN or infinity"),
        ("shop/1.jpg#1", "an embedding with a direction", "length 0"),
        ("shop/2.jpg#0", "an embedding of finite numbers", "NaN or infinity"),
    ]
    samples = ["shop/0.jpg#0", "shop/1.jpg#0", "shop/1.jpg#1", "shop/2.jpg#0"]
    gallery = built([[1, 0]], ["tea"])
    assert problems(lambda: built(bad, list("aabb"), samples=samples)) == expected
    assert problems(lambda: transform(gallery, bad, samples=samples)) == expected
    assert problems(lambda: added(gallery, "x", bad, **AS_BUILT, samples=samples)) == expected
    assert [where for where, *_ in problems(lambda: built(bad, list("aabb")))] == [f"embedding {i}" for i in (1, 2, 3)]


def test_lengths_whose_square_no_number_holds_are_lengths():
    assert built([[3e-11, 4e-11], [3e200, 4e200]], ["a", "b"]).prototypes == pytest.approx(
        np.array([[0.6, 0.8], [0.6, 0.8]])
    )


def test_embeddings_that_cancel_out_are_named_by_their_product():
    (found,) = problems(lambda: built([[1, 0], [-2, 0]], ["tea", "tea"]))
    assert found == ("product tea: the mean of its embeddings", "an embedding with a direction", "length 0")


def test_names_that_differ_in_case_or_outer_spaces_alone_or_are_none_are_refused():
    (found,) = problems(lambda: built(np.eye(3), ["Cola", "cola", "tea"]))
    assert found == ("'cola'", "a name that no other product has", "'Cola' too")
    assert [got for _, _, got in problems(lambda: built(np.eye(3), ["", " ", "a\nb"]))] == ["' '", "''", "'a\\nb'"]
    (found,) = problems(lambda: built(np.eye(3), ["cola", " Cola", "tea"]))
    assert found == ("'cola'", "a name that no other product has", "' Cola' too")
    (found,) = problems(lambda: built(np.eye(2), ["cafe\u0301", "caf\u00e9"]))
    assert found == ("'caf\\xe9'", "a name that no other product has", "'cafe\\u0301' too")
    gallery = built([[1, 0]], ["Straße"])
    (found,) = problems(lambda: added(gallery, "STRASSE", [[0, 1]], **AS_BUILT))
    assert found == ("'STRASSE'", "a name that no other product has", "'Stra\\xdfe' too")


@pytest.mark.parametrize("name", ["Tea\u00a0250\u00a0g", "\u0645\u06cc\u200c\u0634\u0648\u062f"])
def test_a_name_that_sources_take_is_a_name_of_the_gallery(name):
    assert is_fit(name)
    assert built([[1, 0], [0, 1]], [name, "tea"]).products == tuple(sorted([name, "tea"]))


def test_a_product_that_is_there_or_has_no_embedding_is_not_added():
    gallery = built([[1, 0]], ["tea"])
    (found,) = problems(lambda: added(gallery, "tea", [[0, 1]], **AS_BUILT))
    assert found == ("tea", "a product that the gallery lacks", "one of its products")
    (found,) = problems(lambda: added(gallery, "cola", np.zeros((0, 2)), **AS_BUILT))
    assert found == ("'cola'", "at least one embedding", "none")


def test_a_product_that_is_not_there_is_not_removed_and_the_nearest_name_is_told():
    with pytest.raises(DataError, match=r"'Tee': expected a product of the gallery, got none.*perhaps `tea` was meant"):
        removed(built([[1, 0]], ["tea"]), "Tee")


def test_a_gallery_of_another_model_or_other_preprocessing_is_refused_with_both_hashes():
    gallery = built([[1, 0]], ["tea"])
    check(gallery, model_sha256=MODEL, preprocess_sha256=PREPROCESS)
    found = problems(lambda: check(gallery, model_sha256="c" * 64, preprocess_sha256="d" * 64), BundleError)
    assert found == [
        ("gallery: model_sha256", "c" * 64, MODEL),
        ("gallery: preprocess_sha256", "d" * 64, PREPROCESS),
    ]


@pytest.mark.parametrize("bad", [np.zeros(4), np.ones((3, 5)), np.ones((2, 4, 1)), np.ones((2, 0))])
def test_embeddings_of_another_shape_are_refused(bad):
    gallery = built(np.eye(4), list("abcd"))
    with pytest.raises(DataError, match=r"embeddings: expected embeddings of shape \(n, 4\)"):
        transform(gallery, bad)


def test_a_product_for_each_embedding():
    with pytest.raises(DataError, match="one for each of 2 embeddings, got 1"):
        built(np.eye(2), ["a"])


def test_galleries_need_neither_torch_nor_scikit_learn():
    told = "import vouch.retrieval.gallery_file, vouch.retrieval.neighbours, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "sklearn", "scipy", "pandas"} & set(loaded)
