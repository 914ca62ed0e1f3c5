import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from training.classifier_pictures import cached_training, loss, views
from vouch.errors import DataError
from vouch.training.backbones import timm_backbone
from vouch.training.backbones.params import Views
from vouch.training.classification import gate as classifier_gate
from vouch.training.classification import network
from vouch.training.classification.cached import Cached, fit_top

FITTING = cached_training(
    loss=loss(aux_weight=0.0, smoothing=0.0), positive=None, epochs=15, batch=32, learning_rate=0.01, dropout=0.0
)


def architecture():
    backbone = timm_backbone.describe("resnet10t", {}, 32)
    return network.describe(backbone, Views.model_validate(views()), FITTING, ("a", "b"))


def cached(features, class_ids, groups):
    return Cached(torch.as_tensor(features, dtype=torch.float32)[:, None], np.asarray(class_ids), tuple(groups))


def test_a_group_is_in_one_fold_and_folds_are_as_many_as_asked_for():
    groups = tuple(f"g{number % 7}" for number in range(50))
    fold = classifier_gate.fold_of_group(groups, 3, np.random.default_rng(1))
    for group in set(groups):
        assert len({fold[index] for index, name in enumerate(groups) if name == group}) == 1
    assert sorted(len({g for g, f in zip(groups, fold, strict=True) if f == k}) for k in range(3)) == [2, 2, 3]


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(DataError, match="3 groups, one a fold, got 2"):
        classifier_gate.fold_of_group(("a", "b", "a"), 3, np.random.default_rng(1))


def test_the_gate_is_the_logistic_regression_that_scikit_learn_fits():
    rng = np.random.default_rng(1)
    hidden = rng.normal([0.0, 3.0, 0.0], [1.0, 5.0, 0.1], (400, 3))
    right = rng.random(400) < 1 / (1 + np.exp(-hidden[:, 0] - 5 * hidden[:, 2]))
    weight, bias = classifier_gate.fit_gate(torch.from_numpy(hidden), right, weight_decay=0.01)
    scaled = (hidden - hidden.mean(0)) / hidden.std(0)
    n_right, n_wrong = right.sum(), (~right).sum()
    targets = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    oracle = LogisticRegression(C=1 / (0.01 * 400), tol=1e-10, max_iter=1000)  # each row twice, as both answers
    oracle.fit(
        np.concatenate([scaled, scaled]), np.repeat([1, 0], 400), sample_weight=np.concatenate([targets, 1 - targets])
    )
    expected = oracle.decision_function(scaled)
    np.testing.assert_allclose(hidden @ weight[0].numpy() + bias.numpy(), expected, atol=1e-3)


def test_without_an_error_the_gate_is_open_and_finite():
    weight, bias = classifier_gate.fit_gate(torch.randn(50, 4), np.ones(50, np.bool_), weight_decay=0.01)
    assert weight.abs().max() < 1e-3
    assert bias.item() == pytest.approx(np.log(51), abs=0.01)


def test_out_of_fold_answers_come_from_heads_that_saw_none_of_the_group():
    """Features name the group, labels are a coin toss a group: who has seen the group knows, nobody else can."""
    rng = np.random.default_rng(3)
    index = np.repeat(np.arange(60), 4)
    class_ids = rng.integers(0, 2, 60)[index]
    data = cached(np.eye(60)[index] * 8, class_ids, (f"g{number}" for number in index))
    top, _ = fit_top(architecture(), 2, data, data, FITTING, shown=False)
    with torch.no_grad():
        inside = (top(data.features).logits.argmax(1).numpy() == class_ids).mean()
    right = classifier_gate.out_of_fold(architecture(), 2, data, data, FITTING, folds=3)
    assert inside > 0.95
    assert right.mean() < 0.5 + 3 * 0.5 / np.sqrt(60)


def test_the_gate_tells_where_answers_will_be_wrong_on_photographs_that_nobody_has_seen():
    """A third of the photographs carry no trace of their class; a feature says which."""
    rng = np.random.default_rng(4)

    def draw(count):
        class_ids, hard = rng.integers(0, 2, count), rng.random(count) < 1 / 3
        trace = np.where(hard, 0.0, 2.0 * class_ids - 1)
        features = np.column_stack([trace, hard * 2.0, np.ones(count)]) + rng.normal(0, 0.3, (count, 3))
        return cached(features, class_ids, (f"g{number}" for number in range(count))), hard

    (train, _), (fresh, hard) = draw(240), draw(400)
    top, _ = fit_top(architecture(), 2, train, fresh, FITTING, shown=False)
    right = classifier_gate.out_of_fold(architecture(), 2, train, fresh, FITTING, folds=4)
    described, tensors = classifier_gate.gated(architecture(), top, train, right, weight_decay=0.01)
    assert described.gate == "head"
    gated = network.top(described, 3, 2, 0.0).eval()
    gated.load_state_dict(top.state_dict() | tensors)
    with torch.no_grad():
        answers = gated(fresh.features)
        assert torch.equal(answers.logits, top(fresh.features).logits)
    gate = answers.gate.numpy()
    assert (gate[~hard][:, None] > gate[hard]).mean() > 0.9
    assert 1 / (1 + np.exp(-gate[~hard])).mean() > 0.9
