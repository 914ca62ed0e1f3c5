import math

import numpy as np
import pytest
import torch

from training.classifier_pictures import cached_training, loss
from vouch.training.classification import losses
from vouch.training.classification.heads import Outputs
from vouch.training.classification.losses import Objective

RNG = np.random.default_rng(1)
LOGITS = torch.from_numpy(RNG.normal(0, 2, (40, 3)))
GATE, ABSTENTION = torch.from_numpy(RNG.normal(0, 1, 40)), torch.from_numpy(RNG.normal(0, 1, 40))
CLASS_IDS = torch.from_numpy(RNG.integers(0, 3, 40))
FLAT = torch.ones(3, dtype=torch.float64)


def softmax(row):
    powers = [math.exp(value) for value in row]
    return [power / sum(powers) for power in powers]


def objective(positive=None, **changes):
    return Objective(cached_training(loss=loss(**changes)).loss, FLAT, positive)


def remembering(dual):
    return losses.blank() | {"dual": dual}


def answers(aux=None):
    return Outputs(LOGITS, GATE, aux, ABSTENTION)


def test_class_weights_are_n_over_k_n_c_and_nothing_for_the_absent():
    counts = torch.tensor([30.0, 10.0, 0.0])
    assert losses.class_weights(counts, "balanced").tolist() == pytest.approx([40 / 90, 40 / 30, 0.0])
    assert losses.class_weights(counts, "none").tolist() == [1.0, 1.0, 1.0]


def test_cross_entropy_is_that_of_smoothed_and_weighted_labels():
    weights, smoothing, total, weight = [1.0, 2.0, 4.0], 0.1, 0.0, 0.0
    for row, class_id in zip(LOGITS.tolist(), CLASS_IDS.tolist(), strict=True):
        shares = [smoothing / 3 + (1 - smoothing) * (k == class_id) for k in range(3)]
        total -= sum(w * s * math.log(p) for w, s, p in zip(weights, shares, softmax(row), strict=True))
        weight += weights[class_id]
    found = losses.cross_entropy(
        LOGITS, CLASS_IDS, weights=torch.tensor(weights, dtype=torch.float64), smoothing=smoothing
    )
    assert float(found) == pytest.approx(total / weight)


def test_gatekeeper_is_the_papers_formula():
    alpha, total = 0.3, 0.0
    for row, class_id in zip(LOGITS.tolist(), CLASS_IDS.tolist(), strict=True):
        p = softmax(row)
        if p.index(max(p)) == class_id:
            total -= alpha * math.log(p[class_id])
        else:
            total += (1 - alpha) * sum(q * math.log(q / (1 / 3)) for q in p)
    assert float(losses.gatekeeper(LOGITS, CLASS_IDS, alpha=alpha)) == pytest.approx(total / 40)


def test_gatekeeper_draws_wrong_answers_to_uniform_and_right_ones_to_their_class():
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0]], requires_grad=True)
    losses.gatekeeper(logits, torch.tensor([0, 1]), alpha=0.5).backward()
    assert logits.grad[0, 0] < 0 < logits.grad[0, 1]
    assert logits.grad[1, 0] > 0 > logits.grad[1, 1]


def test_gamblers_is_the_papers_formula():
    payoff, total = 2.2, 0.0
    for row, silence, class_id in zip(LOGITS.tolist(), ABSTENTION.tolist(), CLASS_IDS.tolist(), strict=True):
        p = softmax([*row, silence])
        total -= math.log(p[class_id] + p[3] / payoff)
    assert float(losses.gamblers(LOGITS, ABSTENTION, CLASS_IDS, payoff=payoff)) == pytest.approx(total / 40)


def test_gamblers_that_never_abstains_is_cross_entropy_and_huge_logits_stay_finite():
    never = torch.full((40,), -1e4, dtype=torch.float64)
    expected = losses.cross_entropy(LOGITS, CLASS_IDS, weights=FLAT, smoothing=0.0)
    torch.testing.assert_close(losses.gamblers(LOGITS, never, CLASS_IDS, payoff=2.0), expected)
    assert losses.gamblers(LOGITS * 1e4, ABSTENTION * 1e4, CLASS_IDS, payoff=2.0).isfinite()


@pytest.mark.parametrize("positive", [None, 1])
def test_the_exit_rate_weighs_errors_by_how_far_the_gate_opens(positive):
    over, under = 0.0, 0.0
    for row, gate, class_id in zip(LOGITS.tolist(), GATE.tolist(), CLASS_IDS.tolist(), strict=True):
        if positive is None or class_id == positive:
            door = 1 / (1 + math.exp(-gate))
            over, under = over + door * (1 - softmax(row)[class_id]), under + door
    assert float(losses.exit_rate(LOGITS, GATE, CLASS_IDS, positive=positive)) == pytest.approx(over / under)


