"""Pre-training without labels: what learns and what stays, what may ship, and what a pool must not hold."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from training.classifier_pictures import CLASSES, SIZE_PX, album, backbone, draw, training
from training.interrupted import interrupt
from vouch import io
from vouch.errors import BundleError, DataError, LeakageError, ParamsError, WorkspaceError
from vouch.quality import images
from vouch.stages import pretrain
from vouch.training import weights
from vouch.training.backbones import timm_backbone
from vouch.training.backbones.frozen import Frozen, started_backbone
from vouch.training.classification import network as classifier_network
from vouch.training.images import batches
from vouch.training.optimization import averaging
from vouch.training.pretraining import crops as pretraining_crops
from vouch.training.pretraining import loop, monitors
from vouch.training.pretraining import training as pretraining
from vouch.training.pretraining.params import Crops, Pretraining
from vouch.training.pretraining.training import Pool, may_ship

VIT = {"depth": 3, "embed_dim": 24, "num_heads": 2, "dynamic_img_size": True}
SECTION = {
    "backbone": backbone("vit_tiny_patch16_224", **VIT),
    "size_px": 40,
    "unfrozen_blocks": 1,
    "lora": {"kind": "lora", "rank": 2, "alpha": 4.0, "dropout": 0.0, "blocks": 2, "targets": ("qkv",)},
    "epochs": 3,
    "head_epochs": 1,
    "batch": 4,
    "learning_rate": 0.003,
    "final_learning_rate": 0.01,
    "warmup_epochs": 0.5,
    "weight_decay": 0.01,
    "max_gradient_norm": 3.0,
    "ema_decay": 0.9,
    "crops": {
        "global_px": SIZE_PX,
        "global_area": (0.3, 1.0),
        "local_area": (0.1, 0.3),
        "n_local": 2,
        "local_px": 16,
        "augmentation": "moderate",
    },
    "head": {"hidden_width": 32, "bottleneck_width": 16, "prototypes": 32, "frozen_prototype_epochs": 1},
    "objective": {
        "dino_weight": 1.0,
        "ibot_weight": 1.0,
        "koleo_weight": 0.1,
        "student_temperature": 0.1,
        "teacher_temperature": 0.04,
        "final_teacher_temperature": 0.07,
        "temperature_epochs": 2,
        "center_momentum": 0.9,
        "masked_share": 0.5,
        "mask_area": (0.1, 0.5),
    },
    "monitors": {"neighbours": 3, "margin": 1.0, "min_spread": 0.0},
    "device": "cpu",
    "threads": 1,
    "seed": 1,
    "precision": "float32",
    "resume": False,
}
VOTES = [0.5, 0.5, 0.75, 0.625]  # before, then after each epoch: the last is not the best


def wanted(**changes):
    return Pretraining.model_validate(SECTION | changes)


def whole(found):
    """The backbone that a folder's tensors and description rebuild."""
    architecture = weights.architecture(Frozen, found.description).backbone
    built = timm_backbone.build(architecture)
    weights.fill(built, found.tensors, "here")
    return built.eval()


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    pictures = album(draw(tmp_path_factory.mktemp("data") / "photographs", 18), 18)
    return Pool(pictures.train.images, pictures.train)


