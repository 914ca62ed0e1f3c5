import json

import numpy as np
import pandas as pd
import pytest

from policies.made import accepting, unchanged
from vouch import io, paths
from vouch.errors import DataError, ParamsError
from vouch.stages.evaluate import run

PARAMS = """
pipeline: {{models: {{driver: {{task: {task}}}}}}}
models:
  driver:
    predict: {{limit: 2}}
    evaluate:
      metrics: {metrics}
      crossed: {crossed}
      replicates: 200
      seed: 1
      level: 0.95
      few_groups: 20
      worst: 12
"""
METRICS = "[map50, map75, map50_95, recall, precision, false_alarms_per_sample, limit_reached_fraction, ece, \
  ece_before, ece_accepted]"
PLOTS = (
    "pr",
    "reliability",
    "recall_by_confidence",
    "risk_coverage",
    "confusion",
    "oscr",
    "similarity",
    "misses",
)  # dvc.yaml names them for each model
POLICY = accepting({"phone": 0.5, "cone": 0.5})


def predictions(seed, photographs=90, groups=18):
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(photographs):
        stream, scenario = ("cabin", "front", "rear")[number % 3], ("day", "night")[number % 6 == 1]
        known = (f"drive/{number:03d}.png", f"g{number % groups:02d}", stream, scenario)
        if stream == "rear" and scenario == "day":
            rows.append((*known, None, None, 0.0, False, *[np.nan] * 4, 0.0, 0))
            continue
        box = rng.uniform(0, 100, 2)
        corners = (*box, *(box + rng.uniform(5, 50, 2)))
        name, score = str(rng.choice(["phone", "cone"])), float(rng.random())
        if rng.random() < 0.8:
            rows.append((*known, name, name, score, True, *corners, 0.8, 0b1111111))
        else:
            rows.append((*known, name, None, 0.0, False, *corners, 0.0, 0))
            rows.append((*known, None, name, score / 2, False, *corners, 0.3, 0))
    columns = ["sample_id", "group", "stratum_stream", "stratum_scenario", "class_true", "class_pred", "score"]
    table = pd.DataFrame(rows, columns=[*columns, "correct", "x1", "y1", "x2", "y2", "iou", "hits"])
    return table.astype({"class_true": "str", "class_pred": "str", "hits": "uint16"})


def write_model(folder, thresholds=POLICY):
    io.write_json(folder / "calibrator.json", unchanged(0.01))
    io.write_json(folder / "policy.json", thresholds)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params()
    write_model(paths.model("driver"))
    io.write_table(paths.predictions("driver", "candidate", "val_test"), predictions(0))


def write_params(metrics=METRICS, crossed="[[stream, scenario]]", task="detect"):
    io.write_text(paths.Path("params.yaml"), PARAMS.format(metrics=metrics, crossed=crossed, task=task))


def written():
    return {path.as_posix(): path.read_bytes() for top in ("metrics", "plots") for path in paths.Path(top).rglob("*.*")}


def test_every_metric_of_every_stratum_has_the_agreed_form(workspace):
    run("driver")
    table = io.read_json(paths.metrics("driver", "test"))
    assert set(table["recall"]) >= {
        *("all", "stream=cabin", "stream=front", "stream=rear", "scenario=night", "class=phone", "class=cone"),
        *("stream=cabin,scenario=day", "stream=rear,scenario=night"),
    }
    for name, strata in table.items():
        more = {"expected_by_chance"} if name.startswith("ece") else set()
        for found in strata.values():
            assert set(found) == {"value", "low", "high", "n_rows", "n_groups", "few_groups"} | more
    assert table["recall"]["all"]["n_groups"] == 12  # every third of 18 groups holds empty rear photographs alone
    assert table["recall"]["all"]["low"] < table["recall"]["all"]["value"] < table["recall"]["all"]["high"]


def test_strata_without_truth_are_null_and_never_nan(workspace):
    run("driver")
    text = paths.metrics("driver", "test").read_text()
    assert "NaN" not in text
    table = json.loads(text)
    for stratum in ("stream=rear", "stream=cabin,scenario=night"):  # empty photographs, and no photograph at all
        nothing = {"value": None, "low": None, "high": None, "n_rows": 0, "n_groups": 0, "few_groups": True}
        assert table["recall"][stratum] == nothing
        assert table["map50"][stratum]["value"] is None


def test_the_plots_are_written_and_two_runs_give_the_same_bytes(workspace):
    run("driver")
    first = written()
    assert set(first) == {
        "metrics/driver/test.json",
        *(f"plots/driver/test/{name}.csv" for name in PLOTS),
        "plots/driver/test/groups.parquet",
    }
    run("driver")
    assert written() == first


