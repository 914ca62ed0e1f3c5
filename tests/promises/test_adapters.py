"""What adapters learn, and nothing else, is in the weights that ship, under the names of full fine-tuning."""

import numpy as np
import pytest
import safetensors.torch
import timm
import torch

from training.classifier_pictures import SIZE_PX, album, backbone, draw, loss, training
from vouch.training import weights
from vouch.training.classification import training as classifier
from vouch.training.images import batches
from vouch.training.optimization.logit_metrics import metrics

WIDTH = 192  # of vit_tiny
VIT = backbone("vit_tiny_patch16_224", depth=2)
BESIDE = {"rank": 2, "alpha": 4.0, "dropout": 0.1, "blocks": 1, "targets": ("qkv", "proj")}
KINDS = {
    "lora": {"kind": "lora"} | BESIDE,
    "dora": {"kind": "dora"} | BESIDE,
    "doran": {"kind": "doran", "hidden": 2, "tau": 0.01} | BESIDE,
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return album(draw(tmp_path_factory.mktemp("data") / "photographs"))


@pytest.fixture(scope="module")
def starts(tmp_path_factory):
    """Weights as published, of a transformer and of a network with batch normalisation."""
    folder = tmp_path_factory.mktemp("start")
    torch.manual_seed(7)
    for said in (VIT, backbone()):
        canvas = {"img_size": SIZE_PX} if said is VIT else {}
        inner = timm.create_model(said["name"], num_classes=2, **said["options"], **canvas)
        tensors = {name: torch.randn_like(one) * 0.05 + one for name, one in inner.named_parameters()}
        safetensors.torch.save_file(inner.state_dict() | tensors, folder / f"{said['name']}.safetensors")
    return folder


def train(pictures, starts, said, scratch, *, kind, **changes):
    wanted = training(backbone=said, adapters=kind, learning_rate=0.01, **({"epochs": 1} | changes))
    return classifier.train(pictures, wanted, str(starts / f"{said['name']}.safetensors"), scratch)


def changed(found, starts, said):
    """Name the backbone's tensors that are no longer bit by bit those that it started from."""
    start = safetensors.torch.load_file(starts / f"{said['name']}.safetensors")
    inner = "backbone.inner."
    now = {name.removeprefix(inner): one for name, one in found.tensors.items() if name.startswith(inner)}
    return {name for name, one in now.items() if not torch.equal(one, start[name])}, now, start


@pytest.mark.parametrize("kind", KINDS)
def test_the_adapted_weights_alone_change_and_what_ships_answers_as_it_was_judged(kind, pictures, starts, tmp_path):
    found = train(pictures, starts, VIT, tmp_path / "s", kind=KINDS[kind], loss=loss(gate_folds=2))
    names, now, start = changed(found, starts, VIT)
    assert names == {"blocks.1.attn.qkv.weight", "blocks.1.attn.proj.weight"}
    same = [
        torch.equal(*(one["blocks.1.attn.qkv.weight"].view(3, WIDTH, -1)[part] for one in (now, start)))
        for part in range(3)
    ]
    assert same == [False, kind == "doran", False]  # of q, k, v
    whole = train(pictures, starts, VIT, tmp_path / "w", kind={"kind": "none"}, loss=loss(gate_folds=2))
    assert {name: one.shape for name, one in found.tensors.items()} == {
        name: one.shape for name, one in whole.tensors.items()
    }
    assert found.description == whole.description
    source = batches.canvases(pictures.val_select.images, SIZE_PX)
    canvas = batches.pixels(source(np.arange(len(pictures.val_select.images))), "cpu")
    with torch.no_grad():
        logits = classifier.network(found.description, found.tensors)(canvas)[:, :2].double().numpy()
    for name, value in metrics(logits, pictures.val_select.class_ids, where="here").items():
        assert value == pytest.approx(found.curve[f"val_select_{name}"][0], abs=1e-5)


def test_statistics_of_a_frozen_batch_normalisation_stay_and_the_fallback_is_said(pictures, starts, tmp_path, capsys):
    kind = KINDS["doran"] | {"targets": ("conv2",)}
    found = train(pictures, starts, backbone(), tmp_path, kind=kind)
    assert changed(found, starts, backbone())[0] == {"layer4.0.conv2.weight"}
    assert "adapters: DoRA instead of DoRAN" in capsys.readouterr().out


def test_interrupted_and_resumed_adapters_give_the_same_bytes(pictures, starts, tmp_path, monkeypatch):
    said = {"kind": KINDS["doran"], "precision": "bfloat16", "optimizer": "FriendlySAM", "epochs": 2}
    whole = train(pictures, starts, VIT, tmp_path / "whole", **said)
    save = torch.save

    def second(content, path):
        if content["progress"]["epoch"] == 2:
            raise KeyboardInterrupt
        save(content, path)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", second)
        with pytest.raises(KeyboardInterrupt):
            train(pictures, starts, VIT, tmp_path / "broken", **said)
    assert (tmp_path / "broken/last.pt").is_file()
    again = train(pictures, starts, VIT, tmp_path / "broken", resume=True, **said)
    for name, one in (("whole", whole), ("again", again)):
        weights.write(tmp_path / name, one.tensors, one.description)
    assert (tmp_path / "whole/weights.safetensors").read_bytes() == (
        tmp_path / "again/weights.safetensors"
    ).read_bytes()
