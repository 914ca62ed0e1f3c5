"""The stage that compares torch with ONNX Runtime: what it adds, it adds in one order."""

import pytest
import torch

from vouch.errors import VouchError
from vouch.stages import parity


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_number_of_threads_is_the_stages_whatever_the_environment_says(two_threads, tmp_path, monkeypatch):
    # sums of floats depend on it, and so did the bytes of export.json
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VouchError):
        parity.run("m", "d")
    assert torch.get_num_threads() == 1