def test_rows_and_hits_of_the_groups_add_up_to_every_share(workspace):
    run("driver")
    test = io.read_json(paths.metrics("driver", "test"))
    found = io.read_table(paths.plots("driver", "test/groups.parquet"))
    assert set(found["metric"]) == {"recall", "precision", "limit_reached_fraction"} & set(test)
    for (metric, stratum), part in found.groupby(["metric", "stratum"]):
        cell = test[metric][stratum]
        assert (part["rows"].sum(), len(part)) == (cell["n_rows"], cell["n_groups"])
        assert part["hits"].sum() / part["rows"].sum() == pytest.approx(cell["value"], abs=1e-6)


def test_unknown_metrics_are_refused_before_anything_is_read(workspace):
    write_params(metrics="[map50, speed, beauty]")
    with pytest.raises(ParamsError) as refused:
        run("driver")
    assert len(refused.value.problems) == 2
    assert written() == {}


def test_an_unknown_crossed_stratum_is_refused_and_nothing_written(workspace):
    write_params(crossed="[[stream, weather]]")
    with pytest.raises(DataError, match="weather"):
        run("driver")
    assert written() == {}


CLASSES = ("clear", "work")
LOOKS = {"kind": "multiclass", "classes": list(CLASSES), "map": {"method": "identity"}, "gate": None}
EXITS = {
    "kind": "threshold",
    "positive": "work",
    "threshold": 0.8,
    "feasible": True,
    "guarantee": "certified",
    "alpha": 0.02,
    "delta": 0.05,
    "objective": {},
    "evidence": {},
    "infeasible": {},
    "intraclass_correlation": 0.05,
}
NAMES = (
    "[accuracy, auroc, nll, brier, ece, ece_before, ece_debiased, ece_adaptive, ece_classwise, mce, coverage, "
    "accuracy_on_exits, fnr_on_exits, fpr_on_exits, aurc, e_aurc, augrc, risk_at_coverage_80, coverage_at_risk_02, "
    "coverage_at_risk_02_first, coverage_at_precision_95, recall_at_precision_95, average_set_size, set_size_all]"
)


def photographs(seed, size=200, groups=20):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, size)
    logits = rng.normal(0, 1.5, (size, 2)) + 2 * np.eye(2)[truth]
    said, probability = logits.argmax(axis=1), np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array(CLASSES, dtype=object)
    return pd.DataFrame(
        {
            "sample_id": [f"s{number:03d}" for number in range(size)],
            "group": [f"g{number % groups:02d}" for number in range(size)],
            "stratum_stream": np.where(rng.random(size) < 0.5, "front", "rear"),
            "stratum_scenario": np.where(rng.random(size) < 0.5, "day", "night"),
            "class_true": pd.array(np.where(np.arange(size) % 50 == 7, None, names[truth]), dtype="str"),
            "class_pred": pd.array(names[said], dtype="str"),
            "score": probability.max(axis=1),
            "correct": (said == truth) & (np.arange(size) % 50 != 7),
            **{f"logit_{name}": logits[:, place] for place, name in enumerate(CLASSES)},
        }
    )


@pytest.fixture
def classifier(workspace):
    write_params(metrics=NAMES, task="classify")
    folder = paths.model("driver")
    io.write_json(folder / "calibrator.json", LOOKS)
    io.write_json(folder / "policy.json", EXITS)
    io.write_table(paths.predictions("driver", "candidate", "val_test"), photographs(0))


def test_a_classifier_has_the_same_files_in_the_same_form(classifier):
    run("driver")
    assert {f"plots/driver/test/{name}.csv" for name in PLOTS} < set(written())
    table = io.read_json(paths.metrics("driver", "test"))
    rows = photographs(0).dropna(subset="class_true")
    assert table["accuracy"]["all"]["value"] == pytest.approx(rows["correct"].mean(), abs=1e-6)
    assert table["accuracy"]["all"]["n_rows"] == 196  # four photographs have no label
    assert set(table["nll"]) >= {"all", "stream=front", "stream=rear,scenario=night", "class=work"}
    exits = rows[(rows["score"] >= 0.8) & (rows["class_true"] == "work")]
    assert table["fnr_on_exits"]["all"]["value"] == pytest.approx((~exits["correct"]).mean(), abs=1e-6)
    assert "NaN" not in paths.metrics("driver", "test").read_text()
    first = written()
    run("driver")
    assert written() == first


