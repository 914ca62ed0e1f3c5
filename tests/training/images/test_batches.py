import dataclasses

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from training.classifier_pictures import CLASSES, draw
from vouch.errors import DataError
from vouch.training.images import batches
from vouch.training.images.augmentation import STRENGTHS, augmented, cropped
from vouch.vision.images.source import Crop, Encoded, File, files, read_image
from vouch.vision.preprocess import letterbox, to_input

STILL = dataclasses.replace(
    STRENGTHS["moderate"],
    area=(1.0, 1.0),
    log_ratio=0.0,
    rotation_deg=0.0,
    flip=0.0,
    light=0.0,
    saturation=0.0,
    hue_steps=0.0,
)


def samples(labels):
    names = [f"s{number:02d}" for number in range(len(labels))]
    table = {"sample_id": names, "group": [name[:2] for name in names], "image": names, "label": labels}
    return pd.DataFrame(table).astype({"label": "str"})


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return files(sorted(draw(tmp_path_factory.mktemp("data") / "photographs", 9).iterdir()))


@pytest.fixture(scope="module")
def source(images):
    return batches.canvases(images, 32)


def test_labels_become_indices_in_the_order_of_the_classes_and_unlabelled_photographs_stay_out():
    found = batches.labelled(samples(["road_work", None, "clear", "road_work"]), CLASSES, where="split train")
    assert found.class_ids.tolist() == [1, 0, 1]
    assert [image.name for image in found.images] == ["s00", "s02", "s03"]
    assert found.groups == ("s0", "s0", "s0")


def test_every_label_out_of_range_is_named_and_many_are_counted():
    with pytest.raises(DataError) as refusal:
        batches.labelled(samples(["clear", *["cone"] * 12]), CLASSES, where="split train")
    text = str(refusal.value)
    assert "s01: expected one of clear, road_work, got cone" in text
    assert "2 more that are none" in text


@pytest.mark.parametrize(("labels", "got"), [(["clear", "clear"], "clear"), ([None], "no labelled photograph")])
def test_one_class_only_is_refused(labels, got):
    with pytest.raises(DataError, match=f"photographs of two classes at the least, got {got}"):
        batches.labelled(samples(labels), CLASSES, where="split train")


def test_pixels_are_what_predict_feeds_the_network(images):
    canvases = np.stack([letterbox(read_image(image), 32)[0] for image in images])
    found = batches.pixels(canvases, "cpu")
    assert np.array_equal(found.numpy(), to_input(canvases))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_canvases_are_the_same_kept_or_decoded_again(images, source):
    lazily = batches.canvases(images, 32, cache_bytes=0)
    chosen = np.array([7, 0, 3])
    assert np.array_equal(source(chosen), lazily(chosen))
    assert np.array_equal(source(chosen)[1], letterbox(read_image(images[0]), 32)[0])


@pytest.mark.parametrize("cache_bytes", [0, batches.CACHE_BYTES])
def test_bytes_and_crops_become_canvases_as_files_do(images, cache_bytes):
    whole = read_image(images[0])
    crops = [Crop(images[0], (0, 0, side, side)) for side in range(1, 31, 3)]
    sent = (images[1], Encoded("upload", images[1].path.read_bytes()), *crops)
    found = batches.canvases(sent, 32, cache_bytes=cache_bytes)(np.arange(len(sent)))
    assert np.array_equal(found[0], found[1])
    expected = [letterbox(whole[:side, :side], 32)[0] for side in range(1, 31, 3)]
    assert np.array_equal(found[2:], expected)


def test_every_photograph_that_cannot_be_used_is_named_before_a_training_begins(images, tmp_path):
    outside = Crop(images[0], (0, 0, 41, 30))
    with pytest.raises(DataError) as caught:
        batches.canvases((File(tmp_path / "absent.png"), *images, outside), 32)
    assert {problem.where for problem in caught.value.problems} == {str(tmp_path / "absent.png"), outside.name}


