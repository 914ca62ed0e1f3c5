from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated
from vouch.errors import BundleError, DataError, ParamsError
from vouch.policies.apply.kinds import accept
from vouch.policies.apply.policy import decided, validate_policy
from vouch.stages.decide import run

PARAMS = """
models:
  toy:
    decide:
      kind: operating_point
      objective:
        metric: recall
        level: class
        target: 0.9
        bound: value
        delta: 0.05
        walks: 1
      strata:
      - stream
      min_truths: 20
      intraclass_floor: 0.05
"""
CALIBRATOR = {
    "kind": "scalar",
    "floor": 0.01,
    "global": {"method": "temperature", "temperature": 1.7},
    "classes": {"phone": {"method": "platt", "slope": 0.8, "intercept": -0.3}},
}


def waist(n: int = 400) -> pd.DataFrame:
    generator = np.random.default_rng(2)
    score = generator.uniform(0.01, 0.99, n)
    missed = generator.random(n) < 0.03
    right = ~missed & (generator.random(n) < np.sqrt(score))
    name = np.where(np.arange(n) % 2 == 0, "phone", "cone").astype(object)
    return pd.DataFrame(
        {
            "sample_id": [f"s{index}" for index in range(n)],
            "group": [f"g{index % 40}" for index in range(n)],
            "stratum_stream": np.where(np.arange(n) % 40 < 20, "cabin", "rear"),
            "class_true": np.where(missed | right, name, None),
            "class_pred": np.where(missed, None, name),
            "score": np.where(missed, 0.0, score),
            "correct": right,
        }
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    io.write_table(paths.predictions("toy", "candidate", "val_calib"), waist())
    io.write_json(paths.model("toy", "calibrator.json"), CALIBRATOR)
    return tmp_path


def test_decide_writes_one_valid_policy_that_keeps_its_word_on_val_calib(workspace: Path) -> None:
    run("toy")
    first = paths.model("toy", "policy.json").read_bytes()
    policy = io.read_json(paths.model("toy", "policy.json"))
    validate_policy(policy)
    assert policy["feasible"] is True
    assert sorted(policy["thresholds"]) == ["cone", "phone"]
    rows = waist()
    odds = np.log(rows["score"].clip(1e-7) / (1 - rows["score"]))
    calibrated = 1 / (1 + np.exp(-np.where(rows["class_pred"] == "phone", 0.8 * odds - 0.3, odds / 1.7)))
    accepted = accept(policy["thresholds"], calibrated, rows["class_pred"])
    for (name, _), part in rows.groupby(["class_true", "stratum_stream"]):
        assert (part["correct"] & accepted[part.index]).mean() >= 0.9, name
    for name, evidence in policy["evidence"].items():  # thresholds and evidence are on calibrated confidence
        assert evidence["n_accepted"] == accepted[(rows["class_pred"] == name).to_numpy()].sum()
    run("toy")
    assert paths.model("toy", "policy.json").read_bytes() == first


def test_a_feasible_policy_that_accepts_more_wrong_than_right_is_warned_of(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("toy")
    assert capsys.readouterr().err == ""
    rows = waist()
    alarms = rows[rows["class_pred"] == "phone"].assign(class_true=None, correct=False, score=0.98)
    io.write_table(paths.predictions("toy", "candidate", "val_calib"), pd.concat([rows, alarms], ignore_index=True))
    run("toy")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("warning: the policy of toy is of little use: phone: precision on val_calib is 0.")


def test_a_target_out_of_reach_is_a_state_not_a_failure(workspace: Path) -> None:
    Path("params.yaml").write_text(PARAMS.replace("target: 0.9", "target: 0.999"), encoding="utf-8")
    run("toy")
    policy = io.read_json(paths.model("toy", "policy.json"))
    assert policy["feasible"] is False
    assert sorted(policy["infeasible"]) == ["cone", "phone"]


def test_the_f1_objective(workspace: Path) -> None:
    objective = "        metric: f1\n        level: class\n        delta: 0.05\n"
    start, end = PARAMS.index("        metric"), PARAMS.index("      strata")
    Path("params.yaml").write_text(PARAMS[:start] + objective + PARAMS[end:], encoding="utf-8")
    run("toy")
    policy = io.read_json(paths.model("toy", "policy.json"))
    assert policy["objective"] == {"level": "class", "metric": "f1"}
    assert policy["feasible"] is True


def test_a_calibrator_that_cannot_be_applied_is_refused_and_nothing_is_written(workspace: Path) -> None:
    io.write_json(paths.model("toy", "calibrator.json"), {**CALIBRATOR, "kind": "magic"})
    with pytest.raises(BundleError, match="magic"):
        run("toy")
    assert not paths.model("toy", "policy.json").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("metric: recall", "metric: luck"),
        ("target: 0.9", "target: 1.5"),
        ("target: 0.9", "target: 98"),
        ("bound: value", "bound: high"),
        ("delta: 0.05", "delta: 0"),
        ("level: class", "level: photograph"),
        ("min_truths: 20", "min_truths: 0"),
        ("min_truths: 20", "min_truths: 20\n      surprise: 1"),
    ],
)
def test_impossible_parameters_are_refused(workspace: Path, old: str, new: str) -> None:
    Path("params.yaml").write_text(PARAMS.replace(old, new), encoding="utf-8")
    with pytest.raises(ParamsError):
        run("toy")


