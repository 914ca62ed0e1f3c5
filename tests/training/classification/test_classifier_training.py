"""A classifier's training: same bytes, resumed too; what the curve says is what ships; bad weights are refused."""

import dataclasses

import numpy as np
import pytest
import torch

from training.classifier_pictures import CLASSES, SIZE_PX, album, backbone, draw, loss, training, views
from training.interrupted import interrupt
from vouch.errors import BundleError, DataError, ParamsError, WorkspaceError
from vouch.training import weights
from vouch.training.backbones import timm_backbone
from vouch.training.classification import network as classifier_network
from vouch.training.classification import training as classifier
from vouch.training.classification.training import network
from vouch.training.images import batches
from vouch.training.optimization import loop
from vouch.training.optimization.logit_metrics import metrics
from vouch.vision.images.source import File

LOSSES = {
    "cross_entropy": loss(gate_folds=2),
    "gatekeeper": loss(kind="gatekeeper", gate_folds=0, alpha=0.5, after_epochs=1),
    "selective": loss(kind="selective", max_rate=0.02, coverage_weight=0.1, dual_step=0.5, after_epochs=0),
    "gamblers": loss(kind="gamblers", payoff=1.5, after_epochs=1),
    "conformal_risk": loss(
        kind="conformal_risk",
        gate_folds=2,
        alpha=0.2,
        weight=1.0,
        temperature=0.1,
        after_epochs=0,
        ramp_epochs=0.5,
        queue=40,
    ),
}
GATED = {"cross_entropy", "selective", "gamblers", "conformal_risk"}


def train(pictures, wanted, scratch, *, start="none"):
    return classifier.train(pictures, wanted, start, scratch)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return album(draw(tmp_path_factory.mktemp("data") / "photographs"))


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    return train(pictures, training(loss=LOSSES["cross_entropy"]), tmp_path_factory.mktemp("scratch") / "here")


def val_select(pictures):
    source = batches.canvases(pictures.val_select.images, SIZE_PX)
    return batches.pixels(source(np.arange(len(pictures.val_select.images))), "cpu")


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": LOSSES["cross_entropy"]},
        {"loss": LOSSES["selective"], "optimizer": "FriendlySAM"},
        {"loss": LOSSES["gatekeeper"], "augmentation": "aggressive", "choose_by": "augrc"},
        {"loss": LOSSES["conformal_risk"], "positive": None},
    ],
    ids=["plain", "friendly", "gatekeeper", "conformal"],
)
def test_resumed_or_not_the_same_training_gives_the_same_bytes(changes, pictures, tmp_path):
    wanted = training(**changes, epochs=3)
    whole = train(pictures, wanted, tmp_path / "whole")
    interrupt(lambda: train(pictures, wanted, tmp_path / "broken"), tmp_path / "broken")
    resumed = train(pictures, training(**changes, epochs=3, resume=True), tmp_path / "broken")
    assert resumed.curve.equals(whole.curve)
    for name, one in (("whole", whole), ("resumed", resumed)):
        weights.write(tmp_path / name / "weights", one.tensors, one.description)
    for file in (weights.WEIGHTS, weights.DESCRIPTION):
        one, other = (tmp_path / name / "weights" / file for name in ("whole", "resumed"))
        assert one.read_bytes() == other.read_bytes(), file


def test_a_run_is_resumed_only_by_its_own_parameters_labels_photographs_and_start(trained, pictures, tmp_path):
    interrupt(lambda: train(pictures, training(epochs=3), tmp_path), tmp_path)
    weights.write(tmp_path / "start", trained.tensors, trained.description)
    relabelled = dataclasses.replace(pictures.train, class_ids=1 - pictures.train.class_ids)
    first = pictures.train.images[0].path
    larger = tmp_path / first.name  # and of another path
    larger.write_bytes(first.read_bytes() + b"trailing")
    replaced = dataclasses.replace(pictures.train, images=(File(larger), *pictures.train.images[1:]))
    for album_, start, changes in (
        (pictures, "none", {"learning_rate": 0.002}),
        (dataclasses.replace(pictures, train=relabelled), "none", {}),
        (dataclasses.replace(pictures, train=replaced), "none", {}),
        (pictures, str(tmp_path / "start"), {}),
    ):
        with pytest.raises(WorkspaceError, match="a checkpoint of this very training"):
            train(album_, training(epochs=3, resume=True, **changes), tmp_path, start=start)
    last = tmp_path / "last.pt"
    last.write_bytes(last.read_bytes()[:2000])
    with pytest.raises(WorkspaceError, match="a whole checkpoint"):
        train(pictures, training(epochs=3, resume=True), tmp_path)