def test_an_unreadable_photograph_is_refused_by_name(images, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(images[0].path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"broken\.png"):
        batches.canvases((*images, File(broken)), 32)


def test_an_epoch_has_every_photograph_once_in_batches_of_nearly_one_size():
    parts = batches.shuffled(9, 4, seed=1, epoch=0)
    assert sorted(np.concatenate(parts)) == list(range(9))
    assert [len(part) for part in parts] == [3, 3, 3]
    assert len(parts) == batches.steps(9, 4)
    assert not np.array_equal(np.concatenate(parts), np.concatenate(batches.shuffled(9, 4, seed=1, epoch=1)))


def test_a_change_depends_on_seed_epoch_and_photograph_alone(source):
    def change(indices, seed=1, epoch=2):
        changing = batches.changing(source, strength=STRENGTHS["aggressive"], seed=seed, epoch=epoch)
        return changing(np.array(indices))

    assert np.array_equal(change([5, 1])[0], change([0, 2, 5])[2])
    assert not np.array_equal(change([5]), change([5], seed=2))
    assert not np.array_equal(change([5]), change([5], epoch=3))


def test_batches_pair_each_photograph_with_its_class(source):
    class_ids = np.arange(9) % 2
    parts = batches.shuffled(9, 2, seed=1, epoch=0)
    for (images, truths), part in zip(batches.batches(source, class_ids, parts, "cpu"), parts, strict=True):
        assert truths.tolist() == class_ids[part].tolist()
        assert torch.equal(images, batches.pixels(source(part), "cpu"))


def test_all_photographs_come_in_their_order(source):
    found = torch.cat(list(batches.in_order(source, 9, 4, "cpu")))
    assert torch.equal(found, batches.pixels(source(np.arange(9)), "cpu"))


def smooth():
    noise = np.random.default_rng(1).integers(0, 256, (33, 33, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 3).clip(0, 255).astype(np.uint8)


def test_no_change_changes_nothing_and_a_flip_mirrors():
    canvas, rng = smooth(), np.random.default_rng(1)
    assert np.abs(augmented(canvas, STILL, rng).astype(int) - canvas).max() <= 3  # to HSV and back
    flipped = augmented(canvas, dataclasses.replace(STILL, flip=1.0), rng)
    assert np.abs(flipped.astype(int) - canvas[:, ::-1]).max() <= 3


def test_a_crop_shows_the_share_of_the_canvas_that_it_says():
    ramp = np.tile(np.linspace(0, 255, 65), (65, 1))
    canvas = np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8)
    quarter = dataclasses.replace(STILL, area=(0.25, 0.25))
    spans = [np.ptp(augmented(canvas, quarter, np.random.default_rng(seed)).astype(int)) for seed in range(5)]
    assert spans == pytest.approx([255 / 2] * 5, abs=6)


@pytest.mark.parametrize("side_px", [34, 11])
def test_a_crop_drawn_on_another_canvas_is_the_whole_resized(side_px):
    ramp = np.tile(np.arange(17) * 15, (17, 1))  # 15 a pixel: a quarter of a pixel shows
    canvas = np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8)
    drawn = cropped(canvas, STILL, np.random.default_rng(1), side_px=side_px)
    resized = cv2.resize(canvas, (side_px, side_px), interpolation=cv2.INTER_LINEAR)
    inside = (slice(2, -2), slice(2, -2))  # at the edge half a pixel of padding is mixed in
    assert np.abs(drawn.astype(int) - resized)[inside].max() <= 1


def test_an_erased_part_has_the_area_that_it_says():
    canvas = np.full((64, 64, 3), 114, np.uint8)
    erasing = dataclasses.replace(STILL, erasing=1.0, erased_area=(0.1, 0.1))
    for seed in range(5):
        erased = (augmented(canvas, erasing, np.random.default_rng(seed)) != 114).any(axis=2).mean()
        assert erased == pytest.approx(0.1, abs=0.015)


@pytest.mark.parametrize("name", STRENGTHS)
def test_changes_keep_shape_and_type_and_do_not_touch_the_original(name):
    canvas = smooth()
    before = canvas.copy()
    for seed in range(20):
        found = augmented(canvas, STRENGTHS[name], np.random.default_rng(seed))
        assert (found.shape, found.dtype) == (canvas.shape, np.uint8)
    assert np.array_equal(canvas, before)
