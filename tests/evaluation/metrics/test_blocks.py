"""Blocks of replicates: the same values, whatever the block and the number of cores."""

import os
import threading

import numpy as np
import pytest

from vouch.evaluation.metrics import blocks


@pytest.mark.parametrize("cores", [1, 2, 7])
@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_each_replicate_has_its_value_once(monkeypatch, cores, size):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setattr(blocks, "BLOCK", size)
    weights, seen = np.arange(10.0) ** 2, []

    def values(block):
        seen.append((block.start, block.stop))
        return weights[block] + 1

    assert blocks.by_blocks(10, 1, values).tolist() == [n * n + 1.0 for n in range(10)]
    assert sorted(seen) == [(start, min(start + size, 10)) for start in range(0, 10, size)]


def test_blocks_run_side_by_side(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(blocks, "BLOCK", 1)
    both = threading.Barrier(2, timeout=10)

    def values(block):
        both.wait()
        return np.zeros(1)

    assert blocks.by_blocks(2, 1, values).tolist() == [0.0, 0.0]


def test_what_a_block_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        blocks.by_blocks(3, 1, lambda _: 1 / 0)
