import hashlib

import pandas as pd
import pytest
from ruamel.yaml import YAML

from vouch import io, paths
from vouch.errors import ParamsError, WorkspaceError
from vouch.release.verdict import FILES, open_verdict
from vouch.stages.gate import run

PARAMS = """
models:
  driver:
    evaluate:
      level: 0.95
      seed: 1
    gate:
      required:
        stream:
          - cabin
          - rear
      rules:
        recall:
          source: test
          metric: recall
          limit: {limit}
          bound: value
          each: stream
          min_groups: 10
        near_duplicates:
          source: data
          metric: near_duplicate_fraction
          limit: 0.1
          bound: value
          severity: warn
        parity:
          source: export
          metric: box_difference_px
          limit: 0.5
          bound: value
        no_regression:
          source: comparison
          metric: map50
          limit: -0.02
          bound: worst
          min_groups: 10
      waivers: {waivers}
      summary:
        - map50
        - recall[stream=rear]
"""
RECALL = {
    "stream=cabin": {"value": 0.97, "low": 0.94, "high": 0.99, "n_rows": 90, "n_groups": 30},
    "stream=rear": {"value": 0.96, "low": 0.93, "high": 0.98, "n_rows": 90, "n_groups": 30},
}
MAP50 = {"all": {"value": 0.9, "low": 0.8, "high": 0.95, "n_rows": 90, "n_groups": 30}}
DIFFERENCE = {"candidate": 0.9, "baseline": 0.8, "delta": 0.1, "low": 0.01, "high": 0.2}
DIFFERENCE |= {"standard_error": 0.05, "p_holm": 0.01, "least_p_holm": 0.001}
DELTA = {"all": DIFFERENCE | {"n_groups": 30, "verdict": "better"}}


def groups(recall):
    """Three rows in each group of each stratum; the first groups miss one."""
    hits = {"stream=cabin": [2] * 3 + [3] * 27, "stream=rear": [2] * 4 + [3] * 26}
    parts = [
        pd.DataFrame({"metric": "recall", "stratum": name, "group": range(30), "rows": 3, "hits": hits[name]})
        for name in recall
    ]
    return pd.concat(parts, ignore_index=True)


def write(limit=0.95, waivers="{}", recall=RECALL):
    io.write_text(paths.Path("params.yaml"), PARAMS.format(limit=limit, waivers=waivers))
    data = {"metrics": {"near_duplicate_fraction": {"all": {"value": 0.05, "n_rows": 100, "n_groups": 10}}}}
    export = {"parity": "kept", "metrics": {"box_difference_px": {"all": {"value": 0.01, "n_rows": 16}}}}
    io.write_json(paths.metrics("driving", "data"), data)
    io.write_json(paths.metrics("driver", "export"), export)
    io.write_json(paths.metrics("driver", "test"), {"recall": recall, "map50": MAP50})
    io.write_json(paths.metrics("driver", "comparison"), {"map50": DELTA, "overall": {"all": {"verdict": "better"}}})
    for name in FILES:
        io.write_text(paths.model("driver", name), f"content of {name}")
    io.write_json(paths.model("driver", "policy.json"), {"intraclass_correlation": 0.05})
    io.write_table(paths.plots("driver", "test/groups.parquet"), groups(recall))
    for side in paths.SIDES:
        io.write_text(paths.predictions("driver", side, "val_test"), f"rows of the {side}")


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_verdict_and_the_summary_are_written():
    write()
    run("driver", "driving", "test", "labels.json")
    verdict = io.read_json(paths.metrics("driver", "gate"))
    assert verdict["passed"] is True
    expected = {"recall[stream=cabin]", "recall[stream=rear]", "near_duplicates", "parity", "no_regression"}
    assert set(verdict["rules"]) == expected
    assert io.read_json(paths.metrics("driver", "summary")) == {
        "passed": True,
        "failed_rules": 0,
        "map50": 0.9,
        "recall[stream=rear]": 0.96,
    }


def test_a_failed_rule_is_a_verdict_and_not_an_exit():
    write(limit=0.965)
    run("driver", "driving", "test", "labels.json")
    verdict = io.read_json(paths.metrics("driver", "gate"))
    assert verdict["passed"] is False
    assert verdict["rules"]["recall[stream=rear]"]["reason"] == "recall value is 0.96, must be >= 0.965"


def test_a_required_stratum_that_vanished_fails_by_name():
    write(recall={"stream=cabin": RECALL["stream=cabin"]})
    run("driver", "driving", "test", "labels.json")
    verdict = io.read_json(paths.metrics("driver", "gate"))
    assert [name for name, one in verdict["rules"].items() if not one["passed"]] == ["recall[stream=rear]"]
    assert verdict["passed"] is False