EXITS = """
models:
  toy:
    decide:
      kind: threshold
      positive: work
      alpha: 0.05
      delta: 0.05
      walks: 1
      unit: group
      steps: 20
      intraclass_floor: 0.05
"""
OF_SCRC = """
      score: gate
      variant: rank
      guarantee: certified
      event: all
      xi: 0.7
      levels:
      - 0.5
      - 0.8
      jitter_seed: 1
"""
OF_KIND = {
    "threshold": EXITS,
    "gate": EXITS.replace("threshold", "gate"),
    "scrc": EXITS.replace("threshold", "scrc") + OF_SCRC.lstrip("\n"),
}
MULTICLASS = {
    "kind": "multiclass",
    "classes": ["free", "work"],
    "map": {"method": "identity"},
    "gate": {"method": "platt", "slope": 1.5, "intercept": 0.2},
}


def classified(n: int = 3000) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    margin = generator.normal(0, 4, n)
    true = generator.random(n) < 1 / (1 + np.exp(-margin))
    return pd.DataFrame(
        {
            "sample_id": [f"s{index}" for index in range(n)],
            "group": [f"g{index // 3}" for index in range(n)],
            "stratum_source": "north",
            "class_true": np.where(true, "work", "free"),
            "class_pred": np.where(margin >= 0, "work", "free"),
            "score": 1 / (1 + np.exp(-np.abs(margin))),
            "correct": true == (margin >= 0),
            "logit_free": -margin / 2,
            "logit_work": margin / 2,
            "gate_logit": np.abs(margin) / 1.5,
        }
    )


@pytest.fixture
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    io.write_table(paths.predictions("toy", "candidate", "val_calib"), classified())
    io.write_json(paths.model("toy", "calibrator.json"), MULTICLASS)


@pytest.mark.parametrize("kind", OF_KIND)
@pytest.mark.usefixtures("classifier")
def test_each_kind_of_a_classifier_writes_one_policy_that_decides_as_it_was_certified(kind: str) -> None:
    Path("params.yaml").write_text(OF_KIND[kind], encoding="utf-8")
    run("toy")
    path = paths.model("toy", "policy.json")
    first, policy = path.read_bytes(), io.read_json(path)
    validate_policy(policy)
    assert (policy["kind"], policy["feasible"], policy["guarantee"]) == (kind, True, "certified")
    found = decided(policy, calibrated(MULTICLASS, classified()))
    work = found["accept"] & (found["class_true"] == "work")
    evidence = policy["evidence"]
    assert (evidence["exits"], evidence["positives"]) == (found["accept"].sum(), work.sum())
    assert evidence["misses"] == (work & (found["class_pred"] == "free")).sum()
    assert 0.3 < evidence["coverage"] == pytest.approx(found["accept"].mean(), abs=1e-11)
    run("toy")
    assert path.read_bytes() == first


