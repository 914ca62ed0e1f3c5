import pytest
import torch

from training.classifier_pictures import album, draw, extraction, views
from vouch.errors import DataError
from vouch.training.classification import features
from vouch.training.images.batches import canvases, pixels

MADE_OF = features.key("a" * 64, {"size_px": 32}, ["1", "2", "3"])
FOUND = torch.rand(3, 1, 4)


@pytest.fixture
def cache(tmp_path):
    features.write(tmp_path / "train.safetensors", FOUND, MADE_OF)
    return tmp_path / "train.safetensors"


def test_features_come_back_and_the_same_features_are_the_same_bytes(cache, tmp_path):
    assert torch.equal(features.read(cache, MADE_OF, rows=3), FOUND)
    features.write(tmp_path / "again.safetensors", FOUND, dict(reversed(MADE_OF.items())))
    assert (tmp_path / "again.safetensors").read_bytes() == cache.read_bytes()


def test_half_the_bytes_keep_eight_bits_of_each_feature(cache, tmp_path):
    features.write(tmp_path / "narrow.safetensors", FOUND.bfloat16(), MADE_OF)
    found = features.read(tmp_path / "narrow.safetensors", MADE_OF, rows=3)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, FOUND, rtol=2**-8, atol=0.0)


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (features.key("b" * 64, {"size_px": 32}, ["1", "2", "3"]), "weights"),
        (features.key("a" * 64, {"size_px": 64}, ["1", "2", "3"]), "preprocessing"),
        (features.key("a" * 64, {"size_px": 32}, ["1", "3", "2"]), "images"),
    ],
)
def test_features_of_anything_else_are_refused_by_what_differs(cache, other, part):
    with pytest.raises(DataError, match=f"1 problem\n.*expected features of {part}"):
        features.read(cache, other, rows=3)


@pytest.mark.parametrize("keep", [0, 9, 100, -1])
def test_a_truncated_or_absent_cache_is_refused(cache, keep):
    cache.write_bytes(cache.read_bytes()[:keep])
    with pytest.raises(DataError, match="a feature cache"):
        features.read(cache, MADE_OF, rows=3)
    with pytest.raises(DataError, match="a feature cache"):
        features.read(cache.with_name("absent"), MADE_OF, rows=3)


def test_a_cache_of_another_length_is_refused(cache):
    with pytest.raises(DataError, match="features of 4 photographs"):
        features.read(cache, MADE_OF, rows=4)


def test_extracted_features_are_the_backbones_own_whatever_the_batch(tmp_path):
    images = album(draw(tmp_path / "photographs", 7), 7).train.images
    looks = views(tiles_per_side=2, side_px=32)
    wanted = extraction(size_px=48, views=looks)
    frozen, _ = features.backbone(wanted, "none")
    found = features.extract(frozen, images, wanted)
    assert found.shape == (len(images), 5, 16)
    whole = pixels(canvases(images, 48)(slice(None)), "cpu")
    with torch.no_grad():
        small = torch.nn.functional.interpolate(whole, (32, 32), mode="bilinear")
        torch.testing.assert_close(found[:, 0], frozen(small))
    again = features.extract(frozen, images, extraction(size_px=48, views=looks, batch=3))
    torch.testing.assert_close(again, found)
    assert not any(parameter.grad_fn for parameter in frozen.parameters())
