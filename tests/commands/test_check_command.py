import json
from pathlib import Path

import pandas as pd
import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.graph import ROOT
from vouch import io, paths
from vouch.commands.check import TRAINING, check
from vouch.commands.plan import plan
from vouch.commands.rebuild import SECONDS
from vouch.errors import ParamsError, WorkspaceError

APP = typer.Typer()
APP.command()(check)
RULE = {"source": "test", "bound": "value"}
PARAMS = {
    "pipeline": {
        "models": {"cones": {"dataset": "road", "task": "detect", "trained": "cones", "baseline": "registry/cones"}}
    },
    "models": {
        "cones": {
            "train_detector": {"size_px": 320},
            "decide": {
                "kind": "operating_point",
                "objective": {"metric": "f1", "level": "class", "delta": 0.05},
                "strata": [],
                "min_truths": 20,
                "intraclass_floor": 0.05,
            },
            "calibrate": {
                **{"methods": ["isotonic"], "floor": 0.05, "min_rows": 4, "min_groups": 2, "folds": 2, "bins": 10},
                **{"rows_per_parameter": 0.0, "events_per_parameter": 0.0, "intraclass_floor": 0.05},
            },
            "evaluate": {"level": 0.95, "seed": 1},
            "gate": {
                "required": {"light": ["night", "day"]},
                "rules": {
                    "recall": RULE | {"metric": "recall", "limit": 0.9, "each": "light", "min_groups": 3},
                    "precision": RULE | {"metric": "precision", "limit": 0.8, "min_groups": 5},
                },
                "waivers": {},
                "summary": [],
            },
        }
    },
}


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty photographs of ten groups, two for each split but val_test's four; by night only the last."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        YAML().dump(PARAMS, stream)
    names = [f"s{number:02d}" for number in range(20)]
    light = ["night" if number >= 18 else "day" for number in range(20)]
    samples = pd.DataFrame({"sample_id": names, "label": None, "stratum_light": light})
    boxes = pd.DataFrame({"sample_id": names, "class_name": "cone", "x1": 0.0, "y1": 0.0, "x2": 0.1, "y2": 0.1})
    scan = pd.DataFrame({"sample_id": names, "width": 240, "height": 320, "orientation": [6] * 5 + [1] * 15})
    io.write_table(paths.manifest("road", "samples"), samples)
    io.write_table(paths.manifest("road", "boxes"), boxes)
    io.write_table(paths.quality("road", "scan"), scan)
    ends = {"train": (0, 4), "val_select": (4, 8), "val_calib": (8, 12), "val_test": (12, 20)}
    for split, (first, end) in ends.items():
        members = pd.DataFrame({"sample_id": names[first:end], "group": [f"g{n // 2}" for n in range(first, end)]})
        io.write_table(paths.split("road", split), members)
    return tmp_path


def invoke(*options: str):
    return CliRunner().invoke(APP, ["cones", *options])


def test_what_can_never_pass_is_said_before_any_training_within_80_columns() -> None:
    shown = invoke()
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines if "photographs" in line] == [
        ["train", "4", "photographs", "2", "groups"],
        ["val_select", "4", "photographs", "2", "groups"],
        ["val_calib", "4", "photographs", "2", "groups"],
        ["val_test", "8", "photographs", "4", "groups"],
    ]
    assert [line.split() for line in lines if line.startswith("  recall") or line.startswith("  precision")] == [
        ["recall[light=night]", "1", "3", "never"],
        ["precision", "4", "5", "never"],
    ]
    assert "never: recall[light=night]: too few groups" in lines
    assert "under 8 pixels on the canvas of 320: 0 of 20" in shown.output  # 24 x 32 pixels each
    assert "took" not in shown.output


def test_enforce_turns_it_into_an_exit_code_and_a_waiver_back() -> None:
    assert invoke("--enforce").exit_code == 1
    content = YAML(typ="safe", pure=True).load(Path("params.yaml"))
    waiver = {"reason": "only one drive by night", "expires": "2099-01-01"}
    content["models"]["cones"]["gate"]["waivers"] = {"recall": waiver, "precision": waiver}
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        YAML().dump(content, stream)
    assert invoke("--enforce").exit_code == 0


