import numpy as np
import pandas as pd
import pytest

from vouch.evaluation import foresight
from vouch.evaluation.gates.power import World
from vouch.evaluation.gates.rules import Rule
from vouch.params import check
from vouch.policies.fit.operating_point import OperatingPoint
from vouch.policies.fit.risk_test import cases_of, judge
from vouch.policies.fit.scrc import Scrc
from vouch.policies.fit.threshold_sweep import Threshold
from vouch.policies.fit.unknown_risk import OpenSet

TOO_FEW = "too few groups for this bound, were every answer right"
WORLD = World(0.95, 0.05, 1)


def rule(metric="recall", limit=0.9, bound="value", each="all", min_groups=0, source="test", severity="block"):
    return Rule(
        source=source,
        metric=metric,
        limit=limit,
        bound=bound,
        each=each,
        min_groups=min_groups,
        severity=severity,
    )


def samples(n_groups: int, per_group: int = 1) -> pd.DataFrame:
    """Photographs of groups g0, g1 ...; even groups by night, every third of class `works`."""
    places = [place for place in range(n_groups) for _ in range(per_group)]
    return pd.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(len(places))],
            "group": [f"g{place}" for place in places],
            "stratum_light": ["night" if place % 2 == 0 else "day" for place in places],
            "label": ["works" if place % 3 == 0 else "none" for place in places],
        }
    )


def outlooks(rules, rows, task="classify", positive="works", required=None, waived=frozenset()):
    return {
        one.name: one
        for one in foresight.of_rules(
            rules, rows, required=required or {}, waived=waived, task=task, positive=positive, world=WORLD
        )
    }


def test_groups_of_each_rule_are_counted_where_its_rows_can_lie() -> None:
    rows = foresight.labelled(samples(12), pd.DataFrame(), "classify")
    rules = {
        "accuracy": rule("accuracy"),
        "by_light": rule("accuracy", each="light"),
        "by_class": rule("ece", each="class,light"),
        "misses": rule("fnr_on_exits", limit=0.5),
        "alarms": rule("fpr_on_exits", limit=0.5),
        "worse": rule("accuracy", source="comparison", limit=-0.1),
        "parity": rule("logit_difference", source="export"),
    }
    required = {"light": ("night", "fog"), "class": ("works",)}
    found = {name: one.groups for name, one in outlooks(rules, rows, required=required).items()}
    assert found == {
        "accuracy": 12,
        "by_light[light=night]": 6,
        "by_light[light=fog]": 0,
        "by_class[class=works,light=night]": 2,  # groups 0 and 6
        "by_class[class=works,light=fog]": 0,
        "misses": 4,
        "alarms": 8,
        "worse": 12,
    }


def test_of_a_detector_false_alarms_may_lie_in_any_group() -> None:
    boxes = pd.DataFrame({"sample_id": ["s0", "s0", "s1"], "class_name": ["cone", "cone", "lamp"]})
    rows = foresight.labelled(samples(5), boxes, "detect")
    rules = {
        "recall": rule(each="class"),
        "precision": rule("precision", each="class"),
        "any": rule(),
    }
    found = outlooks(rules, rows, task="detect", positive=None, required={"class": ("cone",)})
    assert {name: one.groups for name, one in found.items()} == {
        "recall[class=cone]": 1,
        "precision[class=cone]": 5,
        "any": 2,
    }


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (rule("accuracy", min_groups=12), ""),
        (rule("accuracy", min_groups=13), "too few groups"),
        (rule("accuracy", limit=0.7, bound="worst"), ""),  # of 12 right answers .7354 at least: .025 ** (1 / 12)
        (rule("accuracy", limit=0.74, bound="worst"), TOO_FEW),
        (rule("fnr_on_exits", limit=0.6, bound="worst"), TOO_FEW),
        (rule("fnr_on_exits", limit=0.61, bound="worst"), ""),  # of 4 without a miss .6024 at most
        (rule("auroc", limit=0.999, bound="worst"), ""),  # no share of rows: nothing is claimed
        (rule("accuracy", limit=0.99, bound="worst", source="comparison"), ""),
    ],
)  # fmt: skip
def test_a_rule_is_out_of_reach_where_the_best_model_cannot_pass(asked: Rule, why: str) -> None:
    rows = foresight.labelled(samples(12), pd.DataFrame(), "classify")
    assert outlooks({"it": asked}, rows)["it"].why == why