@pytest.mark.parametrize("kind", LOSSES)
def test_each_loss_trains_and_ships_logits_and_then_the_gates(kind, pictures, tmp_path):
    found = train(pictures, training(loss=LOSSES[kind]), tmp_path / "scratch")
    with torch.no_grad():
        answers = network(found.description, found.tensors)(torch.rand(3, 3, SIZE_PX, SIZE_PX))
    assert answers.shape == (3, 2 + (kind in GATED))
    assert answers.dtype == torch.float32
    assert not (tmp_path / "scratch").exists()
    assert not any(".aux." in name for name in found.tensors)


@pytest.mark.parametrize("choose_by", ["nll", "augrc"])
def test_what_ships_scores_on_val_select_what_the_curve_says_of_its_best_epoch(choose_by, pictures, tmp_path):
    found = train(pictures, training(choose_by=choose_by, epochs=4, learning_rate=0.03), tmp_path)
    with torch.no_grad():
        logits = network(found.description, found.tensors)(val_select(pictures)).double().numpy()
    scores = metrics(logits, pictures.val_select.class_ids, where="here")
    ranked = found.curve.sort_values([f"val_select_{choose_by}", "val_select_nll"], kind="stable")
    for name, value in scores.items():
        assert value == pytest.approx(ranked.iloc[0][f"val_select_{name}"], abs=1e-6)


def test_averaged_weights_are_judged_and_shipped(pictures, tmp_path):
    slow, fast = (train(pictures, training(ema_decay=decay, epochs=1), tmp_path / str(decay)) for decay in (0.9, 0.0))
    assert slow.curve["train_loss"].equals(fast.curve["train_loss"])
    assert slow.curve["val_select_nll"][0] != fast.curve["val_select_nll"][0]
    name = "top.heads.classes.weight"
    assert not torch.equal(slow.tensors[name], fast.tensors[name])