def test_small_boxes_and_the_last_training_s_time_are_told_where_they_are_known() -> None:
    boxes = io.read_table(paths.manifest("road", "boxes"))
    io.write_table(paths.manifest("road", "boxes"), boxes.assign(x2=0.029))  # of 240 wide 6.96 pixels, of 320 wide 9.28
    SECONDS.parent.mkdir(parents=True)
    SECONDS.write_text(json.dumps({"train_detector@cones": 700.0, "train_detector@other": 50.0, "gate@cones": 2.0}))
    said = " ".join(invoke().output.split())
    assert "canvas of 320: 15 of 20, cone 15 of 20" in said
    assert "training here took, last time: train_detector@cones 12 min" in said
    assert "@other" not in said
    assert "gate@" not in said


def test_a_val_select_too_small_for_a_calibrator_is_named() -> None:
    assert "calibrator" not in invoke().output  # four boxes in two groups
    content = YAML(typ="safe", pure=True).load(Path("params.yaml"))
    content["models"]["cones"]["calibrate"]["min_rows"] = 5
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        YAML().dump(content, stream)
    said = " ".join(invoke().output.split())
    assert "too small for a calibrator, and scores stay raw: 4 predictions in 2 groups; 5 in 2 are needed" in said


def test_every_stage_that_trains_is_timed() -> None:
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {name for name in stages if name.startswith(("train_", "pretrain", "extract_features"))} == set(TRAINING)


def test_without_a_split_the_command_that_makes_one_is_named() -> None:
    for split in paths.SPLITS[1:]:
        paths.split("road", split).unlink()
    refused = invoke().exception
    assert isinstance(refused, WorkspaceError)
    assert len(refused.problems) == 3
    assert "run `dvc repro split@road`" in str(refused)


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    refused = CliRunner().invoke(APP, ["cone"]).exception
    assert isinstance(refused, ParamsError)
    assert "cones" in str(refused)


def system_of(rules: dict[str, object], waivers: dict[str, object]) -> None:
    """Put into params.yaml a system `heap` of the cones, which serve as its identifier too."""
    content = YAML(typ="safe", pure=True).load(Path("params.yaml"))
    content["pipeline"]["systems"] = {"heap": {"dataset": "road", "detector": "cones", "identifier": "cones"}}
    recall = RULE | {"metric": "recall", "limit": 0.5, "min_groups": 3}
    content["models"]["cones"]["gate"] |= {"required": {}, "rules": {"recall": recall}}
    gate = {"required": {"light": ["night", "day"]}, "rules": rules, "waivers": waivers, "summary": []}
    content["systems"] = {"heap": {"gate_system": gate}}
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        YAML().dump(content, stream)


COUNT_MAE = {"source": "counts", "metric": "count_mae", "limit": 0.3, "bound": "value"}


def test_of_a_system_it_is_said_for_both_models_and_for_the_rules_on_counts() -> None:
    system_of({"errors": COUNT_MAE | {"min_groups": 4}, "by_light": COUNT_MAE | {"each": "light", "min_groups": 2}}, {})
    shown = CliRunner().invoke(APP, ["heap", "--enforce"])
    assert isinstance(shown.exception, SystemExit), shown.exception
    assert shown.exit_code == 1
    assert [line for line in shown.output.splitlines() if line.startswith("known of")] == [
        *["known of cones before any training:", "known of heap before any training:"]
    ]
    after = shown.output.partition("known of heap")[2]
    assert [line.split() for line in after.splitlines() if line.startswith(("  errors", "  by_light"))] == [
        ["errors", "4", "4", "within", "reach"],
        ["by_light[light=night]", "1", "2", "never"],
    ]
    assert "never: by_light[light=night]: too few groups" in after


def test_a_waived_rule_on_counts_does_not_stand_against_a_release() -> None:
    waiver = {"reason": "only one drive by night", "expires": "2099-01-01"}
    system_of({"by_light": COUNT_MAE | {"each": "light", "min_groups": 2}}, {"by_light": waiver})
    assert CliRunner().invoke(APP, ["heap", "--enforce"]).exit_code == 0


def test_plan_says_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vouch.commands.plan._at_hand", lambda model: {})
    monkeypatch.setattr("vouch.commands.plan._show", lambda model, found: print("the plan"))
    app = typer.Typer()
    app.command()(plan)
    shown = CliRunner().invoke(app, ["cones"])
    assert shown.output.index("known of cones before any training") < shown.output.index("the plan")
    for split in paths.SPLITS:
        paths.split("road", split).unlink()
    shown = CliRunner().invoke(app, ["cones"])
    assert "run `dvc repro split@road`" in shown.output
    assert "the plan" in shown.output