def test_what_only_warns_or_is_waived_does_not_block() -> None:
    rows = foresight.labelled(samples(3), pd.DataFrame(), "classify")
    rules = {"a": rule(min_groups=9, severity="warn"), "b": rule(min_groups=9, each="light"), "c": rule(min_groups=9)}
    found = outlooks(rules, rows, required={"light": ("night", "day")}, waived=frozenset({"b[light=day]"}))
    blocking = {name for name, one in found.items() if one.blocks}
    assert blocking == {"b[light=night]", "c"}
    assert all(one.why for one in found.values())


EXITS = {"positive": "works", "alpha": 0.1, "delta": 0.05, "walks": 1, "steps": 1, "intraclass_floor": 0.05}
THRESHOLD = {**EXITS, "kind": "threshold", "unit": "group"}
SCRC = {**EXITS, "kind": "scrc", "unit": "row", "score": "confidence", "variant": "rank", "event": "all", "xi": 0.85}
SCRC |= {"levels": [0.9], "jitter_seed": 1, "guarantee": "certified"}


@pytest.mark.parametrize(("n_groups", "within"), [(84, False), (85, True)])  # 28 and 29 groups with works
def test_a_certificate_needs_29_cases_for_a_tenth_at_level_05(n_groups: int, within: bool) -> None:
    # .9 ** 28 = .0523 and .9 ** 29 = .0471
    rows = foresight.labelled(samples(n_groups, per_group=1), pd.DataFrame(), "classify")
    (found,) = foresight.of_certificates(rows, check(Threshold, THRESHOLD, "decide"))
    assert (found.groups, found.needed, found.why == "") == (29 if within else 28, None, within)
    if not within:
        assert "29 independent exits of works are needed, there are 28 in 28 groups" in found.why


def test_a_certificate_that_some_model_has_is_never_out_of_reach() -> None:
    # 20 groups with 3 of works each: a model without a miss has the worth of 20 cases, one with scattered misses more
    rows = foresight.labelled(samples(60, per_group=3), pd.DataFrame(), "classify")
    asked = check(Threshold, THRESHOLD, "decide")
    (found,) = foresight.of_certificates(rows, asked)
    assert found.why == ""
    works = (rows["class_true"] == "works").to_numpy()
    missed = np.zeros(len(rows), dtype=bool)
    missed[np.flatnonzero(works)[::6][:8]] = True  # one in each of eight groups, none of them exits
    said = rows.assign(class_pred=np.where(missed, "none", rows["class_true"]))
    assert judge(cases_of(said, "works"), ~missed, asked, delta=asked.delta_rule).certified


def test_rows_count_one_by_one_where_they_are_the_unit_and_an_uncertified_policy_promises_nothing() -> None:
    rows = foresight.labelled(samples(30, per_group=3), pd.DataFrame(), "classify")  # 30 rows of works in 10 groups
    (found,) = foresight.of_certificates(rows, check(Scrc, SCRC, "decide"))
    assert (found.groups, found.needed, found.why) == (10, None, "")
    assert foresight.of_certificates(rows, check(Scrc, SCRC | {"guarantee": "variant"}, "decide")) == []


def point(**objective: object) -> OperatingPoint:
    content = {"kind": "operating_point", "strata": [], "min_truths": 1, "intraclass_floor": 0}
    return check(OperatingPoint, content | {"objective": {"level": "class", "delta": 0.05, **objective}}, "decide")


def test_a_recall_that_its_truths_cannot_certify_is_out_of_reach() -> None:
    boxes = pd.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(40)],
            "class_name": ["cone"] * 28 + ["lamp"] * 12,  # .05 ** (1 / 28) = .8985, .05 ** (1 / 12) = .7791
        }
    )
    rows = foresight.labelled(samples(40), boxes, "detect")
    found = foresight.of_certificates(rows, point(metric="recall", target=0.89, bound="low", walks=1))
    assert [(one.name, one.groups, one.why) for one in found] == [
        ("certificate of recall, cone", 28, ""),
        ("certificate of recall, lamp", 12, "were every truth found, its recall would be 0.779 at least"),
    ]
    assert foresight.of_certificates(rows, point(metric="recall", target=0.89, bound="value", walks=1)) == []
    assert foresight.of_certificates(rows, point(metric="f1")) == []