def test_a_waiver_is_recorded_with_its_reason_and_day():
    write(limit=0.965, waivers="{recall: {reason: camera is being replaced, expires: 2027-01-31}}")
    run("driver", "driving", "test", "labels.json")
    verdict = io.read_json(paths.metrics("driver", "gate"))
    assert verdict["passed"] is True
    one = verdict["rules"]["recall[stream=rear]"]
    assert (one["passed"], one["waived_until"], one["waiver_reason"]) == (
        False,
        "2027-01-31",
        "camera is being replaced",
    )


def test_a_waiver_for_no_rule_is_refused_and_nothing_written():
    write(waivers="{speed: {reason: nobody measures it, expires: 2027-01-31}}")
    with pytest.raises(ParamsError, match="waiver speed: no rule has this name"):
        run("driver", "driving", "test", "labels.json")
    assert not paths.metrics("driver", "gate").exists()


def test_the_verdict_names_what_it_judged_and_opens():
    write()
    run("driver", "driving", "test", "labels.json")
    verdict = open_verdict("driver")
    named = {name: hashlib.sha256(f"content of {name}".encode()).hexdigest() for name in FILES}
    named["policy.json"] = hashlib.sha256(paths.model("driver", "policy.json").read_bytes()).hexdigest()
    sides = {side: hashlib.sha256(f"rows of the {side}".encode()).hexdigest() for side in paths.SIDES}
    assert verdict["judged"] == {"files": named, "predictions": sides}


def test_a_gate_without_rules_is_a_failed_gate():
    write()
    content = YAML(typ="safe", pure=True).load(paths.Path("params.yaml"))
    content["models"]["driver"]["gate"] |= {"rules": {}, "required": {}}
    YAML().dump(content, paths.Path("params.yaml"))
    run("driver", "driving", "test", "labels.json")
    assert (open_verdict("driver")["passed"], open_verdict("driver")["rules"]) == (False, {})
    assert io.read_json(paths.metrics("driver", "summary"))["passed"] is False


@pytest.mark.parametrize("limit", [".nan", ".inf", "-.inf", "1e400", "'0.95'"])
def test_a_limit_that_nothing_or_everything_keeps_is_refused_and_nothing_written(limit):
    write(limit=limit)
    with pytest.raises(ParamsError, match=r"models\.driver\.gate\.rules\.recall\.limit"):
        run("driver", "driving", "test", "labels.json")
    assert not paths.metrics("driver", "gate").exists()


@pytest.mark.parametrize("name", ["driver/test", "driver/comparison", "driver/export", "driving/data"])
@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"metrics": 3}', b'{"a": {"all": 3}, "metrics": []}']
)
def test_evidence_that_is_not_of_its_form_is_refused_by_name(name, content):
    write()
    path = paths.metrics(*name.split("/"))
    path.write_bytes(content)
    with pytest.raises(WorkspaceError, match=f"{path}.*run `dvc repro gate@driver`"):
        run("driver", "driving", "test", "labels.json")
    assert not paths.metrics("driver", "gate").exists()


BY_GROUP = {"source": "by_group", "metric": "map50", "limit": 0.6, "bound": "worst", "min_groups": 10}
FURTHER = {"map50": {"all": {"value": 0.7, "low": 0.5, "high": 0.8, "n_rows": 200, "n_groups": 12}}}


def ask_by_group(rule=BY_GROUP):
    content = YAML(typ="safe", pure=True).load(paths.Path("params.yaml"))
    content["models"]["driver"]["gate"]["rules"]["all_groups"] = rule
    YAML().dump(content, paths.Path("params.yaml"))


def test_a_rule_on_further_evidence_reads_it_and_never_val_test():
    write()
    ask_by_group()
    io.write_json(paths.metrics("driver", "by_group"), FURTHER)
    run("driver", "driving", "by_group", "labels.json")
    verdict = open_verdict("driver")["rules"]["all_groups"]
    assert (verdict["source"], verdict["observed"], verdict["n_groups"]) == ("by_group", 0.5, 12)
    assert verdict["reason"] == "map50 low is 0.5, must be >= 0.6"
    assert io.read_json(paths.metrics("driver", "summary"))["map50"] == 0.9  # of val_test, as before


def test_a_rule_on_further_evidence_of_a_model_without_is_refused_and_nothing_written():
    write()
    ask_by_group()
    io.write_json(paths.metrics("driver", "by_group"), FURTHER)  # left behind by an earlier run
    with pytest.raises(
        ParamsError, match=r"rules\.all_groups\.source: expected a model on pipeline\.by_group.*evidence: test"
    ):
        run("driver", "driving", "test", "labels.json")
    assert not paths.metrics("driver", "gate").exists()


def test_a_rule_on_further_evidence_says_how_many_groups_are_evidence():
    write()
    ask_by_group({key: value for key, value in BY_GROUP.items() if key != "min_groups"})
    with pytest.raises(ParamsError, match="a rule of by_group says `min_groups`"):
        run("driver", "driving", "by_group", "labels.json")