def test_the_number_of_threads_is_what_the_parameters_say_and_not_the_environment(pictures, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    train(pictures, training(epochs=1, threads=2), tmp_path)
    found = torch.get_num_threads()
    torch.set_num_threads(before)
    assert found == 2


def test_it_learns_what_can_be_learned(tmp_path):
    pictures = album(draw(tmp_path / "photographs", 96), 96)
    found = train(pictures, training(epochs=12, batch=16, learning_rate=0.01), tmp_path / "scratch")
    assert found.curve["val_select_accuracy"].iloc[-1] >= 0.9
    assert found.curve["val_select_augrc"].iloc[-1] < 0.05


def test_patience_ends_a_training_that_no_longer_improves(pictures, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        scores = iter([0.5, 0.4, 0.6, 0.7, 0.1])
        rest = {"accuracy": 0.5, "augrc": 0.1}
        patch.setattr(loop, "validated", lambda *_, **__: {"nll": next(scores), **rest})
        found = train(pictures, training(epochs=9, patience_epochs=2), tmp_path)
    assert found.curve["val_select_nll"].tolist() == [0.5, 0.4, 0.6, 0.7]


@pytest.mark.parametrize("aggregator", ["mean", "top_k", "attention"])
def test_ten_views_train_and_are_part_of_what_ships(aggregator, pictures, tmp_path):
    looks = views(tiles_per_side=3, side_px=32, aggregator=aggregator)
    found = train(pictures, training(size_px=48, views=looks, epochs=1, loss=LOSSES["cross_entropy"]), tmp_path)
    with torch.no_grad():
        answers = network(found.description, found.tensors)(torch.rand(2, 3, 48, 48))
    assert answers.shape == (2, 3)


def test_bfloat16_is_of_the_training_pass_alone():
    wanted = training()
    looks = timm_backbone.describe("resnet10t", dict(wanted.backbone.options), SIZE_PX)
    network = classifier_network.build(classifier_network.describe(looks, wanted.views, wanted, CLASSES), 2)
    images = torch.rand(4, 3, SIZE_PX, SIZE_PX)
    with torch.no_grad():
        exact = network.eval().features(images)
        network.precision = "bfloat16"
        assert torch.equal(network.features(images), exact)
        narrow = network.train().features(images)
        network.precision = "float32"
        assert not torch.equal(network.features(images), narrow)


def test_bfloat16_trains_and_ships_float32(pictures, tmp_path):
    found = train(pictures, training(precision="bfloat16", epochs=1), tmp_path)
    assert {tensor.dtype for tensor in found.tensors.values()} == {torch.float32, torch.int64}
    plain = train(pictures, training(epochs=1), tmp_path)
    assert found.curve["train_loss"][0] == pytest.approx(plain.curve["train_loss"][0], rel=0.02)
    assert found.curve["train_loss"][0] != plain.curve["train_loss"][0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"precision": "float16"}, "float32 or bfloat16 in training"),
        (
            {"precision": "float16", "backbone": backbone("vit_small_patch16_dinov3")},
            "float32 or bfloat16 with DINO",
        ),
        ({"positive": "cone"}, "positive: expected one of clear, road_work, got cone"),
        ({"batch": 2}, "4 photographs per step at the least"),
        ({"views": views(side_px=48)}, "32, the canvas, where there are no tiles"),
        ({"views": views(aggregator="top_k")}, "at most 1 views"),
        ({"views": views(aggregator="top_k", top_k=1), "positive": None}, "a class, for top_k ranks views by it"),
        ({"loss": LOSSES["gamblers"] | {"payoff": 2.5}}, "at most 2, the number of classes"),
        ({"backbone": backbone("resnet_nobody_wrote")}, "a name of timm"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(changes, expected, pictures, tmp_path):
    with pytest.raises(ParamsError, match=expected):
        train(pictures, training(**changes), tmp_path)


def test_more_folds_than_groups_are_refused(pictures, tmp_path):
    with pytest.raises(DataError, match="9 groups, one a fold, got 8"):
        train(pictures, training(loss=loss(gate_folds=9), epochs=1), tmp_path)


def test_training_starts_from_a_folder_of_weights(trained, pictures, tmp_path, capsys):
    weights.write(tmp_path / "start", trained.tensors, trained.description)
    again = train(
        pictures,
        training(epochs=1, learning_rate=1e-9, ema_decay=0.0),
        tmp_path / "s",
        start=str(tmp_path / "start"),
    )
    assert "the backbone and 4 of 6 tensors of the heads fit" in capsys.readouterr().out  # the second head is new
    name = "backbone.inner.layer1.0.conv1.weight"
    torch.testing.assert_close(again.tensors[name], trained.tensors[name], atol=1e-6, rtol=1e-6)


def test_starting_weights_that_do_not_fit_are_refused(trained, pictures, tmp_path):
    def start(tensors, description):
        weights.write(tmp_path / "start", tensors, description)
        return train(pictures, training(epochs=1), tmp_path / "scratch", start=str(tmp_path / "start"))

    name = "backbone.inner.bn1.weight"
    lacking = {key: tensor for key, tensor in trained.tensors.items() if key != name}
    with pytest.raises(BundleError, match=r"expected tensor inner\.bn1\.weight, got nothing"):
        start(lacking, trained.description)
    with pytest.raises(BundleError, match=r"expected no more tensors, got more"):
        start(trained.tensors | {"backbone.more": torch.zeros(1)}, trained.description)
    other = trained.description["architecture"] | {
        "backbone": trained.description["architecture"]["backbone"] | {"name": "resnet14t"}
    }
    with pytest.raises(BundleError, match=r"expected backbone resnet10t.*got backbone resnet14t"):
        start(trained.tensors, trained.description | {"architecture": other})
    with pytest.raises(BundleError, match=r"start: architecture\.backbone: expected a value, got nothing"):
        start(trained.tensors, trained.description | {"architecture": {}})
    with pytest.raises(DataError, match="weights of classifier or embedder or classifier_backbone, got ultralytics"):
        start(trained.tensors, trained.description | {"framework": "ultralytics"})
    with pytest.raises(BundleError, match=r"a \.safetensors of timm"):
        train(pictures, training(), tmp_path / "scratch", start=str(tmp_path / "absent"))


def test_weights_that_do_not_fit_their_description_are_refused(trained):
    more = trained.tensors | {"top.more": torch.zeros(1)}
    less = {name: tensor for name, tensor in trained.tensors.items() if name != "top.heads.gate.bias"}
    for tensors, expected in (
        (more, r"expected no more tensors, got top\.more"),
        (less, r"expected tensor top\.heads\.gate\.bias, got nothing"),
    ):
        with pytest.raises(BundleError, match=expected):
            network(trained.description, tensors)
    wider = trained.description | {"architecture": trained.description["architecture"] | {"head_width": 17}}
    with pytest.raises(BundleError, match=r"shape \(17, 16\), got \(16, 16\)"):
        network(wider, trained.tensors)
    with pytest.raises(BundleError, match=r"architecture\.surprise: expected a known key"):
        network(
            trained.description | {"architecture": trained.description["architecture"] | {"surprise": 1}},
            trained.tensors,
        )


def test_the_description_rebuilds_the_network_from_disk_and_names_no_path(trained, tmp_path):
    weights.write(tmp_path, trained.tensors, trained.description)
    tensors, description = weights.read(tmp_path)
    assert description["framework"] == "classifier"
    assert (description["classes"], description["size_px"], description["stride_px"]) == (list(CLASSES), SIZE_PX, 32)
    assert "/" not in (tmp_path / weights.DESCRIPTION).read_text()
    canvas = torch.rand(2, 3, SIZE_PX, SIZE_PX)
    with torch.no_grad():
        expected = network(trained.description, trained.tensors)(canvas)
        assert torch.equal(network(description, tensors)(canvas), expected)
