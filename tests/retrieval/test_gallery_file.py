import json
from dataclasses import fields, replace

import numpy as np
import pytest
import safetensors.numpy

from retrieval.made_galleries import MODEL, PREPROCESS, built, made_up
from vouch.errors import BundleError
from vouch.retrieval.gallery import removed
from vouch.retrieval.gallery_file import from_bytes, to_bytes


@pytest.fixture(scope="module")
def gallery():
    return built(*made_up(products=3, each=4), prototypes_per_product=2, whiten=5)


def written(gallery, said=None, **tensors):
    """Write a gallery's bytes as somebody else might."""
    content = safetensors.numpy.load(to_bytes(gallery)) | tensors
    text = {"products": list(gallery.products), "model_sha256": MODEL, "preprocess_sha256": PREPROCESS} | (said or {})
    kept = {name: tensor for name, tensor in content.items() if tensor is not None}
    return safetensors.numpy.save(kept, metadata={"gallery": json.dumps(text)})


def refusal(content):
    with pytest.raises(BundleError) as refused:
        from_bytes(content, "gallery.safetensors")
    return [f"{one.where} | {one.expected} | {one.got}" for one in refused.value.problems]


def test_a_gallery_comes_back_as_it_was_written(gallery):
    for one in (gallery, removed(removed(removed(gallery, "p00"), "p01"), "p02")):
        back = from_bytes(to_bytes(one), "gallery.safetensors")
        for field in fields(back):
            mine, theirs = getattr(one, field.name), getattr(back, field.name)
            assert np.array_equal(mine, theirs), field.name
            assert getattr(mine, "dtype", None) == getattr(theirs, "dtype", None)


def test_the_same_gallery_is_the_same_bytes(gallery):
    assert len({to_bytes(replace(gallery)) for _ in range(20)}) == 1
    assert to_bytes(from_bytes(to_bytes(gallery), "x")) == to_bytes(gallery)


@pytest.mark.parametrize("keep", [0, 4, 60, -1])
def test_truncated_bytes_are_refused(gallery, keep):
    assert len(refusal(to_bytes(gallery)[:keep])) == 1


def test_tensors_without_what_a_gallery_says_are_refused(gallery):
    content = safetensors.numpy.save(safetensors.numpy.load(to_bytes(gallery)))
    assert refusal(content) == [
        "gallery.safetensors: metadata | the keys ['model_sha256', 'preprocess_sha256', 'products'] | None"
    ]
    null = json.dumps({"__metadata__": None}).encode()
    found = refusal(len(null).to_bytes(8, "little") + null)
    assert any(one.startswith("gallery.safetensors: metadata") for one in found)
    bad = safetensors.numpy.save(safetensors.numpy.load(to_bytes(gallery)), metadata={"gallery": "{"})
    assert len(refusal(bad)) == 1


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"products": ["p01", "p00", "p02"]}, "products"),
        ({"products": ["p00", "p00", "p02"]}, "products"),
        ({"products": ["p00", "p01"]}, "counts"),
        ({"products": ["P", "p", "q"]}, "'p'"),
        ({"products": ["", "p", "q"]}, "a product"),
        ({"products": "p00"}, "products"),
        ({"products": [1, 2, 3]}, "products"),
        ({"model_sha256": "abc"}, "model_sha256"),
        ({"preprocess_sha256": 7}, "preprocess_sha256"),
        ({"more": 1}, "metadata"),
    ],
)
def test_what_a_gallery_cannot_say_is_refused(gallery, said, where):
    found = refusal(written(gallery, said))
    assert len(found) == 1
    assert found[0].startswith(f"gallery.safetensors: {where} |")


def broken(gallery, name, place, value):
    tensor = getattr(gallery, name).copy()
    tensor[place] = value
    return {name: tensor}


@pytest.mark.parametrize(
    ("name", "place", "value", "said"),
    [
        ("prototypes", (1, 0), np.nan, "prototypes | finite numbers | NaN or infinity"),
        ("projection", (0, 0), np.inf, "projection | finite numbers | NaN or infinity"),
        ("mean", 0, np.nan, "mean | finite numbers | NaN or infinity"),
        ("prototypes", 1, 0.0, "prototype 1 | length 1 | 0"),
        ("owner", 0, 1, "owner | a prototype or more of each product, in their order | [1, 0, 1, 1, 2, 2]"),
        ("owner", 5, 3, "owner | a prototype or more of each product, in their order | [0, 0, 1, 1, 2, 3]"),
        ("owner", 0, -1, "owner | a prototype or more of each product, in their order | [-1, 0, 1, 1, 2, 2]"),
        ("owner", slice(4, 6), 1, "owner | a prototype or more of each product, in their order | [0, 0, 1, 1, 1, 1]"),
        ("counts", 2, 0, "counts of 'p02' | 1 or more | 0"),
    ],
)
def test_a_value_that_no_gallery_has_is_refused(gallery, name, place, value, said):
    assert refusal(written(gallery, **broken(gallery, name, place, value))) == [f"gallery.safetensors: {said}"]


def test_each_tensor_of_another_name_type_or_shape_is_told(gallery):
    found = refusal(
        written(gallery, owner=None, more=np.zeros(1), mean=gallery.mean.astype(np.float64), counts=np.zeros(3, "i4"))
    )
    assert found == [
        "gallery.safetensors | no more tensors | 'more'",
        "gallery.safetensors | tensor owner | nothing",
        "gallery.safetensors: counts | int64 | int32",
        "gallery.safetensors: mean | float32 | float64",
    ]
    found = refusal(
        written(gallery, mean=np.zeros((2, 8), "f4"), prototypes=gallery.prototypes[:4], counts=gallery.owner)
    )
    assert found == [
        "gallery.safetensors: counts | shape (3,) | (6,)",
        "gallery.safetensors: mean | shape (2,) | (2, 8)",
        "gallery.safetensors: projection | shape (2, 5) | (16, 5)",
        "gallery.safetensors: prototypes | shape (6, 5) | (4, 5)",
    ]


def test_a_pickle_is_never_read(gallery):
    import pickle

    assert len(refusal(pickle.dumps(gallery))) == 1