def test_where_nobody_could_err_there_is_no_rate():
    assert float(losses.exit_rate(LOGITS, GATE, torch.zeros(40, dtype=torch.int64), positive=1)) == 0.0
    selective = objective(1, kind="selective", max_rate=0.1, coverage_weight=0.2, dual_step=0.1, after_epochs=0)
    nobody = torch.zeros(40, dtype=torch.int64)
    assert losses.total(answers(), nobody, selective, epochs=0, memory=remembering(3.0))[1]["dual"] == 3.0


def test_dual_ascent_follows_the_violation_and_stays_positive():
    assert losses.ascended(1.0, 0.12, max_rate=0.02, step=2.0) == pytest.approx(1.2)
    assert losses.ascended(0.01, 0.0, max_rate=0.02, step=2.0) == 0.0


def test_the_selective_loss_is_cross_entropy_and_a_priced_violation_less_the_coverage():
    selective = objective(None, kind="selective", max_rate=0.1, coverage_weight=0.2, dual_step=0.1, after_epochs=0)
    found, after = losses.total(answers(), CLASS_IDS, selective, epochs=0, memory=remembering(3.0))
    plain = losses.cross_entropy(LOGITS, CLASS_IDS, weights=FLAT, smoothing=0.1)
    rate = float(losses.exit_rate(LOGITS, GATE, CLASS_IDS, positive=None))
    assert rate > 0.1
    assert after["dual"] == pytest.approx(3.0 + 0.1 * (rate - 0.1))
    coverage = float(torch.sigmoid(GATE).mean())
    assert float(found) == pytest.approx(float(plain) + 3.0 * (rate - 0.1) - 0.2 * coverage)


def test_every_loss_begins_as_cross_entropy_and_adds_the_second_head():
    plain = float(losses.cross_entropy(LOGITS, CLASS_IDS, weights=FLAT, smoothing=0.1))
    late, before = {"after_epochs": 2}, remembering(1.0)
    for one in (
        objective(kind="cross_entropy"),
        objective(kind="gatekeeper", alpha=0.5, **late),
        objective(kind="gamblers", payoff=2.0, **late),
        objective(kind="selective", max_rate=0.1, coverage_weight=0.2, dual_step=0.1, **late),
        objective(kind="conformal_risk", alpha=0.3, weight=1.0, temperature=0.1, ramp_epochs=0.0, queue=9, **late),
    ):
        assert float(losses.total(answers(), CLASS_IDS, one, epochs=1.9, memory=before)[0]) == pytest.approx(plain)
        with_aux = losses.total(answers(LOGITS), CLASS_IDS, one, epochs=1.9, memory=before)[0]
        assert float(with_aux) == pytest.approx(1.5 * plain)  # aux_weight .5
        if one.loss.kind != "cross_entropy":
            found = losses.total(answers(), CLASS_IDS, one, epochs=2, memory=before)[0]
            assert float(found) != pytest.approx(plain)


def test_dual_ascent_shuts_the_gate_to_those_who_would_be_wrong_and_lets_the_others_out():
    """Three in ten are a coin toss: exited together, 15 % of all answers would be wrong, and 5 % are allowed."""
    rng = np.random.default_rng(2)
    hard = rng.random(600) < 0.3
    class_ids = torch.from_numpy(rng.integers(0, 2, 600))
    side = torch.from_numpy(np.where(hard, 0.0, np.where(class_ids == 1, 3.0, -3.0))).float()
    features = torch.stack([side, torch.from_numpy(hard).float(), torch.ones(600)], dim=1)
    weight = torch.zeros(3, 3, requires_grad=True)
    rules = {"max_rate": 0.05, "coverage_weight": 0.2, "dual_step": 0.5, "after_epochs": 0, "smoothing": 0.0}
    selective = Objective(objective(kind="selective", **rules).loss, torch.ones(2), None)
    solver, memory = torch.optim.Adam([weight], lr=0.05), losses.blank()
    for _ in range(300):
        out = features @ weight
        out = Outputs(out[:, :2], out[:, 2], None, None)
        value, memory = losses.total(out, class_ids, selective, epochs=0, memory=memory)
        solver.zero_grad()
        torch.autograd.backward(value)
        solver.step()
    door = torch.sigmoid((features @ weight)[:, 2]).detach().numpy()
    rate = losses.exit_rate(out.logits, out.gate, class_ids, positive=None).item()
    assert rate == pytest.approx(0.05, abs=0.01)
    # the share h of the hard that may leave solves .15 h / (.3 h + .7) = .05
    assert door[hard].mean() == pytest.approx(0.035 / 0.135, abs=0.08)
    assert door[~hard].mean() > 0.9