def test_a_classifier_s_confusion_is_its_photographs_and_a_detector_has_none(classifier):
    run("driver")
    table = io.read_table(paths.plots("driver", "test/confusion.csv"))
    rows = photographs(0).dropna(subset="class_true")
    kept = ["sample_id", "group", "class_true", "class_pred"]
    assert table[kept].to_numpy().tolist() == rows[kept].to_numpy().tolist()
    assert table["accept"].tolist() == ["1" if sure else "0" for sure in rows["score"] >= 0.8]
    write_params()
    write_model(paths.model("driver"))
    io.write_table(paths.predictions("driver", "candidate", "val_test"), predictions(0))
    run("driver")
    assert paths.plots("driver", "test/confusion.csv").read_text() == "sample_id,group,class_true,class_pred,accept\n"


@pytest.mark.parametrize("task", ["detect", "classify"])
def test_curves_of_crops_are_headers_alone_for_other_tasks(request, task):
    request.getfixturevalue("workspace" if task == "detect" else "classifier")
    run("driver")
    headers = {
        "oscr": "kind,unknown_accepted,named_rightly,low,high,threshold\n",
        "similarity": "kind,start,stop,n,share\n",
    }
    assert {name: paths.plots("driver", f"test/{name}.csv").read_text() for name in headers} == headers


NAMED = {
    "kind": "open_set",
    "rule": "thresholds",
    "similarity": 0.5,
    "margin": 0.0,
    "feasible": True,
    "guarantee": "certified",
    "alpha": 0.05,
    "delta": 0.05,
    "objective": {},
    "evidence": {},
    "infeasible": {},
    "intraclass_correlation": 0.05,
}


def crops(seed, size=300, groups=20):
    """Every third crop is of a product that the gallery does not know; those are less like their nearest product."""
    rng = np.random.default_rng(seed)
    known, right = np.arange(size) % 3 > 0, rng.random(size) < 0.9
    similarity = np.clip(np.where(known, 0.7, 0.4) + rng.normal(0, 0.2, size), -1, 1)
    return pd.DataFrame(
        {
            "sample_id": [f"s{number:03d}#0" for number in range(size)],
            "group": [f"g{number % groups:02d}" for number in range(size)],
            "stratum_stream": "front",
            "stratum_scenario": "day",
            "class_true": pd.array(np.where(known, "cola", None), dtype="str"),
            "class_pred": pd.array(np.where(right, "cola", "tea"), dtype="str"),
            "score": rng.random(size),
            "correct": known & right,
            "similarity": similarity,
            "margin": 0.1,
            "product": np.where(known, "cola", "milk"),
            **dict.fromkeys(("x1", "y1"), 0.0),
            **dict.fromkeys(("x2", "y2"), 10.0),
        }
    )


def test_an_embedder_s_curve_has_the_area_and_the_policy_of_its_metrics(workspace):
    write_params(metrics="[top1, oscr, unknown_false_accept_rate]", task="identify")
    write_model(paths.model("driver"), NAMED)
    io.write_table(paths.predictions("driver", "candidate", "val_test"), crops(0))
    run("driver")
    test = io.read_json(paths.metrics("driver", "test"))
    table = pd.read_csv(paths.plots("driver", "test/oscr.csv"))
    curve, policy = table[table["kind"] == "threshold"], table.iloc[-1]
    area = np.trapezoid(curve["named_rightly"], curve["unknown_accepted"])
    assert area == pytest.approx(test["oscr"]["all"]["value"], abs=1e-5)
    assert policy["kind"] == "policy"
    assert policy["unknown_accepted"] == pytest.approx(test["unknown_false_accept_rate"]["all"]["value"], abs=1e-6)
    counted = pd.read_csv(paths.plots("driver", "test/similarity.csv")).groupby("kind")["n"].sum()
    assert counted.sum() == 300
    assert counted["unknown"] == 100


def test_an_infeasible_policy_answers_nothing_and_has_no_miss_rate(classifier):
    io.write_json(paths.model("driver") / "policy.json", EXITS | {"feasible": False, "threshold": None})
    run("driver")
    table = io.read_json(paths.metrics("driver", "test"))
    assert table["coverage"]["all"]["value"] == 0.0
    assert table["fnr_on_exits"]["all"]["value"] is None
    assert table["set_size_all"]["all"]["value"] == 2.0
    assert set(io.read_table(paths.plots("driver", "test/misses.csv"))["kind"]) == {"abstention"}


def test_metrics_of_detections_are_refused_on_photographs_and_nothing_written(classifier):
    write_params(metrics="[accuracy, map50]", task="classify")
    with pytest.raises(DataError, match="metric map50: expected judged rows with column hits"):
        run("driver")
    assert written() == {}
