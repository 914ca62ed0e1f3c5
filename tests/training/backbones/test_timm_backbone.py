import pytest
import safetensors.torch
import timm
import torch

from vouch.deployment import tensorrt
from vouch.errors import BundleError, ParamsError, WorkspaceError
from vouch.training.backbones import timm_backbone

TINY = "vit_tiny_patch16_224"
SHALLOW = {"depth": 1}


def built(name=TINY, side_px=32, start="none", **options):
    torch.manual_seed(1)
    options = options or (SHALLOW if name.startswith("vit_") else {})
    return timm_backbone.build(timm_backbone.describe(name, options, side_px), start)


@pytest.fixture
def published(tmp_path):
    """Weights as timm publishes them: of 64 pixels, with a classifier."""
    torch.manual_seed(7)
    inner = timm.create_model(TINY, img_size=64, num_classes=10, depth=1)
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in inner.state_dict().items()}, path)
    return path


@pytest.mark.parametrize(
    ("name", "side_px", "width", "stride_px", "options"),
    [
        ("vit_small_patch14_dinov2.lvd142m", 28, 384, 14, {"depth": 1}),
        ("vit_small_patch16_dinov3.lvd1689m", 32, 384, 16, {"depth": 1}),
        ("resnet10t", 32, 16, 32, {"channels": (8, 8, 16, 16), "stem_width": 8}),
        ("mobilenetv3_small_050", 32, 1024, 32, {}),
        ("efficientnet_lite0", 32, 1280, 32, {}),
    ],
)
def test_each_family_gives_features_of_the_width_it_says(name, side_px, width, stride_px, options):
    backbone = timm_backbone.build(timm_backbone.describe(name, options, side_px)).eval()
    assert backbone(torch.rand(2, 3, side_px, side_px)).shape == (2, width)
    assert (backbone.width, backbone.stride_px) == (width, stride_px)


def test_dinov2_takes_other_sides_and_dinov3_reads_the_class_token():
    dinov2 = built("vit_small_patch14_dinov2", 28).eval()
    assert dinov2(torch.rand(1, 3, 42, 42)).shape == (1, 384)
    assert built("vit_small_patch16_dinov3").inner.global_pool == "token"


def test_normalisation_is_inside_and_is_that_of_the_timm_entry():
    backbone = built().eval()
    assert backbone.mean.flatten().tolist() == pytest.approx([0.5, 0.5, 0.5])
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(backbone(images), backbone.inner((images - 0.5) / 0.5))
    assert not any("mean" in name or "std" in name for name in backbone.state_dict())


@pytest.mark.parametrize(
    ("name", "options", "side_px", "expected"),
    [
        ("resnet_nobody_wrote", {}, 32, "a name of timm"),
        ("vit_small_patch14_dinov2", {}, 100, "a multiple of 14"),
        ("resnet10t", {"no_such_argument": 1}, 32, "arguments of resnet10t"),
    ],
)
def test_what_timm_cannot_build_is_refused(name, options, side_px, expected):
    with pytest.raises(ParamsError, match=expected):
        timm_backbone.build(timm_backbone.describe(name, options, side_px))


@pytest.mark.parametrize(
    "name", ["vit_small_patch14_dinov2", "vit_small_patch16_dinov3", "convnext_tiny.dinov3_lvd1689m"]
)
def test_float16_with_a_dino_backbone_is_refused_and_nothing_else(name):
    with pytest.raises(ParamsError, match="float16"):
        timm_backbone.refuse_half_precision(name, "float16")
    timm_backbone.refuse_half_precision(name, "bfloat16")
    timm_backbone.refuse_half_precision("resnet50", "float16")


def test_float16_with_a_dino_backbone_is_refused_however_it_comes_about():
    dino = built("vit_small_patch16_dinov3").eval()
    with pytest.raises(ParamsError, match="float16"), torch.autocast("cpu", torch.float16):
        dino(torch.rand(1, 3, 32, 32))
    with pytest.raises(ParamsError, match="float16"):
        dino.half()(torch.rand(1, 3, 32, 32).half())
    with torch.autocast("cpu", torch.float16):
        assert built().eval()(torch.rand(1, 3, 32, 32)).isfinite().all()


def test_variants_that_read_past_an_adapter_are_refused_with_adapters():
    with pytest.raises(ParamsError, match="use vit_small_patch16_dinov3"):
        timm_backbone.refuse_adapters("vit_small_patch16_dinov3_qkvb.lvd1689m")
    timm_backbone.refuse_adapters("vit_small_patch16_dinov3.lvd1689m")


def test_published_weights_are_taken_whole_and_positions_resampled_to_the_canvas(published):
    tensors = safetensors.torch.load_file(published)
    same, smaller = built(side_px=64, start=str(published)), built(start=str(published))
    for name, tensor in same.inner.state_dict().items():
        assert torch.equal(tensor, tensors[name]), name
    assert smaller.inner.pos_embed.shape == (1, 5, 192)
    assert torch.equal(smaller.inner.blocks[0].attn.qkv.weight, tensors["blocks.0.attn.qkv.weight"])


def test_missing_and_extra_tensors_of_published_weights_are_each_named(published):
    tensors = safetensors.torch.load_file(published)
    tensors["blocks.7.new"] = tensors.pop("blocks.0.norm1.bias")
    safetensors.torch.save_file(tensors, published)
    with pytest.raises(BundleError) as refusal:
        built(side_px=64, start=str(published))
    assert "2 problems" in str(refusal.value)
    assert "expected tensor blocks.0.norm1.bias, got nothing" in str(refusal.value)
    assert "expected no more tensors, got blocks.7.new" in str(refusal.value)


@pytest.mark.parametrize("keep", [0, 9, 1000, -1])
def test_truncated_or_absent_weights_are_refused(published, keep):
    published.write_bytes(published.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"a \.safetensors of timm"):
        built(side_px=64, start=str(published))
    with pytest.raises(BundleError, match=r"a \.safetensors of timm"):
        built(start=str(published.parent / "absent.safetensors"))


def test_a_hub_that_does_not_answer_is_a_named_refusal(monkeypatch):
    def offline(*arguments, **keywords):
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(WorkspaceError, match="no route to host"):
        built(start="hub")


def test_the_log_says_which_attention_runs_and_why():
    vit, resnet = built(), built("resnet10t", channels=(8, 8, 16, 16), stem_width=8)
    assert timm_backbone.attention_in_force(resnet, "fa3", "cpu", "float32").startswith("none")
    assert "of PyTorch" in timm_backbone.attention_in_force(vit, "sdpa", "cpu", "float32")
    reason = timm_backbone.attention_in_force(vit, "fa3", "cpu", "float32")
    assert all(text in reason for text in ("instead of FlashAttention-3", "no CUDA device", "float32"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_an_absent_device_is_refused():
    with pytest.raises(WorkspaceError, match="CUDA"):
        timm_backbone.refuse_machine("cuda", "float32")
    timm_backbone.refuse_machine("cpu", "bfloat16")


def test_dino_is_the_same_where_weights_are_trained_and_where_engines_are_built():
    names = timm.list_pretrained()
    found = [name for name in names if timm_backbone.is_dino(name)]
    assert [name for name in names if tensorrt.is_dino(f'{{"name": "{name}"}}')] == found
    assert "convnext_tiny.dinov3_lvd1689m" in found
