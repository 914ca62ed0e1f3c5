import gc
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vouch.errors import BundleError, DataError
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.images import source
from vouch.vision.images.source import Crop, Encoded, File, files, required
from vouch.vision.preprocess import Preprocess

SIZE = 32
POSTPROCESS = Postprocess(floor=0.0, max_iou=0.7, limit=10)


@pytest.fixture
def reds_path(tmp_path):
    """A network that finds one 8 x 6 box in the middle of the canvas, as surely as the photograph is red."""
    weights = np.zeros((5, 3, 1, 1), np.float32)
    weights[4, 0] = 1
    constants = {"weights": weights, "bias": np.array([16, 16, 8, 6, 0], np.float32), "shape": np.array([0, 5, 1])}
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Conv", ["mean", "weights", "bias"], ["rows"]),
        helper.make_node("Reshape", ["rows", "shape"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "reds",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 5, 1])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path / "reds.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def reds(tmp_path):
    """Photographs of rising redness, a tenth a step; squares of 64 pixels."""
    paths = [tmp_path / f"{step}.png" for step in range(1, 10)]
    for step, path in enumerate(paths, start=1):
        Image.new("RGB", (64, 64), (round(25.5 * step), 0, 0)).save(path)
    return paths


def detected(network, images, **batch):
    return list(required(runtime.detect(network, images, POSTPROCESS, **batch)))


@pytest.mark.parametrize("batch", [1, 2, 4, 100])
def test_answers_come_in_the_order_of_the_photographs_whatever_the_batch(reds_path, reds, batch):
    loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
    answers = detected(loaded, files(reds), batch=batch)
    scores = [float(found.scores[0]) for found, _ in answers]
    np.testing.assert_allclose(scores, [round(25.5 * step) / 255 for step in range(1, 10)], atol=1e-5)
    assert {size for _, size in answers} == {(64, 64)}
    assert all(found.boxes_xyxy.tolist() == [[24, 26, 40, 38]] for found, _ in answers)  # the canvas is half as wide


def test_no_photographs_no_answers(reds_path):
    loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
    assert detected(loaded, [], batch=4) == []


def test_a_photograph_that_does_not_decode_is_named(reds_path, reds):
    reds[5].write_bytes(b"not a photograph")
    loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
    with pytest.raises(DataError, match=r"6\.png"):
        detected(loaded, files(reds), batch=2)


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_every_photograph_that_cannot_be_read_is_named_at_once(reds_path, reds, batch):
    reds[1].write_bytes(b"")
    reds[5].write_bytes(b"not a photograph")
    reds[8].unlink()
    loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
    with pytest.raises(DataError) as caught:
        detected(loaded, files(reds), batch=batch)
    assert [problem.where for problem in caught.value.problems] == [str(reds[place]) for place in (1, 5, 8)]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_photograph_that_fails_is_named_and_every_other_is_answered(reds_path, reds, batch):
    broken = (Encoded("upload 1", b"not a photograph"), Crop(File(reds[0]), (0, 0, 65, 64)))
    images = (File(reds[0]), broken[0], File(reds[1]), Encoded("upload 2", reds[2].read_bytes()), broken[1])
    found = list(
        runtime.detect(runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect")), images, POSTPROCESS, batch=batch)
    )
    refused = [one.problems[0].where for one in found if isinstance(one, DataError)]
    assert refused == ["upload 1", f"{reds[0]}: crop (0, 0, 65, 64)"]
    assert [place for place, one in enumerate(found) if isinstance(one, DataError)] == [1, 4]
    scores = [float(found[place][0].scores[0]) for place in (0, 2, 3)]
    np.testing.assert_allclose(scores, [round(25.5 * step) / 255 for step in (1, 2, 3)], atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_the_crops_of_a_photograph_are_answered_in_their_own_pixels_and_decode_it_once(
    reds_path, tmp_path, monkeypatch, batch
):
    pixels = np.zeros((8, 72, 3), np.uint8)
    pixels[..., 0] = np.repeat(np.arange(10, 100, 10), 8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    whole, decoded = File(tmp_path / "a.png"), []
    crops = [Crop(whole, (8 * step, 0, 8 * step + 8, 8)) for step in range(9)]
    decode = source.decode
    monkeypatch.setattr(source, "decode", lambda *given, **named: decoded.append(1) or decode(*given, **named))
    found = detected(runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect")), crops, batch=batch)
    np.testing.assert_allclose([float(one.scores[0]) for one, _ in found], np.arange(10, 100, 10) / 255, atol=1e-5)
    assert {size for _, size in found} == {(8, 8)}
    assert decoded == [1]


def test_a_network_has_one_pool_of_threads_as_long_as_it_is_loaded(reds_path, reds):
    before = set(threading.enumerate())
    loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
    detected(loaded, files(reds), batch=1)
    own = set(threading.enumerate()) - before
    for _ in range(3):
        detected(loaded, files(reds), batch=1)
        next(runtime.detect(loaded, files(reds), POSTPROCESS, batch=1))  # asked for no more: the others end
    assert own
    assert set(threading.enumerate()) - before == own
    del loaded
    gc.collect()
    for thread in own:
        thread.join(5)
    assert not own & set(threading.enumerate())


def test_a_sliver_is_answered(reds_path, tmp_path):
    for width, height in [(900, 1), (1, 900)]:
        Image.new("RGB", (width, height), (255, 0, 0)).save(tmp_path / "sliver.png")
        loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
        ((found, size),) = detected(loaded, files([tmp_path / "sliver.png"]), batch=1)
        assert size == (width, height)
        assert found.boxes_xyxy[0].max() <= 900


def test_a_network_for_another_canvas_is_refused(reds_path):
    with pytest.raises(BundleError, match="64"):
        runtime.load(reds_path, Preprocess(64, SIZE, task="detect"))


def test_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"junk")
    with pytest.raises(BundleError, match=r"x\.onnx"):
        runtime.load(tmp_path / "x.onnx", Preprocess(SIZE, SIZE, task="detect"))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_box_that_is_none_is_refused_with_its_photograph(reds_path, reds, broken):
    model = onnx.load(reds_path)
    bias = next(one for one in model.graph.initializer if one.name == "bias")
    bias.CopyFrom(numpy_helper.from_array(np.array([broken, 16, 8, 6, 0], np.float32), "bias"))
    onnx.save(model, reds_path)
    loaded = runtime.load(reds_path, Preprocess(SIZE, SIZE, task="detect"))
    with pytest.raises(DataError, match=r"1\.png: expected finite boxes"):
        detected(loaded, files(reds), batch=2)


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent.onnx"):
        with pytest.raises(BundleError):
            runtime.load(path, Preprocess(SIZE, SIZE, task="detect"))
