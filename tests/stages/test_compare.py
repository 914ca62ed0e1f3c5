import numpy as np
import pandas as pd
import pytest

from policies.made import accepting, phones, unchanged
from vouch import io, paths
from vouch.errors import BundleError, DataError, ParamsError
from vouch.release.bundle import write_bundle
from vouch.stages.compare import run

PARAMS = """
pipeline: {{models: {{driver: {{task: detect}}}}}}
models:
  driver:
    compare:
      margins:
        recall: 0.02
        map50: {margin}
      strata:
        - - stream
      replicates: 400
      seed: 1
      level: 0.95
"""
CALIBRATOR = unchanged(0.01)


def policy(threshold):
    return accepting({"phone": threshold})


def predictions(found, photographs=120, prefix="s"):
    streams = [("cabin", "rear")[number % 2] for number in range(photographs)]
    found = np.broadcast_to(found, photographs)
    rows = phones(found, np.arange(photographs) % 30, stream=streams, score=0.7, hits=1)
    return rows.assign(sample_id=[f"{prefix}{number:03d}" for number in range(photographs)])


def write(candidate, baseline, margin=0.02, baseline_threshold=0.5):
    io.write_text(paths.Path("params.yaml"), PARAMS.format(margin=margin))
    write_candidate(CALIBRATOR, policy(0.5))
    write_baseline("detect", ["phone"], CALIBRATOR, policy(baseline_threshold))
    io.write_table(paths.predictions("driver", "candidate", "val_test"), candidate)
    io.write_table(paths.predictions("driver", "baseline", "val_test"), baseline)


def write_candidate(calibrator, decides):
    io.write_json(paths.model("driver") / "calibrator.json", calibrator)
    io.write_json(paths.model("driver") / "policy.json", decides)


def write_baseline(task, classes, calibrator, decides, **others):
    parts = {"labels": {"classes": classes}, "calibrator": calibrator, "policy": decides, **others}
    files = {f"{name}.json": io.dumps(content).encode() for name, content in parts.items()}
    write_bundle(paths.registry("driver"), "driver", "0.0.0", task, "trivial", files)


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def comparison():
    run("driver", str(paths.registry("driver")))
    return io.read_json(paths.metrics("driver", "comparison"))


def test_against_a_trivial_bundle_a_model_that_finds_things_is_better():
    write(predictions(np.random.default_rng(0).random(120) < 0.9), predictions(False))
    found = comparison()
    assert found["overall"]["all"] == {"verdict": "better"}
    assert set(found["recall"]) == {"all", "stream=cabin", "stream=rear"}
    assert found["map50"]["all"]["baseline"] == 0.0


def test_each_side_is_judged_by_its_own_policy():
    same = predictions(np.random.default_rng(0).random(120) < 0.9)
    write(same, same, baseline_threshold=0.9)
    one = comparison()["recall"]["all"]
    assert one["baseline"] == 0.0
    assert one["verdict"] == "better"


def test_the_same_bytes_twice():
    rng = np.random.default_rng(3)
    write(predictions(rng.random(120) < 0.8), predictions(rng.random(120) < 0.8))
    comparison()
    first = paths.metrics("driver", "comparison").read_bytes()
    comparison()
    assert paths.metrics("driver", "comparison").read_bytes() == first


def test_disjoint_sides_are_refused_and_nothing_written():
    write(predictions(True), predictions(True, prefix="t"))
    with pytest.raises(DataError, match="both sides"):
        run("driver", str(paths.registry("driver")))
    assert not paths.metrics("driver", "comparison").exists()


def test_a_baseline_that_was_changed_after_its_manifest_is_not_compared_with():
    write(predictions(True), predictions(True))
    io.write_json(paths.registry("driver") / "policy.json", policy(0.9))
    with pytest.raises(BundleError, match=r"policy\.json: expected sha256"):
        run("driver", str(paths.registry("driver")))
    assert not paths.metrics("driver", "comparison").exists()


def test_a_negative_margin_is_refused():
    write(predictions(True), predictions(True), margin=-0.1)
    with pytest.raises(ParamsError, match="greater than or equal to 0"):
        run("driver", str(paths.registry("driver")))


CLASSES = ("clear", "work")
MARGINS = """
pipeline: {models: {driver: {task: classify}}}
models:
  driver:
    compare:
      margins:
        accuracy: 0.01
        augrc: 0.005
        nll: 0.02
        fpr_on_exits: 0.02
      strata:
        - - stream
        - - class
      replicates: 400
      seed: 1
      level: 0.95
"""


def photographs(logits, truth):
    said, probability = logits.argmax(axis=1), np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array(CLASSES, dtype=object)
    return pd.DataFrame(
        {
            "sample_id": [f"s{number:03d}" for number in range(len(truth))],
            "group": [f"g{number % 30:02d}" for number in range(len(truth))],
            "stratum_stream": [("cabin", "rear")[number % 2] for number in range(len(truth))],
            "class_true": pd.array(names[truth], dtype="str"),
            "class_pred": pd.array(names[said], dtype="str"),
            "score": probability.max(axis=1),
            "correct": said == truth,
            **{f"logit_{name}": logits[:, place] for place, name in enumerate(CLASSES)},
        }
    )


def test_a_classifier_is_better_than_the_class_prior_which_is_no_worse_than_itself():
    rng = np.random.default_rng(0)
    truth = (rng.random(300) < 0.4).astype(int)
    candidate = photographs(rng.normal(0, 1, (300, 2)) + 3 * np.eye(2)[truth], truth)
    prior = photographs(np.tile(np.log([0.6, 0.4]), (300, 1)), truth)
    write(candidate, prior)
    io.write_text(paths.Path("params.yaml"), MARGINS)
    exits = {key: value for key, value in policy(0.5).items() if key != "thresholds"}
    exits |= {
        "kind": "threshold",
        "positive": "work",
        "threshold": None,
        "feasible": False,
        "alpha": 0.02,
        "delta": 0.05,
    }
    looks = {"kind": "multiclass", "classes": list(CLASSES), "map": {"method": "identity"}, "gate": None}
    shares = {"prior": [0.6, 0.4]}
    write_candidate(looks, exits)
    write_baseline("classify", list(CLASSES), looks, exits | {"positive": None}, prior=shares)
    found = comparison()
    assert {name: found[name]["all"]["verdict"] for name in ("accuracy", "augrc", "nll", "fpr_on_exits")} == {
        **dict.fromkeys(("accuracy", "augrc", "nll"), "better"),
        "fpr_on_exits": "unknown",  # the prior exits nothing
    }
    assert found["overall"]["class=clear"]["verdict"] != "better"  # the prior is right about every clear photograph
    write(prior, prior)
    io.write_text(paths.Path("params.yaml"), MARGINS)
    write_candidate(looks, exits)
    write_baseline("classify", list(CLASSES), looks, exits, prior=shares)
    same = comparison()
    assert {same[name]["all"]["verdict"] for name in ("accuracy", "augrc", "nll")} == {"not_worse"}