@pytest.mark.usefixtures("classifier")
def test_a_risk_out_of_reach_is_a_state_that_abstains() -> None:
    Path("params.yaml").write_text(EXITS.replace("alpha: 0.05", "alpha: 0.0001"), encoding="utf-8")
    run("toy")
    policy = io.read_json(paths.model("toy", "policy.json"))
    assert policy["feasible"] is False
    assert not decided(policy, calibrated(MULTICLASS, classified()))["accept"].any()


@pytest.mark.usefixtures("classifier")
def test_delta_is_shared_among_declared_walks() -> None:
    found = {}
    for name, text in (
        ("two", EXITS.replace("walks: 1", "walks: 2")),
        ("half", EXITS.replace("delta: 0.05", "delta: 0.025")),
    ):
        Path("params.yaml").write_text(text, encoding="utf-8")
        run("toy")
        found[name] = io.read_json(paths.model("toy", "policy.json"))
    two, half = found["two"], found["half"]
    assert (two["delta"], two["objective"]["walks"]) == (0.05, 2)
    assert (two["threshold"], two["evidence"]) == (half["threshold"], half["evidence"])
    assert two["evidence"]["bound"] <= 0.05


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("threshold", "kind: threshold", "kind: softmax"),
        ("threshold", "      kind: threshold\n", ""),
        ("threshold", "alpha: 0.05", "alpha: 0"),
        ("threshold", "delta: 0.05", "delta: 5"),
        ("threshold", "walks: 1", "walks: 0"),
        ("threshold", "      walks: 1\n", ""),
        ("threshold", "unit: group", "unit: drive"),
        ("threshold", "steps: 20", "steps: 0"),
        ("threshold", "positive: work", "positive: 1"),
        ("threshold", "positive: work", "positive: ''"),
        ("threshold", "      positive: work\n", ""),
        ("threshold", "steps: 20", "steps: 20\n      xi: 0.8"),
        ("scrc", "score: gate", "score: logit"),
        ("scrc", "variant: rank", "variant: exact"),
        ("scrc", "guarantee: certified", "guarantee: none"),
        ("scrc", "event: all", "event: negative"),
        ("scrc", "xi: 0.7", "xi: 1.0"),
        ("scrc", "      xi: 0.7\n", ""),
        ("scrc", "- 0.8", "- 0.4"),
        ("scrc", "- 0.8", "- 0.5"),
        ("scrc", "- 0.8", "- 1.5"),
        ("scrc", "jitter_seed: 1", "jitter_seed: -1"),
        ("scrc", "jitter_seed: 1", "jitter_seed: 1\n      strata: []"),
    ],
)
@pytest.mark.usefixtures("classifier")
def test_impossible_parameters_of_an_exit_policy_are_refused(kind: str, old: str, new: str) -> None:
    assert old in OF_KIND[kind]
    Path("params.yaml").write_text(OF_KIND[kind].replace(old, new), encoding="utf-8")
    with pytest.raises(ParamsError, match=r"models\.toy\.decide"):
        run("toy")


@pytest.mark.usefixtures("classifier")
def test_an_event_of_the_positive_class_needs_one() -> None:
    text = OF_KIND["scrc"].replace("event: all", "event: positive")
    Path("params.yaml").write_text(text, encoding="utf-8")
    run("toy")
    assert io.read_json(paths.model("toy", "policy.json"))["objective"]["event"] == "positive"
    Path("params.yaml").write_text(text.replace("positive: work", "positive: null"), encoding="utf-8")
    with pytest.raises(ParamsError, match=r"decide\.event: .*a class at `positive`"):
        run("toy")


@pytest.mark.usefixtures("classifier")
def test_a_class_that_the_model_does_not_know_is_refused_and_nothing_is_written() -> None:
    Path("params.yaml").write_text(EXITS.replace("positive: work", "positive: cone"), encoding="utf-8")
    with pytest.raises(DataError, match=r"decide\.positive"):
        run("toy")
    assert not paths.model("toy", "policy.json").exists()
