"""A made-up model to build pages from: numbers with the shape of real ones, small and the same each time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from vouch import io, paths
from vouch.release.verdict import FILES
from vouch.report.evidence import Evidence
from vouch.tasks import Task

CLASSES = ("cigarette", "cone", "drowsy_face", "pedestrian", "phone", "seatbelt", "vehicle")
STRATA = {
    "stream": ("cabin", "front", "rear"),
    "scenario": ("day", "dusk", "night"),
    "road_type": ("highway", "rural", "urban"),
}
VALUES = {
    "map50": 0.951,
    "map50_95": 0.702,
    "recall": 0.973,
    "precision": 0.944,
    "ece": 0.021,
    "ece_before": 0.094,
    "false_alarms_per_sample": 0.11,
}
VALUE = {"kind": "sanity check", "bound": "value"}
LESS = ("ece", "ece_before", "false_alarms_per_sample")
SIZES = {"train": 420, "val_select": 60, "val_calib": 60, "val_test": 60}


def evidence(**changes: Any) -> Evidence:
    samples, boxes, splits = _manifest()
    test = _test()
    made = Evidence(
        model="driver",
        dataset="driver",
        trained="driver",
        baseline="registry/driver/bundle",
        gate=_gate(test),
        test=test,
        comparison=_comparison(test),
        calibration=_calibration(),
        export=_export(),
        by_group={},
        data=_data(),
        policy=_policy(),
        calibrator=_calibrator(),
        training=_training(),
        plots={"pr": _pr(), "reliability": _reliability(), "recall_by_confidence": _recall(), "misses": _misses()},
        samples=samples,
        boxes=boxes,
        splits=splits,
        pictures=(),
    )
    return replace(made, **changes)


def bare(**changes: Any) -> Evidence:
    """Return evidence whose page has no figure: those take nearly all of a page's time."""
    made = evidence()
    return replace(made, test={"recall": {"all": cell(0.97)}}, plots={}, training=made.training.iloc[:0], **changes)


def cell(value: float | None, *, half: float = 0.015, n_groups: int = 60) -> dict[str, Any]:
    if value is None:
        return {"value": None, "low": None, "high": None, "n_rows": 0, "n_groups": 0}
    low, high = max(0.0, value - half), min(1.0, value + 0.8 * half)
    return {"value": value, "low": round(low, 6), "high": round(high, 6), "n_rows": 1234, "n_groups": n_groups}


def rule(**changes: Any) -> dict[str, Any]:
    passing = {
        "passed": True,
        "metric": "recall",
        "source": "test",
        "stratum": "all",
        "kind": "bound",
        "bound": "low",
        "op": ">=",
        "limit": 0.95,
        "observed": 0.958,
        "expected_by_chance": None,
        "n_groups": 60,
        "severity": "block",
        "reason": "",
        "waived_until": None,
        "waiver_reason": None,
        "equal_passes": None,
        "resolved_margin": None,
    }
    return passing | changes


def judged(rules: dict[str, Any], *, passed: bool | None = None) -> dict[str, Any]:
    """A gate with these verdicts; `passed` says otherwise than they do where one is waived."""
    held = all(each["passed"] for each in rules.values())
    return {"passed": held if passed is None else passed, "rules": rules, "power": power(rules)}


