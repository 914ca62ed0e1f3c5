from dataclasses import replace

import pytest

from made_folders import in_classes, photograph, planted, yolo
from vouch.proposal.network import DETECTOR, LITE0, SMALL, minutes, network, photograph_sizes, small_share
from vouch.proposal.survey import survey


def looked(root, files):
    found = survey(planted(root, files), task=None, ignore=())
    return found, photograph_sizes(found)


def boxes(root, side, *, size):
    """Four photographs of this size, each with one square box whose side is a fraction of the width."""
    files = yolo([f"{n}x" for n in range(4)], box=f"0 .5 .5 {side} {side * size[0] / size[1]}\n")
    return looked(root, files | {name: photograph(size=size) for name in files if name.endswith(".jpg")})


@pytest.mark.parametrize(
    ("side", "size", "size_px"),
    [
        (0.1, (640, 480), 224),
        (0.03, (640, 480), 320),  # 6.7 pixels at 224, 9.6 at 320
        (0.017, (640, 480), 512),  # 7.1 at 416
        (0.005, (640, 480), 640),  # 3.2 pixels even there
        (0.03, (300, 200), 224),  # never larger than the photograph: 300 pixels
        (0.1, (100, 80), 96),
    ],
)
def test_a_canvas_is_as_small_as_the_boxes_allow_and_no_larger_than_the_photographs(tmp_path, side, size, size_px):
    found, sizes = boxes(tmp_path, side, size=size)
    built = network("detect", found, sizes, n_train=400, cores=2)
    assert built.size_px == size_px
    assert any("can hardly be found" in one for one in built.warnings) == (small_share(found, sizes, size_px) > 0.05)


def test_the_share_of_small_boxes_is_of_the_shorter_side(tmp_path):
    found, sizes = boxes(tmp_path, 0.05, size=(200, 100))  # 10 pixels of 200
    assert (small_share(found, sizes, 160), small_share(found, sizes, 128)) == (0.0, 1.0)
    one = found.records[0]
    flat = replace(one, boxes=(("cone", 0.0, 0.0, 0.5, 0.05),))  # 100 x 5 pixels
    found = replace(found, records=(flat, *found.records[1:]))
    assert small_share(found, sizes, 200) == 0.25


def test_one_small_box_in_four_takes_a_larger_canvas(tmp_path):
    found, sizes = boxes(tmp_path, 0.1, size=(640, 480))
    small = replace(found.records[0], boxes=(("cone", 0.0, 0.0, 0.03, 0.04),))  # 6.7 pixels at 224
    found = replace(found, records=(small, *found.records[1:]))
    assert network("detect", found, sizes, n_train=400, cores=2).size_px == 320


def test_few_photographs_take_more_epochs_and_a_smaller_batch(tmp_path):
    found, sizes = boxes(tmp_path, 0.1, size=(640, 480))
    few, many = (network("detect", found, sizes, n_train=n, cores=2) for n in (60, 5000))
    assert (few.epochs, few.batch) == (100, 4)
    assert many.batch == 16
    assert many.epochs == 10  # 7 would have sufficed; as many are trained at the least


def test_a_training_is_cut_to_a_quarter_of_an_hour_on_two_cores(tmp_path):
    found, sizes = boxes(tmp_path, 0.015, size=(640, 480))
    built = network("detect", found, sizes, n_train=400, cores=2)
    assert built.minutes <= 15 < minutes(DETECTOR, built.size_px, 88, 400, 2)
    assert "cut from 88 to stay within 15 minutes" in dict(built.said)[f"{built.epochs} epochs"]
    assert built.warnings[-1].startswith(f"{built.epochs} epochs are fewer than the 88")
    alone = network("detect", found, sizes, n_train=400, cores=1)
    assert (alone.epochs, alone.minutes) == (built.epochs, pytest.approx(2 * built.minutes, abs=0.15))


def test_a_classifier_gets_the_largest_canvas_that_the_time_allows(tmp_path):
    files = in_classes({"cat": 2, "dog": 2})
    found, sizes = looked(tmp_path, {name: photograph(size=(400, 300)) for name in files})
    built = [network("classify", found, sizes, n_train=n, cores=2) for n in (300, 1500, 20_000)]
    assert [one.size_px for one in built] == [224, 224, 160]
    assert [one.epochs for one in built] == [40, 8, 4]  # 12,000 views, but not more or less
    assert all(one.pretrained and one.batch <= 16 for one in built)
    assert built[1].minutes == pytest.approx(0.1 * 8 * 1500 / 2 / 60, abs=0.05)


@pytest.mark.parametrize(("longer", "pretrained"), [(96, False), (159, False), (160, True), (224, True)])
def test_thumbnails_start_from_random_weights_and_photographs_from_imagenet(tmp_path, longer, pretrained):
    files = in_classes({"cat": 2, "dog": 2})
    found, sizes = looked(tmp_path, {name: photograph(size=(longer, 90)) for name in files})
    built = network("classify", found, sizes, n_train=300, cores=2)
    assert (built.pretrained, built.size_px) == (pretrained, {96: 96, 159: 128, 160: 160, 224: 224}[longer])
    words = (LITE0 if pretrained else SMALL).network
    assert any(why.startswith(words) for _, why in built.said)


@pytest.mark.parametrize(
    ("n_train", "said"), [(20, "less than a minute"), (80, "about 1 minute"), (160, "about 2 minutes")]
)
def test_the_minutes_of_a_training_are_said_in_round_numbers(tmp_path, n_train, said):
    files = in_classes({"cat": 2, "dog": 2})
    found, sizes = looked(tmp_path, {name: photograph(size=(128, 90)) for name in files})
    built = network("classify", found, sizes, n_train=n_train, cores=2)
    assert f"{said} of training here" in dict(built.said)  # 100 epochs of 9 ms a photograph: .3, 1.2 and 2.4 minutes


def test_photographs_that_cannot_be_read_are_named(tmp_path):
    _, sizes = looked(tmp_path, {**yolo("abcd"), "images/b.jpg": b"no picture"})
    assert [problem.where for problem in sizes.problems] == ["images/b.jpg"]
    assert (sizes.places, sizes.described()) == ((0, 2, 3), "64 x 48 pixels")


@pytest.mark.parametrize(("size", "canvas"), [((64, 48), 64), ((240, 180), 224)])
def test_an_embedder_s_batch_holds_four_photographs_each_of_two_products_at_least(tmp_path, size, canvas):
    files = {name: photograph(size=size) for name in in_classes({f"p{n}": 5 for n in range(6)})}
    found, sizes = looked(tmp_path, files)
    built = network("identify", found, sizes, n_train=30, cores=2)
    assert (built.size_px, built.batch, built.pretrained) == (canvas, 8, canvas == 224)
    assert network("identify", found, sizes, n_train=5000, cores=2).batch == 32