@pytest.fixture(scope="module")
def adapted(pool, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        merge = pretraining.adapters.merge
        seen = {}

        def watched(one):
            images = torch.rand(2, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(1))
            with torch.no_grad():
                seen["images"], seen["before"] = images, one.eval()(images)
            merge(one)

        votes = iter(VOTES)
        patch.setattr(monitors, "neighbour_accuracy", lambda *_, **__: next(votes))
        patch.setattr(pretraining.adapters, "merge", watched)
        return pretraining.adapt(pool, wanted(), "none", tmp_path_factory.mktemp("scratch") / "here"), seen


def test_what_is_written_gives_the_features_of_the_teacher_unmerged(adapted):
    found, seen = adapted
    with torch.no_grad():
        torch.testing.assert_close(whole(found)(seen["images"]), seen["before"], rtol=0.0, atol=1e-5)


def test_what_is_written_is_the_teacher_of_the_epoch_that_the_curve_names(adapted, pool):
    found, _ = adapted
    labelled = pool.labelled
    pictures = batches.canvases(labelled.images, SIZE_PX)(np.arange(len(labelled.images)))
    with torch.no_grad():
        features = whole(found)(batches.pixels(pictures, "cpu"))
    shipped = found.curve[found.curve["ships"] == 1]
    assert monitors.spread(features) == pytest.approx(shipped["feature_spread"].item(), abs=1e-5)
    assert (found.curve["feature_spread"] - shipped["feature_spread"].item()).abs().lt(1e-4).sum() == 1


def test_lora_and_the_last_block_and_norms_learn_and_nothing_else(adapted):
    found, _ = adapted
    torch.manual_seed(1)
    start = timm_backbone.build(timm_backbone.describe("vit_tiny_patch16_224", VIT, SIZE_PX)).state_dict()
    changed = {name for name, tensor in found.tensors.items() if not torch.equal(tensor, start[name])}
    norms = {name for name in start if "norm" in name}
    last = {name for name in start if name.startswith("inner.blocks.2.")}
    keys = {"inner.blocks.2.attn.qkv.bias"}  # softmax does not see a bias of keys, so a third of it may stay
    assert changed | keys == norms | last | {f"inner.blocks.{number}.attn.qkv.weight" for number in (0, 1)}


def test_the_curve_begins_before_the_first_epoch_and_says_which_one_ships(adapted):
    curve = adapted[0].curve
    assert curve["epoch"].tolist() == [0, 1, 2, 3]
    assert curve["neighbour_accuracy"].tolist() == VOTES
    assert curve["ships"].tolist() == [0, 0, 1, 0]
    spreads = curve["feature_spread"]
    assert spreads[0] == spreads[1]  # the head alone learned
    assert spreads[1:].nunique() == 3
    assert curve["train_loss"].isna().tolist() == [True, False, False, False]


@pytest.fixture
def both():
    torch.manual_seed(1)
    one = timm_backbone.build(timm_backbone.describe("vit_tiny_patch16_224", VIT, SIZE_PX))
    pretraining.loosen(one, wanted())
    return loop.pair(one, wanted())


def test_the_teacher_shares_what_stays_and_follows_what_learns(both):
    student, teacher = (dict(one.backbone.named_parameters()) for one in (both.student, both.teacher))
    assert {name for name in student if student[name] is not teacher[name]} == set(both.adapting)
    start = {name: teacher[name].clone() for name in student}
    with torch.no_grad():
        for name in both.adapting:
            student[name].add_(1.0)
    averaging.follow(both.teacher, both.student, 0.75)
    for name in both.adapting:
        torch.testing.assert_close(teacher[name], start[name] + 0.25)


@pytest.mark.parametrize(
    ("name", "options", "patch_px"),
    [
        ("vit_tiny_patch16_224", VIT, 16),
        ("vit_small_patch14_dinov2", {"depth": 2, "embed_dim": 24, "num_heads": 2}, 14),
        ("vit_small_patch16_dinov3", {"depth": 2, "embed_dim": 32, "num_heads": 2}, 16),
    ],
)
def test_the_student_sees_nothing_of_a_hidden_patch(name, options, patch_px):
    torch.manual_seed(1)
    side_px = 2 * patch_px
    one = timm_backbone.build(timm_backbone.describe(name, options, side_px))
    rules = wanted(lora=SECTION["lora"] | {"blocks": 1}, crops=SECTION["crops"] | {"n_local": 0, "global_px": side_px})
    pretraining.refuse_unfit(one, rules)
    pretraining.loosen(one, rules)
    student = loop.pair(one, rules).student.eval()
    images = torch.rand(1, 3, side_px, side_px)
    hidden = torch.tensor([[[True, False], [False, False]]])
    other = images.clone()
    other[:, :, :patch_px, :patch_px] = 0.3
    with torch.no_grad():
        torch.testing.assert_close(student.tokens(images, hidden), student.tokens(other, hidden))
        assert not torch.allclose(student.tokens(images), student.tokens(other))
        torch.testing.assert_close(student.whole(student.tokens(images)), student.backbone(images))


def test_the_loss_of_crops_and_patches_is_the_cross_entropy_written_out(both):
    """DINO over every pair of a teacher's global crop and another crop, iBOT a mean over each crop's hidden patches."""
    batch = (torch.rand(2, 4, 3, SIZE_PX, SIZE_PX), torch.rand(2, 4, 3, 16, 16))
    both.student.eval()
    area = wanted().objective.mask_area
    hidden = pretraining_crops.masks(8, (2, 2), share=0.5, area=area, rng=np.random.default_rng(3))
    found = loop.losses(both, batch, wanted(), np.random.default_rng(3), 0.04)
    mask = torch.from_numpy(hidden)
    flat = batch[0].flatten(0, 1)

    def crossed(told, guessed):
        return -(torch.softmax(told / 0.04, -1) * torch.log_softmax(guessed / 0.1, -1)).sum(-1)

    with torch.no_grad():
        told, guessed = both.teacher.tokens(flat), both.student.tokens(flat, mask)
        local = both.student.tokens(batch[1].flatten(0, 1))
        one = both.teacher.head(told[:, 0]).unflatten(0, (2, 4))
        other = torch.cat([both.student.head(tokens[:, 0]).unflatten(0, (2, 4)) for tokens in (guessed, local)])
        pairs = [crossed(one[t], other[s]).mean() for t in range(2) for s in range(4) if s != t]
        patches = crossed(both.teacher.head(told[:, 1:]), both.student.head(guessed[:, 1:])) * mask.flatten(1)
        each = patches.sum(1) / mask.flatten(1).sum(1).clamp(min=1)
    assert found[0].item() == pytest.approx(torch.stack(pairs).mean().item(), rel=1e-5)
    assert found[1].item() == pytest.approx(each.mean().item(), rel=1e-5)


def test_collapsed_outputs_are_seen():
    rng = torch.Generator().manual_seed(1)
    healthy = torch.randn(400, 16, generator=rng)
    assert monitors.spread(healthy) == pytest.approx(1.0, abs=0.03)
    assert monitors.spread(torch.ones(400, 16)) == pytest.approx(0.0, abs=1e-6)
    one_hot, center = torch.eye(8).repeat(5, 1), torch.zeros(8)
    assert monitors.certainty(100 * one_hot, center, 0.1) == pytest.approx((0.0, 1.0))
    assert monitors.certainty(100 * one_hot[:1].repeat(40, 1), center, 0.1) == pytest.approx((0.0, 0.0))  # one for all
    assert monitors.certainty(torch.zeros(40, 8), center, 0.1) == pytest.approx((1.0, 0.0))  # flat


def test_frames_of_a_group_do_not_vote_for_each_other():
    features = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.9, 0.3], [0.9, 0.31], [0.0, 1.0], [0.01, 1.0]])
    class_ids, groups = np.array([0, 0, 0, 0, 1, 1]), ("a", "a", "b", "b", "c", "c")
    # a and b vote for each other; c stands alone, and every neighbour that it may ask is of the other class
    assert monitors.neighbour_accuracy(features, class_ids, groups, neighbours=1) == pytest.approx(4 / 6)
    alone = tuple("uvwxyz")
    assert monitors.neighbour_accuracy(features, class_ids, alone, neighbours=1) == 1.0
    with pytest.raises(DataError, match="two groups"):
        monitors.neighbour_accuracy(features, class_ids, ("a",) * 6, neighbours=1)