def power(rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the gate can see of made-up rules: each as much as the others."""
    each = {"truth": 0.97, "compliant": 0.9, "again": 0.875}
    whole = {"beyond": 0.02, "compliant": 0.8, "passes": 0.7, "underpowered": False}
    return {**whole, **changes, "by_rule": {name: each for name in rules}}


def write(made: Evidence, root: Path, task: Task = "detect") -> None:
    """Write every file that the report stage reads, under `root`."""
    io.write_json(root / "params.yaml", {"pipeline": {"models": {made.model: {"task": task}}}})  # JSON is YAML
    for name in ("test", "comparison", "calibration", "export"):
        io.write_json(root / paths.metrics(made.model, name), getattr(made, name))
    io.write_json(root / paths.metrics(made.dataset, "data"), made.data)
    io.write_json(root / paths.model(made.model, "policy.json"), made.policy)
    io.write_json(root / paths.model(made.model, "calibrator.json"), made.calibrator)
    io.write_json(root / paths.metrics(made.model, "gate"), {**made.gate, "judged": _judged(made, root)})
    io.write_table(root / paths.plots(made.trained, "train.csv"), made.training)
    for name, table in made.plots.items():
        io.write_table(root / paths.plots(made.model, "test") / f"{name}.csv", table)
    io.write_table(root / paths.manifest(made.dataset, "samples"), made.samples)
    io.write_table(root / paths.manifest(made.dataset, "boxes"), made.boxes)
    for name, members in made.splits.items():
        io.write_table(root / paths.split(made.dataset, name), members)
    for image in made.samples.loc[made.samples["sample_id"].isin(_misses()["sample_id"]), "image"]:
        (root / image).parent.mkdir(parents=True, exist_ok=True)
        _photograph().save(root / image)


def _judged(made: Evidence, root: Path) -> dict[str, Any]:
    """What the verdict names; a page shows nothing of the other files."""
    files = {name: root / paths.model(made.model, name) for name in FILES}
    return {
        "files": {name: io.sha256(path) if path.is_file() else "0" * 64 for name, path in files.items()},
        "predictions": dict.fromkeys(paths.SIDES, "0" * 64),
    }


def _photograph() -> Image.Image:
    """A street at dusk, as far as rectangles go."""
    ramp = np.linspace((250, 170, 120), (60, 60, 90), 200)[:, None, :].repeat(320, axis=1)
    picture = Image.fromarray(ramp.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    pen.polygon([(130, 90), (190, 90), (320, 200), (0, 200)], fill="#3a3a40")
    pen.rectangle((150, 100, 205, 140), fill="#8c2f2b")
    pen.polygon([(60, 150), (72, 120), (84, 150)], fill="#f07020")
    return picture


def _strata() -> list[str]:
    single = [f"{key}={value}" for key, values in STRATA.items() for value in values]
    crossed = [f"stream={one},scenario={two}" for one in STRATA["stream"] for two in STRATA["scenario"]]
    return [*single, *(f"class={name}" for name in CLASSES), *crossed]


def _test() -> dict[str, Any]:
    """Night is weaker, the rear camera a little; nobody photographed the rear at night."""
    test: dict[str, Any] = {}
    for metric, value in VALUES.items():
        sign = -1 if metric in LESS else 1
        test[metric] = {"all": cell(value)}
        for place, where in enumerate(_strata()):
            if metric == "false_alarms_per_sample" and "class=" in where:
                continue
            loss = 0.03 * ("night" in where) + 0.01 * ("rear" in where) + 0.002 * (place % 4)
            known = where != "stream=rear,scenario=night"
            found = min(1.0, max(0.0, value - sign * loss + 0.006))
            test[metric][where] = cell(found if known else None, half=0.03, n_groups=20 + place)
    return test


def _gate(test: dict[str, Any]) -> dict[str, Any]:
    rules = {
        "map50": rule(metric="map50", limit=0.9, observed=test["map50"]["all"]["value"], **VALUE),
        "calibrated": rule(metric="ece", op="<=", bound="high", limit=0.05, observed=test["ece"]["all"]["high"]),
        "boxes_agree": rule(metric="box_difference_px", source="export", op="<=", limit=0.5, observed=0.0003),
        "no_loss": rule(metric="recall", source="comparison", limit=-0.01, observed=0.91),
    }
    for stream in STRATA["stream"]:
        where = f"stream={stream}"
        low = test["recall"][where]["low"]
        rules[f"recall[{where}]"] = rule(stratum=where, limit=0.93, observed=low, passed=low >= 0.93)
    return judged(rules)


def _comparison(test: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"overall": {"all": {"verdict": "better"}, "stream=rear": {"verdict": "unknown"}}}
    for metric in ("map50", "recall", "ece"):
        value = test[metric]["all"]["value"]
        baseline = 0.0 if metric != "ece" else 0.11
        delta = value - baseline
        row = {"candidate": value, "baseline": baseline, "delta": delta, "low": delta - 0.02, "high": delta + 0.02}
        row |= {"standard_error": 0.01, "p": 0.0004, "p_holm": 0.0012, "least_p_holm": 0.0012}
        row |= {"margin": 0.01, "n_rows": 1234, "n_groups": 60, "verdict": "better"}
        if metric == "ece":
            row |= {"candidate_by_chance": 0.011, "baseline_by_chance": 0.014}
        none = dict.fromkeys(("baseline", "delta", "low", "high", "standard_error", "p", "p_holm", "least_p_holm"))
        found[metric] = {"all": row, "stream=rear": row | none | {"verdict": "unknown"}}
    return found


def _calibration() -> dict[str, Any]:
    pairs = {"ece": (0.089, 0.018), "nll": (0.412, 0.301), "brier": (0.121, 0.094), "laece0": (0.21, 0.13)}
    table: dict[str, Any] = {}
    for name, (before, after) in pairs.items():
        table[name] = {"all": cell(after) | {"low": None, "high": None}}
        if name == "ece":
            table[name]["all"]["expected_by_chance"] = 0.016
        table[f"{name}_before"] = {"all": cell(before) | {"low": None, "high": None}}
    return table


def _calibrator() -> dict[str, Any]:
    classes = {"vehicle": {"method": "isotonic", "scores": [0, 1], "confidences": [0, 1]}}
    beta = {"method": "beta", "a": 1.1, "b": 0.8, "c": -0.1}
    return {"kind": "scalar", "floor": 0.01, "global": beta, "classes": classes | {"phone": beta}}


def _policy() -> dict[str, Any]:
    seen = {"recall": 0.981, "low": 0.957, "precision": 0.93, "n_truths": 310, "n_groups": 58, "n_accepted": 320}
    return {
        "kind": "operating_point",
        "feasible": False,
        "infeasible": {"cigarette": "target 0.95 not reached at any threshold; all: recall 0.93 (low 0.90)"},
        "intraclass_correlation": 0.05,
        "guarantee": "none",
        "alpha": 0.05,
        "delta": 0.1,
        "objective": {"metric": "recall", "level": "class", "target": 0.95, "bound": "low", "strata": ["stream"]},
        "thresholds": {name: 0.2 + 0.04 * place for place, name in enumerate(CLASSES)},
        "evidence": {name: {**seen, "strata": {}} for name in CLASSES},
    }


def _export() -> dict[str, Any]:
    rows = {"low": None, "high": None, "n_rows": 32, "n_groups": None}
    values = {"box_difference_px": 0.000312, "score_difference": 0.00000214, "changed_photographs": 0}
    return {
        "metrics": {name: {"all": {"value": value, **rows}} for name, value in values.items()},
        "photographs": 32,
        "candidates": 412,
    }


def _data() -> dict[str, Any]:
    issues = {
        "near_duplicate": {"severity": "warn", "count": 84},
        "dark": {"severity": "warn", "count": 17},
        "truncated": {"severity": "quarantine", "count": 2},
        "box_outside": {"severity": "quarantine", "count": 3},
        "unknown_class": {"severity": "block", "count": 0},
    }
    coverage = {
        f"class={name},{key}={value}": {"count": (11 * place + 7 * len(value)) % 90, "required": 10}
        for place, name in enumerate(CLASSES)
        for key, values in STRATA.items()
        for value in values
    }
    return {
        "samples": 600,
        "quarantined": 5,
        "boxes": 1890,
        "negatives": 40,
        "components": 118,
        "groups": {"driver": 120, "vehicle": 131},
        "duplicates": {"clusters": 31, "clustered": 84},
        "issues": issues,
        "coverage": coverage | {"class=cone": {"count": 270, "required": 100}},
        "metrics": {},
    }


def confusion(names: tuple[str, ...]) -> pd.DataFrame:
    """Every class in ten photographs of its own two groups; one of the ten, then two, ... is called the next class."""
    rows = [
        (f"road/{place}-{number}.png", f"d{place}-{number % 2}", name, names[(place + (number < wrong)) % len(names)])
        for place, name in enumerate(names)
        for wrong in (1 + place % 4,)
        for number in range(10)
    ]
    table = pd.DataFrame(rows, columns=["sample_id", "group", "class_true", "class_pred"])
    return table.assign(accept=[float(place % 10 > 2) for place in range(len(table))])


def risk_coverage() -> pd.DataFrame:
    """The surest answers are right; of all of them a tenth is wrong."""
    coverage = np.arange(1, 11) / 10
    risk = 0.1 * coverage**2
    return pd.DataFrame(
        {"coverage": coverage, "risk": risk, "low": risk / 2, "high": 2 * risk, "confidence": 1 - coverage / 2}
    )


def oscr() -> pd.DataFrame:
    """A good curve, and a policy that asks for a margin too: it lies below the curve."""
    accepted = np.linspace(0, 1, 21)
    named = 0.95 * accepted**0.1
    curve = pd.DataFrame({"kind": "threshold", "unknown_accepted": accepted, "named_rightly": named})
    policy = pd.DataFrame({"kind": ["policy"], "unknown_accepted": [0.04], "named_rightly": [0.6]})
    table = pd.concat([curve, policy], ignore_index=True)
    named = table["named_rightly"]
    return table.assign(low=0.95 * named, high=np.minimum(1.05 * named, 1), threshold=1 - table["unknown_accepted"])


def similarity() -> pd.DataFrame:
    """Known crops are like their product, unknown ones less so, and the few named wrongly in between."""
    start = np.round(np.arange(0.1, 1, 0.025), 3)
    kinds = (("right", 0.82, 0.07, 6000), ("wrong", 0.55, 0.1, 90), ("unknown", 0.5, 0.12, 1500))
    parts = []
    for kind, middle, spread, size in kinds:
        n = np.round(size * 0.01 / spread * np.exp(-(((start - middle) / spread) ** 2) / 2)).astype(int)
        stop = np.round(start + 0.025, 3)
        parts.append(pd.DataFrame({"kind": kind, "start": start, "stop": stop, "n": n, "share": n / n.sum()}))
    return pd.concat(parts, ignore_index=True)


def _training() -> pd.DataFrame:
    epoch = np.arange(1, 31)
    fall = np.exp(-epoch / 9)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_box_loss": 0.9 + 2 * fall,
            "train_class_loss": 0.5 + 3 * fall,
            "val_select_box_loss": 1.1 + 1.8 * fall,
            "val_select_class_loss": 0.8 + 2.6 * fall,
            "val_select_map50": 0.95 * (1 - fall),
            "val_select_map50_95": 0.7 * (1 - fall),
            "val_select_recall": 0.96 * (1 - 0.9 * fall),
            "learning_rate": 0.01 * (1 - epoch / 31),
        }
    )


def _pr() -> pd.DataFrame:
    recall = np.linspace(0, 1, 101)
    curves = []
    for place, name in enumerate(CLASSES):
        precision = np.clip(1 - (0.15 + 0.05 * place) * recall ** (14 - place), 0, 1)
        band = {"low": np.clip(precision - 0.06 * recall**3, 0, 1), "high": np.clip(precision + 0.02 * recall, 0, 1)}
        curves.append(pd.DataFrame({"class": name, "recall": recall, "precision": precision, **band}))
    return pd.concat(curves, ignore_index=True)


def _reliability() -> pd.DataFrame:
    confidence = np.linspace(0.05, 0.95, 10)
    n = np.array([900, 300, 120, 80, 60, 70, 90, 160, 400, 1200])
    sides = {"before": confidence**1.8, "after": np.clip(confidence + 0.02 * np.sin(9 * confidence), 0, 1)}
    tables = [
        pd.DataFrame(
            {
                "side": side,
                "confidence": confidence,
                "accuracy": accuracy,
                "low": np.clip(accuracy - 1 / np.sqrt(n), 0, 1),
                "high": np.clip(accuracy + 1 / np.sqrt(n), 0, 1),
                "n": n,
            }
        )
        for side, accuracy in sides.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _recall() -> pd.DataFrame:
    confidence = np.linspace(0, 0.98, 50)
    recall = np.clip(0.995 - 0.6 * confidence**4, 0, 1)
    band = {"low": np.clip(recall - 0.03, 0, 1), "high": np.clip(recall + 0.01, 0, 1)}
    precision = 0.35 + 0.63 * np.sqrt(confidence)
    return pd.DataFrame({"confidence": confidence, "recall": recall, "precision": precision, **band})


def _misses() -> pd.DataFrame:
    rows = [
        ("road/0001.png", "miss", "vehicle", 0.0, 150, 100, 205, 140, "rear"),
        ("road/0002.png", "miss", "cone", 0.31, 60, 120, 84, 150, "front"),
        ("road/0003.png", "miss", "vehicle", 0.12, 150, 100, 205, 140, "rear"),
        ("road/0002.png", "false_alarm", "pedestrian", 0.91, 10, 20, 40, 90, "front"),
        ("road/0004.png", "false_alarm", "vehicle", 0.83, 100, 120, 310, 195, "rear"),
    ]
    names = ["sample_id", "kind", "class", "confidence", "x1", "y1", "x2", "y2", "stratum_stream"]
    return pd.DataFrame(rows, columns=names)


def _manifest() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, pd.DataFrame]]:
    total = sum(SIZES.values()) + 5  # five are quarantined
    index = np.arange(total)
    samples = pd.DataFrame(
        {
            "sample_id": [f"road/{number:04d}.png" for number in index],
            "image": [f"data/sources/driver/road/{number:04d}.png" for number in index],
            "source": "road",
            "annotation": "labelled",
            "label": pd.Series([None] * total, dtype="str"),
            "width": 320,
            "height": 200,
            "group_driver": [f"d{number // 5}" for number in index],
            **{f"stratum_{key}": [values[number % 3] for number in index] for key, values in STRATA.items()},
        }
    )
    owner = np.repeat(index[: total - 40], 3)
    names = [CLASSES[(number * number + number // 3) % len(CLASSES)] for number in range(len(owner))]
    corners = {"x1": 0.1, "y1": 0.1, "x2": 0.4, "y2": 0.5}
    boxes = pd.DataFrame({"sample_id": samples["sample_id"].to_numpy()[owner], "class_name": names, **corners})
    splits, start = {}, 0
    for name, size in SIZES.items():
        part = samples.iloc[start : start + size]
        splits[name] = pd.DataFrame({"sample_id": part["sample_id"], "group": part["group_driver"]})
        start += size
    return samples, boxes, splits
