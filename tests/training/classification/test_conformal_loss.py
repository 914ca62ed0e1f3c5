import numpy as np
import pytest
import torch

from training.classifier_pictures import cached_training, fitting, loss
from vouch import params
from vouch.errors import ParamsError
from vouch.training.classification import conformal_loss, losses
from vouch.training.classification.heads import Heads, Outputs
from vouch.training.classification.losses import Objective, minimised
from vouch.training.classification.params import CachedTraining
from vouch.training.optimization import loop
from vouch.training.optimization.checkpoint import Checkpoint
from vouch.training.optimization.loop import Feed

PLAIN = {"smoothing": 0.0, "aux_weight": 0.0, "class_weights": "none"}
RULES = {"kind": "conformal_risk", "weight": 1.0, "temperature": 0.1, "after_epochs": 1, "ramp_epochs": 1.0}


def asked(**changes):
    return cached_training(loss=loss(**PLAIN | RULES | {"alpha": 0.1, "queue": 64} | changes)).loss


def answers(logits):
    return Outputs(logits, None, None, None)


def test_the_level_of_a_hand_made_list():
    found = torch.tensor([0.5, 0.1, 0.9, 0.3])  # b = floor(5 alpha - 1) rows may lie above it
    assert conformal_loss.level(found, 0.19) is None
    for alpha, expected in ((0.2, 0.9), (0.39, 0.9), (0.4, 0.5), (0.6, 0.3), (0.8, 0.1), (0.99, 0.1)):
        assert conformal_loss.level(found, alpha).item() == pytest.approx(expected), alpha
    assert conformal_loss.level(torch.empty(0), 0.5) is None


@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.25, 0.5])
def test_the_level_is_the_least_that_conformal_risk_control_allows(alpha):
    rng = np.random.default_rng(1)
    for size in (*range(1, 12), 48, 49, 50, 98, 99):
        own = rng.permutation(np.repeat(rng.random(size), 2)[:size])  # some are equal
        risk = {lam: (np.sum(own > lam) + 1) / (size + 1) for lam in own}
        allowed = [lam for lam, value in risk.items() if value <= alpha + 1e-12]
        found = conformal_loss.level(torch.from_numpy(own), alpha)
        assert (found is None) == (not allowed)
        assert found is None or found.item() == min(allowed)


@pytest.mark.parametrize(("positive", "recent"), [(None, []), (1, []), (1, [0.9, 0.8, 0.1, 0.05]), (1, [0.35] * 30)])
def test_the_gradient_runs_through_the_selected_score_and_the_sets_but_not_through_recent_scores(positive, recent):
    rng = np.random.default_rng(2)
    logits, class_ids = torch.from_numpy(rng.normal(0, 1, (40, 3))), torch.from_numpy(rng.integers(0, 3, 40))
    scores = torch.tensor(recent, dtype=torch.float64)
    wanted = asked(alpha=0.3)

    def term(values):
        return conformal_loss.set_term(values, class_ids, scores, wanted, positive)[0]

    logits.requires_grad_()
    (slope,) = torch.autograd.grad(term(logits), logits)
    numeric, step = torch.zeros_like(slope), 1e-6
    with torch.no_grad():
        for index in np.ndindex(40, 3):
            there, back = logits.detach().clone(), logits.detach().clone()
            there[index] += step
            back[index] -= step
            numeric[index] = (term(there) - term(back)) / (2 * step)
    torch.testing.assert_close(slope, numeric, atol=1e-7, rtol=1e-5)
    selected = (slope[:20] != 0).any(dim=1).nonzero()[:, 0].tolist()
    assert len(selected) == (recent != [0.35] * 30)  # among equal scores of the past the level is one of those
    assert all(positive is None or class_ids[row] == positive for row in selected)
    assert (slope[20:] != 0).any(dim=1).all()


def test_wrong_classes_are_counted_by_hand():
    p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.1, 0.4]])
    found = conformal_loss.wrong_in_set(p.log(), torch.tensor([0, 2]), torch.tensor(0.8), temperature=0.1)
    soft = [[0.8 - 0.8, 0.8 - 0.9], [0.8 - 0.5, 0.8 - 0.9]]
    assert found.item() == pytest.approx(np.mean([sum(1 / (1 + np.exp(-x / 0.1)) for x in row) for row in soft]))


def test_without_a_budget_it_is_cross_entropy_and_says_so_until_scores_suffice():
    rng = np.random.default_rng(3)
    logits, class_ids = torch.from_numpy(rng.normal(0, 1, (16, 2))), torch.arange(16) % 2
    objective = Objective(asked(alpha=0.05, queue=19), torch.ones(2, dtype=torch.float64), 1)
    plain, memory = torch.nn.functional.cross_entropy(logits, class_ids).item(), losses.blank()
    found = []
    for _ in range(4):  # 4 positives in the first half, 8 in a batch: 4, 12, then 20 of the 19 that .05 needs
        value, memory = losses.total(answers(logits), class_ids, objective, epochs=9.0, memory=memory)
        found.append((value.item() == pytest.approx(plain), memory["lam"] is None, len(memory["scores"])))
    assert found == [(True, True, 8), (True, True, 16), (False, False, 19), (False, False, 19)]
    own = 1 - torch.softmax(logits, dim=1)[class_ids == 1, 1]
    torch.testing.assert_close(memory["scores"], torch.cat([own, own, own])[-19:])
    row = {"epoch": 1, "train_loss": 0.5, "lam": None} | {
        f"val_select_{name}": 0.5 for name in ("accuracy", "nll", "augrc")
    }
    assert "plain cross-entropy" in loop.line(row, 2)
    assert "sets at lam 0.2500" in loop.line(row | {"lam": 0.25}, 2)
    assert loop.line({key: row[key] for key in row if key != "lam"}, 2).endswith("augrc 0.5000")