@pytest.mark.parametrize(
    ("epoch", "accuracy", "spread", "shipped", "expected"),
    [
        (2, 0.78, 0.8, 0, True),  # within the margin of .8
        (2, 0.70, 0.8, 0, False),
        (1, 0.99, 0.8, 0, False),  # the head alone learned
        (2, 0.99, 0.3, 0, False),  # collapsed
        (3, 0.85, 0.8, 2, True),
        (3, 0.80, 0.8, 2, False),  # epoch 2 had .85
    ],
)
def test_an_epoch_ships_when_it_is_the_best_and_no_worse_than_before(epoch, accuracy, spread, shipped, expected):
    def row(number, right, wide):
        return {"epoch": float(number), "neighbour_accuracy": right, "feature_spread": wide}

    before = [row(0, 0.8, 0.8), row(1, 0.8, 0.8), row(2, 0.85, 0.8)][:epoch]
    rows = [*before, row(epoch, accuracy, spread)]
    rules = wanted(monitors={"neighbours": 3, "margin": 0.05, "min_spread": 0.5})
    assert may_ship(rows, shipped, rules) == expected


def test_the_backbone_ships_as_it_was_when_no_epoch_may(pool, monkeypatch, capsys, tmp_path):
    strict = {"neighbours": 3, "margin": 1.0, "min_spread": 1.0}
    spreads = iter([0.9, 0.9, 0.1])
    monkeypatch.setattr(monitors, "spread", lambda features: next(spreads))
    found = pretraining.adapt(pool, wanted(epochs=2, monitors=strict), "none", tmp_path)
    torch.manual_seed(1)
    start = timm_backbone.build(timm_backbone.describe("vit_tiny_patch16_224", VIT, SIZE_PX)).state_dict()
    assert all(torch.equal(tensor, start[name]) for name, tensor in found.tensors.items())
    assert found.curve["ships"].tolist() == [1, 0, 0]
    assert "ships: the backbone as it was" in capsys.readouterr().out


