import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouch.quality import hashes
from vouch.quality.hashes import near_pairs


def brute_force(codes, radius):
    distance = np.bitwise_count(codes[:, None] ^ codes[None, :])
    return np.argwhere(np.triu(distance <= radius, 1))


def planted(generator, n, flips):
    codes = generator.integers(0, 2**64, n, dtype=np.uint64)
    near = codes[generator.integers(0, n, n)]
    for _ in range(flips):
        near ^= np.uint64(1) << generator.integers(0, 64, n, dtype=np.uint64)
    return np.concatenate([codes, near, codes[: n // 10]])


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 6, 7, 8, 10])
def test_pairs_are_those_of_brute_force(radius):
    codes = planted(np.random.default_rng(radius), 250, radius + 1)
    assert np.array_equal(near_pairs(codes, radius=radius), brute_force(codes, radius))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=25), st.integers(0, 255), st.integers(0, 8))
def test_pairs_are_those_of_brute_force_on_any_hashes(values, mask, radius):
    codes = np.array(values + [value ^ mask for value in values], dtype=np.uint64)
    assert np.array_equal(near_pairs(codes, radius=radius), brute_force(codes, radius))


def test_many_equal_hashes_give_every_pair_in_bounded_batches(monkeypatch):
    monkeypatch.setattr(hashes, "BATCH", 1000)
    codes = np.concatenate([np.zeros(200, np.uint64), np.full(150, 3, np.uint64), np.full(5, 2**63, np.uint64)])
    batches = list(hashes.pair_batches(codes, radius=2))
    assert max(len(left) for left, _ in batches) <= 1000
    assert sum(len(left) for left, _ in batches) == 355 * 354 // 2 - 150 * 5
    assert np.array_equal(near_pairs(codes, radius=2), brute_force(codes, 2))


def test_bits_that_all_pictures_share_do_not_fill_one_block():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 2**64, 4000, dtype=np.uint64) & np.uint64(0x0000FFFFFFFFFFFF)
    sizes = [np.bincount(keys).max() for keys in hashes._blocks(codes)]
    assert max(sizes) < 40


def test_few_hashes():
    assert near_pairs(np.empty(0, np.uint64), radius=6).shape == (0, 2)
    assert near_pairs(np.zeros(1, np.uint64), radius=6).shape == (0, 2)
    assert near_pairs(np.zeros(2, np.uint64), radius=0).tolist() == [[0, 1]]


def test_radius_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"0\.\.15"):
        near_pairs(np.zeros(2, np.uint64), radius=16)