def test_the_weight_waits_and_then_grows_to_its_full_size():
    wanted = asked(weight=3.0, after_epochs=2, ramp_epochs=4.0)
    assert [conformal_loss.weight(wanted, epochs) for epochs in (2.0, 3.0, 6.0, 9.5)] == [0.0, 0.75, 3.0, 3.0]
    assert conformal_loss.weight(asked(weight=3.0, after_epochs=2, ramp_epochs=0.0), 2.0) == 3.0


@pytest.mark.parametrize(("alpha", "queue", "needed"), [(0.02, 48, 49), (0.1, 8, 9), (0.03, 20, 33)])
def test_a_queue_that_never_serves_alpha_is_refused_with_the_size_it_needs(alpha, queue, needed):
    section = fitting(loss=loss(**PLAIN | RULES | {"alpha": alpha, "queue": queue}))
    with pytest.raises(ParamsError, match=rf"queue: expected .*\b{needed} scores or more"):
        params.check(CachedTraining, section, "here")
    enough = section | {"loss": section["loss"] | {"queue": needed}}
    assert params.check(CachedTraining, enough, "here").loss.queue == needed


def test_a_step_is_remembered_once_though_friendly_sam_passes_twice(tmp_path):
    torch.manual_seed(1)
    features, class_ids = torch.randn(24, 4), torch.arange(24) % 2
    parts = list(zip(features.split(8), class_ids.split(8), strict=True))
    feed = Feed(lambda _: iter(parts), 3, lambda: iter([features]), class_ids.numpy())
    wanted = cached_training(loss=loss(**PLAIN | RULES | {"alpha": 0.1, "queue": 99}), optimizer="FriendlySAM", batch=8)
    heads = Heads(4, 4, 2, gate=False, aux=False, abstention=False, dropout=0.0)
    checkpoint = Checkpoint(tmp_path / "last.pt", "", resume=False)
    loop.fit(heads, feed, wanted, minimised(Objective(wanted.loss, torch.ones(2), 1)), checkpoint)
    kept = torch.load(tmp_path / "last.pt", weights_only=True)["progress"]["memory"]
    assert kept["scores"].shape == (24,)  # 12 positives in each of 2 epochs


def draw(n, rng):
    """Draw two classes that overlap little along one axis, but for one row in twenty, which lies there far off."""
    class_ids = rng.integers(0, 2, n)
    side, astray = 2 * class_ids - 1, rng.random(n) < 0.05
    means = np.where(astray[:, None], np.column_stack([0 * side, -8 * side]), np.column_stack([0.7 * side, 1.5 * side]))
    features = np.column_stack([means + rng.normal(0, 1, (n, 2)), np.ones(n)])
    return torch.from_numpy(features).float(), torch.from_numpy(class_ids)


def fitted(wanted, features, class_ids, positive):
    """Fit a linear classifier; return its probabilities as a function of features."""
    weight, memory, rng = torch.zeros(3, 2, requires_grad=True), losses.blank(), np.random.default_rng(0)
    objective, solver = Objective(wanted, torch.ones(2), positive), torch.optim.Adam([weight], lr=0.03)
    for step in range(300):
        chosen = torch.from_numpy(rng.choice(len(class_ids), 128, replace=False))
        out = answers(features[chosen] @ weight)
        value, memory = losses.total(out, class_ids[chosen], objective, epochs=step / 75, memory=memory)
        solver.zero_grad()
        torch.autograd.backward(value)
        solver.step()
    return lambda rows: torch.softmax(rows @ weight.detach(), dim=1).numpy()


def conformal_sets(probability, calibration, fresh, positive):
    """Return which classes the sets of fresh rows hold, calibrated by split conformal prediction at .1."""
    features, class_ids = calibration
    own = 1 - probability(features)[np.arange(len(class_ids)), class_ids]
    own = own if positive is None else own[class_ids.numpy() == positive]
    lam = np.quantile(own, np.ceil(0.9 * (len(own) + 1)) / len(own), method="inverted_cdf")
    return 1 - probability(fresh[0]) <= lam


@pytest.mark.parametrize(("positive", "seed"), [(None, 0), (1, 1)])
def test_it_buys_smaller_sets_or_fewer_false_alarms_at_the_same_risk(positive, seed):
    """A few rows astray turn cross-entropy's line by a right angle; a bound of .1 may leave them outside."""
    rng = np.random.default_rng(seed)
    train, calibration, fresh = draw(2000, rng), draw(4000, rng), draw(8000, rng)
    true = fresh[1].numpy()
    sizes, alarms = [], []
    for wanted in (cached_training(loss=loss(**PLAIN, kind="cross_entropy")).loss, asked()):
        sets = conformal_sets(fitted(wanted, *train, positive), calibration, fresh, positive)
        counted = np.ones(8000, bool) if positive is None else true == positive
        missed = ~sets[np.arange(8000), true][counted]
        assert missed.mean() == pytest.approx(0.1, abs=3 * np.sqrt(0.09 * (1 / counted.sum() + 1 / 2000)))
        sizes.append(sets.sum(axis=1).mean())
        alarms.append(sets[true == 0, 1].mean())
    if positive is None:
        assert sizes[1] < sizes[0] - 0.1
    else:  # a shift towards the positive class shrinks the others' sets for nothing; false alarms it cannot shrink
        assert alarms[1] < alarms[0] - 0.05
