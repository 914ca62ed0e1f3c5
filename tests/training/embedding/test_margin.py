"""The margin against pytorch-metric-learning, and by hand where a figure is known."""

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import ArcFaceLoss, MultiSimilarityLoss
from pytorch_metric_learning.miners import MultiSimilarityMiner
from torch.nn import functional

from training.product_pictures import training
from vouch.errors import WorkspaceError
from vouch.training.embedding import margin
from vouch.training.embedding.network import Embedded

PAIRS = {"kind": "multi_similarity", "weight": 0.5, "alpha": 2.0, "beta": 50.0, "base": 0.5, "epsilon": 0.1}


def batch(seed=0, count=12, products=5, values=8):
    generator = torch.Generator().manual_seed(seed)
    embedding = functional.normalize(torch.randn(count, values, generator=generator))
    directions = functional.normalize(torch.randn(products, values, generator=generator))
    class_ids = torch.arange(count) % products
    return embedding, directions, class_ids


@pytest.mark.parametrize("margin_rad", [0.0, 0.2, 0.5])
def test_the_margin_is_that_of_the_library_in_radians(margin_rad):
    embedding, directions, class_ids = batch()
    theirs = ArcFaceLoss(num_classes=5, embedding_size=8, margin=math.degrees(margin_rad), scale=16.0)
    theirs.W.data = directions.T.clone()
    found = margin.minimised(training(margin_rad=margin_rad, ramp_epochs=0.0))
    mine, _ = found.loss(Embedded(16.0 * embedding @ directions.T, embedding), class_ids, 0.0, {})
    assert float(mine) == pytest.approx(theirs(embedding, class_ids).item(), rel=1e-5)


def test_a_crop_at_a_right_angle_is_pushed_further_by_the_margin():
    logits = torch.tensor([[0.0, 8.0]])
    pushed = margin.arcface(logits, torch.tensor([0]), margin_rad=0.5, scale=16.0)
    np.testing.assert_allclose(pushed.numpy(), [[16.0 * math.cos(math.pi / 2 + 0.5), 8.0]], rtol=1e-5)


def test_a_larger_angle_is_never_nearer_and_has_a_gradient():
    cosine = torch.linspace(-1, 1, 401, requires_grad=True)
    pushed = margin.arcface(16.0 * cosine[:, None], torch.zeros(401, dtype=torch.int64), margin_rad=0.5, scale=16.0)
    assert bool((pushed[1:, 0] >= pushed[:-1, 0] - 1e-4).all())
    pushed.sum().backward()
    assert bool(torch.isfinite(cosine.grad).all())


def test_the_margin_grows_evenly_and_stays():
    found = [margin.ramped(0.4, ramp_epochs=2.0, epochs=epochs) for epochs in (0.0, 0.5, 2.0, 9.0)]
    assert found == [0.0, 0.1, 0.4, 0.4]
    assert margin.ramped(0.4, ramp_epochs=0.0, epochs=0.0) == 0.4


def test_pairs_are_those_of_the_library_beside_the_margin():
    embedding, directions, class_ids = batch(seed=3)
    outputs = Embedded(16.0 * embedding @ directions.T, embedding)
    alone, _ = margin.minimised(training()).loss(outputs, class_ids, 5.0, {})
    both, _ = margin.minimised(training(pairs=PAIRS)).loss(outputs, class_ids, 5.0, {})
    mined = MultiSimilarityMiner(epsilon=0.1)(embedding, class_ids)
    theirs = MultiSimilarityLoss(alpha=2.0, beta=50.0, base=0.5)(embedding, class_ids, mined)
    assert float(both - alone) == pytest.approx(0.5 * float(theirs), rel=1e-4)


def test_pairs_without_their_library_are_refused(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(margin.importlib, "import_module", absent)
    with pytest.raises(WorkspaceError, match="pytorch-metric-learning"):
        margin.minimised(training(pairs=PAIRS))