def test_boxes_under_eight_pixels_on_the_canvas_are_counted_by_class() -> None:
    sizes = pd.DataFrame({"sample_id": ["a", "b"], "width": [640, 320], "height": [480, 640]})
    boxes = pd.DataFrame(
        {
            "sample_id": ["a", "a", "b", "b"],
            "class_name": ["cone", "cone", "lamp", "cone"],
            "x1": [0.0, 0.0, 0.0, 0.5],
            "x2": [0.5, 0.05, 0.04, 1.0],  # of a half-size canvas: 160, 16, 6.4 and 80 pixels wide
            "y1": [0.0, 0.0, 0.0, 0.5],
            "y2": [0.5, 0.033, 1.0, 0.52],  # 120, 7.92, 320 and 6.4 high
        }
    )
    found = foresight.small_boxes(boxes, sizes, 320)
    assert found.to_dict("list") == {"class_name": ["lamp", "cone"], "boxes": [1, 3], "small": [1, 2]}
    assert foresight.small_boxes(boxes, sizes, 640)["small"].sum() == 0


def test_a_required_stratum_that_no_photograph_has_is_supported_by_no_group() -> None:
    rows = foresight.labelled(samples(12), pd.DataFrame(), "classify")
    found = outlooks({"by_road": rule("accuracy", each="road", min_groups=1)}, rows, required={"road": ("rural",)})
    assert found["by_road[road=rural]"].groups == 0
    assert found["by_road[road=rural]"].why == "too few groups"


def crops(n_groups: int) -> pd.DataFrame:
    """One crop a group: of cola, which train holds, in even groups, of lime, which it does not, in odd ones."""
    rows = pd.DataFrame({"group": [f"g{place:03}" for place in range(n_groups)]})
    named = rows.assign(class_true=["lime" if place % 2 else "cola" for place in range(n_groups)])
    return foresight.unknown_left_out(named, pd.DataFrame({"class_true": ["cola", "rum"]}))


OPEN = {"kind": "open_set", "rule": "thresholds", "max_unknown_accept": 0.1, "bound": "high", "delta": 0.05, "walks": 1}
OPEN |= {"step": 0.01, "margins": [0.0], "intraclass_floor": 0.0}


@pytest.mark.parametrize(("n_groups", "within"), [(56, False), (58, True)])  # 28 and 29 unknown crops
def test_unknown_products_are_certified_from_29_crops_for_a_tenth_at_level_05(n_groups: int, within: bool) -> None:
    # 1 - .05 ** (1 / 28) = .1015 and 1 - .05 ** (1 / 29) = .0982
    (found,) = foresight.of_certificates(crops(n_groups), check(OpenSet, OPEN, "decide"))
    assert (found.name, found.groups) == ("certificate of unknown products", n_groups // 2)
    short = "were none of them accepted, the share of accepted ones might be 0.101, more than 0.1"
    assert found.why == ("" if within else short)


def test_margins_share_the_level_and_a_value_alone_is_no_bound() -> None:
    two = check(OpenSet, OPEN | {"margins": [0.0, 0.1]}, "decide")  # .025 each: 29 crops leave .119
    assert "0.119" in foresight.of_certificates(crops(58), two)[0].why
    value = check(OpenSet, OPEN | {"bound": "value"}, "decide")
    assert foresight.of_certificates(crops(4), value)[0].why == ""


def test_without_a_product_that_train_lacks_nothing_is_unknown() -> None:
    (found,) = foresight.of_certificates(crops(1), check(OpenSet, OPEN, "decide"))
    assert (found.groups, found.why) == (0, "no product that train lacks, so none is unknown")


def test_rules_on_known_and_unknown_crops_count_the_groups_of_each() -> None:
    rules = {"top1": rule("top1", min_groups=4), "unknown": rule("unknown_false_accept_rate", 0.1, min_groups=4)}
    found = outlooks(rules, crops(7), task="identify")
    assert {name: (one.groups, one.why) for name, one in found.items()} == {
        "top1": (4, ""),
        "unknown": (3, "too few groups"),
    }
