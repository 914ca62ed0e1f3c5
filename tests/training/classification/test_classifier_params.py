"""Each room runs on its own section alone: it could not read a parameter of another."""

import torch

from training.classifier_pictures import CLASSES, SIZE_PX, training
from vouch.training.backbones import timm_backbone
from vouch.training.classification import network
from vouch.training.classification.heads import Heads
from vouch.training.classification.losses import Objective, minimised
from vouch.training.classification.params import HeadsAndLoss
from vouch.training.optimization import loop, optimizers
from vouch.training.optimization.params import Loop, Optimization


def alone(kind, whole):
    return kind.model_validate(whole.model_dump(include=set(kind.model_fields)))


def heads():
    torch.manual_seed(1)
    return Heads(4, 4, 2, gate=False, aux=False, abstention=False, dropout=0.5)


def test_the_loop_fits_the_same_weights_on_its_own_section():
    features, class_ids, whole = torch.randn(24, 4), torch.arange(24) % 2, training()
    parts = list(zip(features.split(8), class_ids.split(8), strict=True))
    feed = loop.Feed(lambda _: iter(parts), 3, lambda: iter([features]), class_ids.numpy())
    objective = minimised(Objective(whole.loss, torch.ones(2), None))
    found = [loop.fit(heads(), feed, wanted, objective, None).best for wanted in (whole, alone(Loop, whole))]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_an_architecture_follows_from_heads_and_loss_and_an_optimizer_from_its_section():
    whole = training(head_width=7, layer_decay=0.5)
    backbone = timm_backbone.describe("resnet10t", dict(whole.backbone.options), SIZE_PX)
    assert network.describe(backbone, whole.views, alone(HeadsAndLoss, whole), CLASSES).head_width == 7
    assert optimizers.optimizer(heads(), alone(Optimization, whole)).defaults["lr"] == whole.learning_rate
