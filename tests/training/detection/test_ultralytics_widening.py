"""A widened detector says what the narrow one said, and its twin channels part as soon as it learns."""

import pytest
import torch
from ultralytics.nn.tasks import DetectionModel

from training.pictures import STARTS
from vouch.errors import DataError
from vouch.training.detection.ultralytics_widening import widen
from vouch.training.detection.ultralytics_yolo import _architecture, widened


def network(width, n_classes=3):
    architecture = _architecture(STARTS["ultralytics"]) | {"scales": {"n": [0.33, width, 1024]}, "scale": "n"}
    return DetectionModel(architecture, nc=n_classes, verbose=False)


def taught(width):
    """A network whose every channel is normalised in its own way, as after training."""
    torch.manual_seed(3)
    narrow = network(width)
    for name, tensor in narrow.state_dict().items():
        if ".bn." in name and tensor.is_floating_point():
            tensor += 0.5 * (torch.rand_like(tensor) - 0.5)
    return narrow


def answers(model, pictures):
    with torch.no_grad():
        return model.float().eval()(pictures)[0]


@pytest.mark.parametrize("width", [0.125, 0.25])  # one head of attention becomes two, two become four
def test_a_widened_detector_gives_the_same_answers(width):
    narrow, wide = taught(width), network(2 * width)
    pictures = torch.rand(2, 3, 96, 128)
    before = answers(wide, pictures)
    wide.load_state_dict(widen(narrow.state_dict(), wide, seed=1))
    expected = answers(narrow, pictures)
    assert not torch.allclose(before, expected, rtol=1e-2)
    torch.testing.assert_close(answers(wide, pictures), expected, rtol=1e-4, atol=1e-3)


def test_twin_channels_get_gradients_of_their_own():
    narrow, wide = taught(0.125), network(0.25)
    wide.load_state_dict(widen(narrow.state_dict(), wide, seed=1))
    wide.float().eval()(torch.rand(1, 3, 64, 64))[0].square().mean().backward()
    gradient = wide.model[0].conv.weight.grad  # of the first layer, whose twins are equal
    torch.testing.assert_close(wide.model[0].conv.weight[0::2], wide.model[0].conv.weight[1::2])
    apart = (gradient[0::2] - gradient[1::2]).abs().mean() / gradient.abs().mean()
    assert apart > 0.05


def test_the_division_follows_from_the_seed():
    narrow, wide = taught(0.125).state_dict(), network(0.25)
    name = "model.1.conv.weight"
    one, again, other = (widen(narrow, wide, seed)[name] for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_every_tensor_that_cannot_be_widened_is_named():
    narrow = taught(0.125).state_dict()
    del narrow["model.0.conv.weight"]
    narrow["model.1.conv.weight"] = narrow["model.1.conv.weight"][:5]
    with pytest.raises(DataError) as caught:
        widen(narrow, network(0.25), seed=1)
    assert [problem.expected.split()[0] for problem in caught.value.problems] == [
        "model.0.conv.weight",
        "model.1.conv.weight",
    ]


def test_widened_weights_describe_the_wide_network():
    narrow = taught(0.125)
    description = {"framework": "ultralytics", "architecture": narrow.yaml, "classes": ["a", "b", "c"]}
    tensors, wider = widened(narrow.state_dict(), description)
    assert wider["architecture"]["scales"]["n"][1] == 0.25
    assert description["architecture"]["scales"]["n"][1] == 0.125  # what was given stays
    assert tensors["model.0.conv.weight"].shape[0] == 2 * narrow.state_dict()["model.0.conv.weight"].shape[0]