def test_resumed_or_not_the_same_pre_training_gives_the_same_tensors(pool, tmp_path):
    whole = pretraining.adapt(pool, wanted(), "none", tmp_path / "whole")
    interrupt(lambda: pretraining.adapt(pool, wanted(), "none", tmp_path / "broken"), tmp_path / "broken")
    with pytest.raises(WorkspaceError, match="a checkpoint of this very training"):
        pretraining.adapt(pool, wanted(ema_decay=0.8, resume=True), "none", tmp_path / "broken")
    resumed = pretraining.adapt(pool, wanted(resume=True), "none", tmp_path / "broken")
    assert resumed.curve.equals(whole.curve)
    assert all(torch.equal(tensor, whole.tensors[name]) for name, tensor in resumed.tensors.items())
    assert not (tmp_path / "broken").exists()


def test_half_width_and_global_crops_alone_do_too(pool, tmp_path):
    few = wanted(epochs=2, precision="bfloat16", crops=SECTION["crops"] | {"n_local": 0})
    found = pretraining.adapt(pool, few, "none", tmp_path)
    assert {tensor.dtype for tensor in found.tensors.values()} == {torch.float32}
    assert np.isfinite(found.curve["train_loss"][1:]).all()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"backbone": backbone()}, "a vision transformer"),
        ({"backbone": backbone("efficientnet_lite0")}, "a vision transformer"),
        ({"unfrozen_blocks": 3}, "fewer than all blocks"),
        ({"backbone": backbone("vit_tiny_patch16_224", **VIT | {"dynamic_img_size": False})}, "dynamic_img_size: true"),
        ({"batch": 13}, "at most 12 photographs"),
        ({"precision": "float16"}, "float32 or bfloat16 in training"),
        ({"backbone": backbone("vit_small_patch16_dinov3_qkvb")}, "no `_qkvb` variant"),
    ],
)
def test_parameters_that_contradict_the_backbone_are_refused(changes, expected, pool, tmp_path):
    with pytest.raises(ParamsError, match=expected):
        pretraining.adapt(pool, wanted(**changes), "none", tmp_path)


