"""All rules of a gate together."""

import numpy as np
import pandas as pd
import pytest

from vouch.evaluation.gates.judging import judge
from vouch.evaluation.gates.plan import gate_of, intended_gate, outlook, power, together
from vouch.evaluation.gates.power import World
from vouch.evaluation.gates.rules import Rule

WORLD = World(level=0.95, correlation=0.05, seed=1)
REQUIRED = {"stream": ["cabin", "rear"]}


def rule(**changes):
    asked = {"source": "test", "metric": "recall", "limit": 0.9, "bound": "worst"}
    return Rule(**asked | {"each": "all", "min_groups": 2, "severity": "block"} | changes)


def at_hand(rules, *, misses=6, groups=40, per_group=6):
    hits = np.full(groups, per_group)
    hits[:misses] -= 1
    value = hits.sum() / (groups * per_group)
    cell = {"value": value, "low": value - 0.03, "high": value + 0.01, "n_groups": groups}
    strata = ["all", *(f"stream={name}" for name in REQUIRED["stream"])]
    evidence = {"test": {"recall": dict.fromkeys(strata, cell)}, "export": {"score": {"all": {"value": 0.5}}}}
    part = pd.DataFrame({"metric": "recall", "group": range(groups), "rows": per_group, "hits": hits})
    table = pd.concat([part.assign(stratum=name) for name in strata], ignore_index=True)
    required = REQUIRED if any(one.each == "stream" for one in rules.values()) else {}
    verdicts = judge(rules, evidence, required=required, waivers={})["rules"]
    columns = {name: table[name].to_numpy() for name in table}
    return gate_of(rules, evidence, required=required, verdicts=verdicts, groups=columns), verdicts


def test_rules_that_the_same_groups_push_pass_together():
    push = np.random.default_rng(0).standard_normal(50)
    push /= np.sqrt((push**2).sum())
    chances = {"a": 0.6, "b": 0.6}
    rng = np.random.default_rng
    assert together(chances, {"a": push, "b": push}, rng(1)) == pytest.approx(0.6, abs=0.03)
    assert together(chances, {}, rng(1)) == pytest.approx(0.36, abs=0.03)
    assert together(chances, {"a": push, "b": -push}, rng(1)) == pytest.approx(0.2, abs=0.03)
    assert together({"a": 1.0, "b": 0.0}, {"a": push}, rng(1)) == 0.0
    assert together({}, {}, rng(1)) == 1.0


def test_a_gate_that_a_compliant_model_seldom_passes_is_underpowered():
    gate, verdicts = at_hand({"recall": rule(each="stream")})
    found = power(gate, verdicts, WORLD)
    assert (found["underpowered"], found["beyond"]) == (True, 0.02)
    assert found["compliant"] < 0.5
    each = found["by_rule"]["recall[stream=rear]"]
    assert each["truth"] == pytest.approx(0.92)
    assert found["compliant"] == pytest.approx(each["compliant"], abs=0.03)  # both streams have the same groups here
    strong, verdicts = at_hand({"recall": rule(limit=0.7, bound="value")})
    assert power(strong, verdicts, WORLD)["underpowered"] is False


def test_a_failed_rule_comes_out_so_again_when_fresh_groups_fail_it():
    gate, verdicts = at_hand({"recall": rule(limit=0.99)})
    found = power(gate, verdicts, WORLD)
    assert verdicts["recall"]["passed"] is False
    assert found["by_rule"]["recall"]["again"] == pytest.approx(1 - found["passes"], abs=0.02)
    assert found["passes"] < 0.05


def test_a_rule_that_is_no_draw_decides_alone():
    score = rule(source="export", metric="score_difference", limit=0.1, bound="value", min_groups=0)
    gate, verdicts = at_hand({"recall": rule(limit=0.7), "score": score})
    found = power(gate, verdicts, WORLD)
    assert found["passes"] == 0.0  # it failed, and will
    assert found["by_rule"]["score"] == {"truth": None, "compliant": None, "again": 1.0}
    assert found["by_rule"]["recall"]["again"] > 0.95


def test_rules_that_only_warn_are_no_part_of_all_together():
    gate, verdicts = at_hand({"recall": rule(limit=0.7), "hope": rule(limit=0.999, severity="warn")})
    assert power(gate, verdicts, WORLD)["passes"] > 0.95


def test_a_plan_tells_chances_around_the_limit_and_groups_needed():
    gate, _ = at_hand({"recall": rule(limit=0.95)})
    (line,), whole = outlook(gate, WORLD, n_groups=40)
    assert (line.name, line.limit, line.n_groups) == ("recall", "recall low >= 0.95", 40)
    known = [one for one in (line.short, *line.steps) if one is not None]
    assert known == sorted(known)
    assert line.steps[-1] is None  # .05 beyond .95 is the end
    assert 40 < line.needed[0] <= line.needed[1]
    assert whole.needed[0] == pytest.approx(line.needed[0], rel=0.15)
    assert list(whole.steps) == sorted(whole.steps)


def test_before_data_exist_the_intended_numbers_say_what_a_collection_must_bring():
    rules = {"recall": rule(limit=0.95, each="stream"), "loss": rule(metric="nll", limit=0.5)}
    gate, later = intended_gate(rules, required=REQUIRED, groups=40, per_group=8)
    assert list(gate.subjects) == ["recall[stream=cabin]", "recall[stream=rear]"]
    assert later == ["loss"]
    lines, whole = outlook(gate, WORLD, n_groups=40)
    assert lines[0].passes == lines[0].steps[2]
    assert whole.passes == pytest.approx(lines[0].passes ** 2, abs=0.03)
    assert whole.needed[0] > lines[0].needed[0] > 40
