import numpy as np
import pytest

from vouch.evaluation import parity
from vouch.evaluation.parity import compare_outputs, summarise


def output(*candidates):
    return np.array(candidates, np.float32).T


FIRST = output([10, 10, 4, 4, 0.9, 0.1], [20, 20, 4, 4, 0.001, 0.002])


def test_equal_outputs_do_not_differ():
    found = compare_outputs(FIRST, FIRST, floor=0.01)
    assert (found.box_px, found.score, found.candidates, found.changed) == (0.0, 0.0, 1, False)


def test_boxes_count_above_the_floor_and_scores_everywhere():
    second = output([10, 10.5, 4, 4, 0.9, 0.1], [99, 20, 4, 4, 0.001, 0.004])
    found = compare_outputs(FIRST, second, floor=0.01)
    assert found.box_px == 0.5
    np.testing.assert_allclose(found.score, 0.002, rtol=1e-5)
    assert not found.changed


def test_a_candidate_that_appears_is_seen():
    second = output([10, 10, 4, 4, 0.9, 0.1], [23, 20, 4, 4, 0.001, 0.5])
    found = compare_outputs(FIRST, second, floor=0.01)
    assert found.changed
    assert found.box_px == 3.0


def test_the_worst_photograph_speaks():
    worse = output([10, 12, 4, 4, 0.8, 0.1], [20, 20, 4, 4, 0.001, 0.002])
    pairs = [compare_outputs(FIRST, other, floor=0.01) for other in (FIRST, worse)]
    metrics = summarise(pairs)["metrics"]
    assert metrics["box_difference_px"]["all"]["value"] == 2.0
    assert metrics["box_difference_px"]["all"]["n_rows"] == 2


def test_no_strong_candidate_is_no_evidence():
    weak = FIRST * np.array([1, 1, 1, 1, 0.001, 0.001], np.float32)[:, None]
    assert summarise([compare_outputs(weak, weak, floor=0.01)])["metrics"]["box_difference_px"]["all"]["value"] is None


def test_embeddings_are_compared_by_the_one_that_moved_most():
    first = np.eye(3, dtype=np.float32)
    second = first.copy()
    second[1] = [0.6, 0.8, 0.0]  # from (0, 1, 0): sqrt(.36 + .04)
    found = parity.compare("identify", [(first[:2], second[:2]), (first[2:], second[2:])], n_classes=3, floor=None)
    assert found["photographs"] == 3
    assert found["metrics"].keys() == {"embedding_difference"}
    assert found["metrics"]["embedding_difference"]["all"]["value"] == pytest.approx(0.4**0.5, abs=1e-6)