def test_a_machine_without_lightly_says_what_to_install(pool, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(loop.importlib, "import_module", absent)
    with pytest.raises(WorkspaceError, match=r"lightly.*vouch\[ssl\]"):
        loop._lightly("loss", "DINOLoss")


def test_masks_hide_the_share_that_they_say():
    rng = np.random.default_rng(1)
    found = pretraining_crops.masks(40, (8, 8), share=0.5, area=(0.1, 0.5), rng=rng)
    areas = sorted(found.reshape(40, -1).sum(axis=1))
    assert areas == [0] * 20 + [round(area * 64) for area in np.linspace(0.1, 0.5, 20)]
    tiny = pretraining_crops.masks(3, (1, 2), share=0.01, area=(0.9, 1.0), rng=rng)
    assert tiny.sum() == 1  # at least one crop, and never all of it


def test_crops_depend_on_seed_epoch_and_photograph_and_on_nothing_else():
    canvases = np.random.default_rng(1).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)
    crops = Crops.model_validate(SECTION["crops"])

    def look(indices, **changes):
        seen = pretraining_crops.seen(lambda chosen: canvases[chosen], crops, **{"seed": 1, "epoch": 0} | changes)
        return seen(np.array(indices))

    wide, narrow = look([4, 2])
    assert (wide.shape, narrow.shape) == ((2, 2, SIZE_PX, SIZE_PX, 3), (2, 2, 16, 16, 3))
    assert np.array_equal(wide[:, 0], look([0, 4])[0][:, 1])
    assert not np.array_equal(wide[0], wide[1])
    assert not np.array_equal(wide, look([4, 2], epoch=1)[0])


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A repository with a data set, a scan of it, and photographs from elsewhere in `more`."""
    monkeypatch.chdir(tmp_path)
    pictures = album(draw(tmp_path / "photographs", 18), 18)
    parts = {"train": pictures.train, "val_select": pictures.val_select}
    rows = [
        {"sample_id": image.path.stem, "image": image.name, "label": CLASSES[number], "group": group, "split": split}
        for split, part in parts.items()
        for image, number, group in zip(part.images, part.class_ids, part.groups, strict=True)
    ]
    table = pd.DataFrame(rows)
    table.loc[16:, "split"] = "val_calib", "val_test"
    io.write_table(Path("data/manifests/roads/samples.parquet"), table[["sample_id", "image", "label"]])
    for split, part in table.groupby("split"):
        io.write_table(Path(f"data/splits/roads/{split}.csv"), part[["sample_id", "group"]])
    records = images.scan([Path(image) for image in table["image"]], max_megapixels=1.0, workers=1)
    io.write_table(Path("data/quality/roads/scan.parquet"), images.tabulate(table["sample_id"], list(records)))
    content = {
        "datasets": {
            "roads": {
                "ingest": {"classes": CLASSES},
                "scan": {"max_megapixels": 1.0},
                "validate": {"thresholds": {"near_radius_bits": 6, "near_correlation": 0.9}},
            }
        },
        "models": {"m": {"pretrain": wanted(epochs=2, batch=6).model_dump(mode="json")}},
    }
    io.write_text(Path("params.yaml"), json.dumps(content))
    io.write_text(Path("none.yaml"), "pretrained: none\n")
    draw(tmp_path / "other", 22)
    for number in (18, 19):
        io.write_bytes(Path(f"more/{number}.png"), (tmp_path / f"other/{number}.png").read_bytes())
    return tmp_path


def test_the_stage_writes_the_same_bytes_twice_and_a_classifier_starts_from_them(workspace):
    files = [Path("models/m/pretrained", name) for name in (weights.WEIGHTS, weights.DESCRIPTION)]
    runs = []
    for _ in range(2):
        pretrain.run("m", "roads", "none.yaml", "more")
        runs.append([path.read_bytes() for path in (*files, Path("plots/m/pretrain.csv"))])
    assert runs[0] == runs[1]
    tensors, _ = weights.read(Path("models/m/pretrained"))
    fitting = training(backbone=SECTION["backbone"])
    architecture = timm_backbone.describe("vit_tiny_patch16_224", dict(fitting.backbone.options), SIZE_PX)
    started = classifier_network.describe(architecture, fitting.views, fitting, CLASSES)
    network = classifier_network.started(started, 2, dropout=0.0, start="models/m/pretrained")
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in network.backbone.state_dict().items())
    wider = architecture.model_copy(update={"options": VIT | {"depth": 4}})
    with pytest.raises(BundleError, match="depth"):
        started_backbone(wider, "models/m/pretrained")


@pytest.mark.parametrize(("held_out", "split"), [(12, "val_select"), (16, "val_calib"), (17, "val_test")])
def test_a_photograph_of_a_validation_split_from_elsewhere_is_refused(workspace, held_out, split):
    picture = Image.open(workspace / f"photographs/{held_out}.png")
    picture.save(workspace / "more/same.bmp")  # other bytes, the same pixels
    picture.resize((80, 60)).save(workspace / "more/near.png")
    with pytest.raises(LeakageError) as refusal:
        pretrain.run("m", "roads", "none.yaml", "more")
    assert f"more/same.bmp: expected no photograph of a validation split, got the pixels of {held_out}" in str(
        refusal.value
    )
    assert f"more/near.png: expected no photograph of a validation split, got nearly {held_out}" in str(refusal.value)
    assert len(refusal.value.problems) == 2
    assert not Path("models").exists()


def test_unlabelled_photographs_that_cannot_be_read_are_each_named(workspace):
    (workspace / "more/empty.jpg").write_bytes(b"")
    (workspace / "more/cut.png").write_bytes((workspace / "more/18.png").read_bytes()[:90])
    with pytest.raises(DataError, match=r"(?s)2 problems.*cut\.png.*empty\.jpg"):
        pretrain.run("m", "roads", "none.yaml", "more")
    (workspace / "nothing").mkdir()
    with pytest.raises(DataError, match="nothing: expected photographs, got none"):
        pretrain.run("m", "roads", "none.yaml", "nothing")
