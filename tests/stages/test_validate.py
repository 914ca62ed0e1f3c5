import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from vouch import io, paths
from vouch.errors import DataError, ParamsError
from vouch.quality.checks import CHECKS, UNUSABLE
from vouch.stages import validate


def section():
    return {
        "thresholds": {
            "dark_below": 20.0,
            "bright_above": 235.0,
            "blank_below": 4.0,
            "blurred_below": 10.0,
            "aspect_above": 4.0,
            "min_side_px": 4.0,
            "outside_above": 0.001,
            "duplicate_iou": 0.95,
            "near_radius_bits": 6,
            "near_correlation": 0.9,
        },
        "severity": {name: "quarantine" if check.levels == UNUSABLE else "warn" for name, check in CHECKS.items()},
        "coverage": {
            "min_components": 4,
            "min_samples": 1,
            "min_count": 1,
            "min_images_per_product": None,
            "of_classes": [{"classes": ["can"], "min_count": 2, "strata": {"light": ["day"]}}],
        },
    }


INGEST = {"classes": ["can"], "group_keys": ["day"], "strata": {"light": ["day", "night"]}}


def write_params(content):
    with open("params.yaml", "w", encoding="utf-8") as stream:  # noqa: PTH123 (the working directory is the workspace)
        YAML(typ="safe", pure=True).dump({"datasets": {"tiny": {"ingest": INGEST, "validate": content}}}, stream)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_params(section())
    n = 8
    ids = [f"a/{number}" for number in range(n)]
    generator = np.random.default_rng(0)
    samples = pd.DataFrame({"sample_id": ids, "image": ids, "source": "a", "annotation": "labelled"})
    samples["label"] = pd.Series([None] * n, dtype="str")
    samples[["width", "height"]] = np.nan
    samples["group_day"] = [f"d{number}" for number in range(n)]
    samples["stratum_light"] = ["day", "night"] * (n // 2)
    boxes = pd.DataFrame({"sample_id": ids, "class_name": "can", "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5})
    scan = pd.DataFrame({"sample_id": ids, "problem": ["truncated", *[""] * (n - 1)], "format": "JPEG", "mode": "RGB"})
    scan[["width", "height", "orientation"]] = [200, 100, 1]
    scan[["mean", "deviation", "sharpness"]] = [100.0, 50.0, 500.0]
    scan["sha256"] = ["", *[f"{number}" for number in range(1, n)]]
    scan["phash"] = generator.integers(0, 2**64, n, dtype=np.uint64)
    scan["thumbnail"] = [row.tobytes() for row in generator.integers(0, 256, (n, 256), dtype=np.uint8)]
    io.write_table(paths.manifest("tiny", "samples"), samples)
    io.write_table(paths.manifest("tiny", "boxes"), boxes)
    io.write_table(paths.quality("tiny", "scan"), scan)
    return tmp_path


OUTPUTS = [paths.quality("tiny", "issues"), paths.quality("tiny", "clusters"), paths.metrics("tiny", "data")]


def test_quarantined_samples_are_listed_and_counted_and_two_runs_write_the_same_bytes(workspace, capsys):
    validate.run("tiny")
    assert "quarantine truncated 1: a/0" in capsys.readouterr().err
    issues = io.read_table(OUTPUTS[0])
    assert issues[["sample_id", "check", "severity"]].to_numpy().tolist() == [["a/0", "truncated", "quarantine"]]
    assert io.read_table(OUTPUTS[1]).columns.tolist() == ["sample_id", "cluster"]
    figures = io.read_json(OUTPUTS[2])
    assert figures["quarantined"] == 1
    assert figures["issues"]["truncated"] == {"severity": "quarantine", "count": 1}
    contents = [path.read_bytes() for path in OUTPUTS]
    validate.run("tiny")
    assert [path.read_bytes() for path in OUTPUTS] == contents


def test_blocking_checks_list_every_finding_and_write_nothing(workspace):
    content = section()
    content["severity"] |= {"truncated": "block", "few_groups": "block", "missing_coverage": "block"}
    content["coverage"] |= {"min_components": 9, "min_samples": 5}
    write_params(content)
    with pytest.raises(DataError) as refused:
        validate.run("tiny")
    assert [problem.where for problem in refused.value.problems] == [
        "(data set) [few_groups]",
        "(data set) [missing_coverage]",
        "(data set) [missing_coverage]",
        "a/0 [truncated]",
    ]
    assert not any(path.exists() for path in OUTPUTS)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("severity.dark", "loud"),
        ("severity.truncated", "warn"),
        ("severity.few_groups", "quarantine"),
        ("severity.pretty", "warn"),
        ("thresholds.near_radius_bits", 16),
        ("thresholds.duplicate_iou", 1.5),
        ("thresholds.extra", 1.0),
        ("coverage.min_components", 3),
        ("coverage.min_count", 0),
    ],
)
def test_bad_parameters_are_refused(workspace, place, value):
    content = section()
    *path, last = place.split(".")
    part = content
    for key in path:
        part = part[key]
    part[last] = value
    write_params(content)
    with pytest.raises(ParamsError, match=last if path != ["severity"] else "severity"):
        validate.run("tiny")


def test_coverage_of_what_the_data_set_does_not_declare_is_refused(workspace):
    content = section()
    content["coverage"]["of_classes"][0]["classes"] = ["can", "jar"]
    write_params(content)
    with pytest.raises(
        ParamsError, match=r"coverage\.of_classes: expected what datasets\.tiny\.ingest declares, got class jar"
    ):
        validate.run("tiny")
