import pytest
import torch

from vouch.errors import BundleError
from vouch.training import weights as weights_files

NETWORK = torch.nn.Linear(3, 2)
TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


def test_tensors_come_back_as_they_were_written(tmp_path):
    weights_files.write(tmp_path, TENSORS, {"classes": ("a", "b")})
    tensors, description = weights_files.read(tmp_path)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert description == {"classes": ["a", "b"]}


def test_the_order_of_tensors_changes_no_byte(tmp_path):
    weights_files.write(tmp_path / "1", TENSORS, {"a": 1, "b": 2})
    weights_files.write(tmp_path / "2", dict(reversed(TENSORS.items())), {"b": 2, "a": 1})
    for file in (weights_files.WEIGHTS, weights_files.DESCRIPTION):
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 60, -1])
def test_truncated_weights_are_refused(tmp_path, keep):
    weights_files.write(tmp_path, TENSORS, {})
    weights = tmp_path / weights_files.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        weights_files.read(tmp_path)


def test_a_pickle_is_never_read(tmp_path):
    weights_files.write(tmp_path, TENSORS, {})
    torch.save(TENSORS, tmp_path / weights_files.WEIGHTS)
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        weights_files.read(tmp_path)


@pytest.mark.parametrize("absent", [weights_files.WEIGHTS, weights_files.DESCRIPTION])
def test_an_absent_file_is_refused(tmp_path, absent):
    weights_files.write(tmp_path, TENSORS, {})
    (tmp_path / absent).unlink()
    with pytest.raises(BundleError, match=absent):
        weights_files.read(tmp_path)


def test_every_missing_extra_and_misshapen_tensor_is_named():
    wrong = {"weight": torch.zeros(3, 3), "more": torch.zeros(1)}
    with pytest.raises(BundleError) as refusal:
        weights_files.fill(torch.nn.Linear(3, 2), wrong, "w")
    text = str(refusal.value)
    assert "3 problems" in text
    assert "expected tensor bias, got nothing" in text
    assert "expected no more tensors, got more" in text
    assert "expected weight of shape (2, 3), got (3, 3)" in text


def test_a_network_is_filled_in_its_own_precision():
    network = torch.nn.Linear(3, 2)
    weights_files.fill(network, {name: tensor.half() for name, tensor in TENSORS.items()}, "w")
    assert network.weight.dtype == torch.float32
    assert torch.equal(network.weight, TENSORS["weight"])


def test_of_another_task_only_what_fits_is_taken():
    network = torch.nn.Linear(3, 2)
    before = network.bias.clone()
    assert weights_files.fill_matching(network, {"weight": TENSORS["weight"], "bias": torch.zeros(5)}) == (1, 2)
    assert torch.equal(network.weight, TENSORS["weight"])
    assert torch.equal(network.bias, before)
