"""Training an embedder on small crops of known colours."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from training.interrupted import interrupt
from training.product_pictures import SIZE_PX, draw, seen, training
from vouch.errors import BundleError, DataError, WorkspaceError
from vouch.training import weights
from vouch.training.embedding.network import network
from vouch.training.embedding.training import album, by_product, train
from vouch.training.images import batches
from vouch.vision.crops import crops, images


@pytest.fixture
def pictures(tmp_path):
    return draw(tmp_path / "photographs")


def embedded(trained, table):
    canvases = batches.canvases(images(table), SIZE_PX)(np.arange(len(table)))
    with torch.no_grad():
        return network(trained.description, trained.tensors)(batches.pixels(canvases, "cpu")).numpy()


def test_crops_of_a_product_lie_together_and_products_apart_also_new_ones(pictures, tmp_path):
    samples, boxes = pictures
    trained = train(seen(samples, boxes), training(), "none", tmp_path / "scratch")
    found = crops(samples.iloc[8:], boxes)  # the last two photographs show a product that no training saw
    vectors, names = embedded(trained, found), found["product"].to_numpy()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    cosines, same = vectors @ vectors.T, names[:, None] == names[None, :]
    known = (names != "strange")[:, None] & (names != "strange")[None, :]
    assert cosines[same & known].min() > cosines[~same & known].max()
    assert trained.description["classes"] == ("blue", "green", "orange")
    assert trained.curve["epoch"].tolist() == list(range(1, 9))
    assert trained.curve["val_select_accuracy"].max() == 1.0


def test_an_interrupted_training_ends_with_the_same_bytes(pictures, tmp_path):
    lesson, short = seen(*pictures), training(epochs=3)
    whole = train(lesson, short, "none", tmp_path / "whole")
    cut = tmp_path / "cut"
    interrupt(lambda: train(lesson, short, "none", cut), cut)
    resumed = train(lesson, training(epochs=3, resume=True), "none", cut)
    assert {name: tensor.numpy().tobytes() for name, tensor in resumed.tensors.items()} == {
        name: tensor.numpy().tobytes() for name, tensor in whole.tensors.items()
    }
    assert resumed.curve.equals(whole.curve)


def test_a_checkpoint_of_other_crops_is_refused(pictures, tmp_path):
    samples, boxes = pictures
    cut = tmp_path / "cut"
    interrupt(lambda: train(seen(samples, boxes), training(epochs=3), "none", cut), cut)
    moved = boxes.assign(x2=boxes["x2"] + 0.02)
    with pytest.raises(WorkspaceError, match="other parameters"):
        train(seen(samples, moved), training(epochs=3, resume=True), "none", cut)


def test_a_training_may_start_from_an_embedder(pictures, tmp_path):
    first = train(seen(*pictures), training(epochs=1), "none", tmp_path / "scratch")
    weights.write(tmp_path / "start", first.tensors, first.description)
    again = train(seen(*pictures), training(epochs=1, learning_rate=1e-9), str(tmp_path / "start"), tmp_path / "more")
    np.testing.assert_allclose(
        again.tensors["backbone.inner.conv1.0.weight"], first.tensors["backbone.inner.conv1.0.weight"], atol=1e-6
    )
    wider = training(epochs=1, backbone={"name": "resnet10t", "options": {}, "attention": "sdpa"})
    with pytest.raises(BundleError, match="backbone"):
        train(seen(*pictures), wider, str(tmp_path / "start"), tmp_path / "third")


def test_an_epoch_shows_every_crop_in_batches_of_several_of_a_product():
    class_ids = np.repeat(np.arange(5), [3, 4, 8, 9, 1])
    parts = by_product(class_ids, batch=8, per_product=4, seed=2, epoch=7)
    assert set(np.concatenate(parts).tolist()) == set(range(25))
    for part in parts:
        assert len(part) % 4 == 0
        products = class_ids[part].reshape(-1, 4)
        assert (products == products[:, :1]).all()
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 4
    again = by_product(class_ids, batch=8, per_product=4, seed=2, epoch=7)
    assert all((one == two).all() for one, two in zip(parts, again, strict=True))
    other = by_product(class_ids, batch=8, per_product=4, seed=2, epoch=8)
    assert any((one != two).any() for one, two in zip(parts, other, strict=True) if len(one) == len(two))


def test_products_without_any_crop_to_choose_by_are_refused(pictures):
    samples, boxes = pictures
    only = boxes[boxes["product"] == "blue"]
    with pytest.raises(DataError) as refused:
        album(crops(samples.iloc[:8], only), crops(samples.iloc[8:], boxes[boxes["product"] == "strange"]))
    assert {problem.where for problem in refused.value.problems} == {"train", "val_select"}


def test_crops_of_products_that_train_lacks_choose_nothing(pictures):
    samples, boxes = pictures
    lesson = album(crops(samples.iloc[:8], boxes), crops(samples.iloc[8:], boxes))
    assert len(lesson.val_select.images) == 12  # four photographs of three; `strange` twice is left out
    assert lesson.classes == ("blue", "green", "orange")


@pytest.mark.parametrize(("batch", "per_product"), [(7, 2), (4, 4)])
def test_a_batch_holds_whole_places_of_two_products_at_the_least(batch, per_product):
    with pytest.raises(ValidationError, match="multiple of per_product"):
        training(batch=batch, per_product=per_product)


def test_the_neck_of_a_start_is_taken_where_it_fits(pictures, tmp_path):
    first = train(seen(*pictures), training(epochs=1), "none", tmp_path / "scratch")
    weights.write(tmp_path / "start", first.tensors, first.description)
    again = train(seen(*pictures), training(epochs=1, learning_rate=1e-9), str(tmp_path / "start"), tmp_path / "more")
    np.testing.assert_allclose(again.tensors["neck.weight"], first.tensors["neck.weight"], atol=1e-6)
    narrow = training(epochs=1, embedding=8)
    other = train(seen(*pictures), narrow, str(tmp_path / "start"), tmp_path / "third")
    assert other.tensors["neck.weight"].shape == (8, first.tensors["neck.weight"].shape[1])
