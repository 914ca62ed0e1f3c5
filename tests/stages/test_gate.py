import pytest

from vouch import io, paths
from vouch.errors import ParamsError
from vouch.stages.gate import run

PARAMS = """
models:
  driver:
    gate:
      required:
        stream:
          - cabin
          - rear
      rules:
        recall:
          source: test
          metric: recall
          op: ">="
          limit: {limit}
          bound: value
          each: stream
          min_groups: 10
          severity: block
        near_duplicates:
          source: data
          metric: near_duplicate_share
          op: <=
          limit: 0.1
          bound: value
          each: all
          min_groups: 0
          severity: warn
        parity:
          source: export
          metric: box_difference_px
          op: <=
          limit: 0.5
          bound: value
          each: all
          min_groups: 0
          severity: block
        no_regression:
          source: comparison
          metric: map50
          op: ">="
          limit: -0.02
          bound: low
          each: all
          min_groups: 10
          severity: block
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
DELTA = {"all": {"delta": 0.1, "low": 0.01, "high": 0.2, "n_groups": 30}}


def write(limit=0.95, waivers="{}", recall=RECALL):
    io.write_text(paths.Path("params.yaml"), PARAMS.format(limit=limit, waivers=waivers))
    data = {"metrics": {"near_duplicate_share": {"all": {"value": 0.05, "n_rows": 100, "n_groups": 10}}}}
    export = {"parity": "kept", "metrics": {"box_difference_px": {"all": {"value": 0.01, "n_rows": 16}}}}
    io.write_json(paths.metrics("driving", "data"), data)
    io.write_json(paths.metrics("driver", "export"), export)
    io.write_json(paths.metrics("driver", "test"), {"recall": recall, "map50": MAP50})
    io.write_json(paths.metrics("driver", "comparison"), {"map50": DELTA})


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_verdict_and_the_summary_are_written():
    write()
    run("driver", "driving")
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
    run("driver", "driving")
    verdict = io.read_json(paths.metrics("driver", "gate"))
    assert verdict["passed"] is False
    assert verdict["rules"]["recall[stream=rear]"]["reason"] == "recall value is 0.96, must be >= 0.965"


def test_a_required_stratum_that_vanished_fails_by_name():
    write(recall={"stream=cabin": RECALL["stream=cabin"]})
    run("driver", "driving")
    verdict = io.read_json(paths.metrics("driver", "gate"))
    assert [name for name, one in verdict["rules"].items() if not one["passed"]] == ["recall[stream=rear]"]
    assert verdict["passed"] is False


def test_a_waiver_is_recorded_with_its_reason_and_day():
    write(limit=0.965, waivers="{recall: {reason: camera is being replaced, expires: 2027-01-31}}")
    run("driver", "driving")
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
        run("driver", "driving")
    assert not paths.metrics("driver", "gate").exists()
