import numpy as np
import pytest

from evaluation.photographs import photographs
from judging import judged
from policies.made import accepting, phones, unchanged
from vouch.errors import DataError
from vouch.evaluation.comparison.differences import Difference, Resampling, compare, decided, overall, overlap, verdict
from vouch.evaluation.comparison.significance import flip_signs
from vouch.evaluation.metrics.intervals import group_weights

CALIBRATOR = unchanged()
POLICY = accepting({"phone": 0.5})


def side(found, *, groups=40, each=5):
    """`each` truths in every group; `found` says which of all of them the model finds, at score .9."""
    truths = np.arange(groups * each)
    stream = np.where(truths % 2, "cabin", "rear")
    rows = phones(found, truths // each, stream=stream, score=0.9, hits=1023)
    return judged(rows, task="detect", calibrator=CALIBRATOR, policy=POLICY)


def chance(p, seed, **shape):
    size = shape.get("groups", 40) * shape.get("each", 5)
    return side(np.random.default_rng(seed).random(size) < p, **shape)


def compared(candidate, baseline, margins, strata=(), groups=40):
    rng = np.random.default_rng(0)
    weights = group_weights(groups, replicates=1000, rng=rng)
    signs = flip_signs(groups, patterns=1000, rng=rng)
    how = Resampling(weights=weights, signs=signs, level=0.95, correlation=0.05)
    return compare(candidate, baseline, margins=margins, strata=strata, resampling=how)


def test_a_clear_improvement_is_better_in_every_metric_and_stratum():
    found = compared(chance(0.9, 0), chance(0.5, 1), {"recall": 0.01, "map50": 0.01}, [("stream",)])
    for name in ("recall", "map50"):
        assert {stratum: one["verdict"] for stratum, one in found[name].items()} == dict.fromkeys(
            ["all", "stream=cabin", "stream=rear"], "better"
        )
    assert found["overall"]["all"] == {"verdict": "better"}
    one = found["recall"]["all"]
    assert one["delta"] == pytest.approx(one["candidate"] - one["baseline"])
    assert 0 < one["low"] < one["delta"] < one["high"]
    assert (one["n_rows"], one["n_groups"]) == (200, 40)


def test_a_clear_loss_is_worse_and_decides_the_whole():
    found = compared(chance(0.5, 0), chance(0.9, 1), {"recall": 0.01, "precision": 0.01})
    assert found["recall"]["all"]["verdict"] == "worse"
    assert found["overall"]["all"] == {"verdict": "worse"}


def test_the_same_model_is_not_worse_than_itself_for_any_margin():
    model = chance(0.9, 0)
    found = compared(model, model.copy(), {"recall": 0.0, "map50": 0.0})
    assert found["recall"]["all"] | {"p_holm": 1.0} == {
        "candidate": found["recall"]["all"]["candidate"],
        "baseline": found["recall"]["all"]["candidate"],
        "delta": 0.0,
        "low": 0.0,
        "high": 0.0,
        "standard_error": 0.0,
        "least_p_holm": pytest.approx(2 / 1001),  # of two metrics, under 1,000 patterns and the one seen
        "p": pytest.approx(1.0),
        "p_holm": 1.0,
        "margin": 0.0,
        "verdict": "not_worse",
        "n_rows": 200,
        "n_groups": 40,
    }
    assert found["overall"]["all"] == {"verdict": "not_worse"}


def test_two_perfect_models_are_only_as_equal_as_their_groups_are_many():
    # both find everything, at other scores: 40 groups of 5 rows with correlation .05 are worth 200 / 1.2 rows, of which
    # none differs: the exact bound is 1 - .025^(1.2/200) = .022
    first, second = side(np.ones(200)), side(np.ones(200)).assign(score=0.8)
    one = compared(first, second, {"recall": 0.02})["recall"]["all"]
    assert (one["low"], one["high"]) == pytest.approx((-(1 - 0.025 ** (1.2 / 200)), 1 - 0.025 ** (1.2 / 200)))
    assert one["verdict"] == "unknown"
    assert compared(first, second, {"recall": 0.03})["recall"]["all"]["verdict"] == "not_worse"


def test_no_false_alarm_on_either_side_is_no_certainty_of_none():
    # one side misses two: no false alarm on 200 photographs in groups of 5, worth 200 / 1.2 under correlation .05
    first, second = side(np.arange(200) > 1), side(np.ones(200))
    one = compared(first, second, {"false_alarms_per_sample": 0.01})["false_alarms_per_sample"]["all"]
    reach = -np.log(0.025) / (200 / 1.2)
    assert (one["delta"], one["low"], one["high"]) == pytest.approx((0.0, -reach, reach))
    assert one["verdict"] == "unknown"


def test_a_calibration_error_stands_beside_what_chance_makes_of_each_side():
    # one bin of 200 rows at .9, or at .8, in groups of 5 with correlation .05: E|N| of variance p (1 - p) 1.2 / 200
    first, second = side(np.ones(200)), side(np.ones(200)).assign(confidence=0.8)
    found = compared(first, second, {"ece": 0.01, "recall": 0.01}, [("stream",)])
    sides = [found["ece"]["all"][f"{which}_by_chance"] for which in ("candidate", "baseline")]
    assert sides == pytest.approx([np.sqrt(2 / np.pi * p * (1 - p) * 1.2 / 200) for p in (0.9, 0.8)])
    assert found["ece"]["stream=rear"]["candidate_by_chance"] > sides[0]  # fewer rows
    assert "candidate_by_chance" not in found["recall"]["all"]


def test_against_a_baseline_that_says_nothing_only_defined_metrics_decide():
    found = compared(chance(0.9, 0), side(np.zeros(200)), {"recall": 0.01, "precision": 0.01})
    assert found["recall"]["all"]["verdict"] == "better"
    one = found["precision"]["all"]
    assert (one["baseline"], one["delta"], one["p_holm"], one["verdict"]) == (None, None, None, "unknown")


def test_pairing_sees_what_independent_intervals_would_not():
    # groups differ a lot, the candidate finds a little more of each
    rng = np.random.default_rng(5)
    hard = np.repeat(rng.uniform(0.1, 0.9, 40), 20)
    luck = rng.random(800)
    candidate, baseline = (side(luck < hard + gain, each=20) for gain in (0.05, 0.0))
    one = compared(candidate, baseline, {"recall": 0.0})["recall"]["all"]
    assert one["verdict"] == "better"
    assert one["high"] - one["low"] < 0.05  # unpaired, groups alone give about .2


def shown(low, high, p_holm=None, *, p=0.001, least=0.001, n_groups=40, margin=0.01):
    """A difference of which verdicts are read."""
    middle = (low + high) / 2
    return Difference(0.9, 0.9 - middle, middle, low, high, 0.01, p, p_holm, least, margin, "unknown", 100, n_groups)


def test_lower_is_better_turns_the_verdict_round():
    base = shown(-0.08, -0.04, 0.001)
    assert verdict(base, -1, 0.95) == "better"
    assert verdict(base, 1, 0.95) == "worse"


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "least", "expected"),
    [
        (0.01, 0.05, 0.01, 0.001, "better"),
        (0.01, 0.05, 0.20, 0.001, "not_worse"),  # Holm took the superiority away
        (-0.005, 0.05, 0.3, 0.001, "not_worse"),
        (-0.03, -0.015, 0.01, 0.001, "worse"),
        (-0.03, -0.015, 0.06, 0.001, "unknown"),  # and Holm took the inferiority away
        (-0.03, -0.015, 0.06, 0.06, "few_groups"),  # which no difference of so few groups could have kept
        (-0.005, 0.05, 0.3, 0.06, "not_worse"),  # an interval within the margin is evidence, however few they are
        (-0.03, 0.02, 0.7, 0.001, "unknown"),
        (-0.008, -0.002, 0.01, 0.001, "not_worse"),  # a loss, within the margin
    ],
)
def test_verdicts_by_hand(low, high, p_holm, least, expected):
    assert verdict(shown(low, high, p_holm, least=least), 1, 0.95) == expected


def test_worse_is_corrected_over_all_metrics_and_strata_as_better_is():
    # four p of .02 are .08 after Holm; alone, each would be worse
    losses = {(name, where): shown(-0.05, -0.02, p=0.02) for name in ("recall", "map50") for where in ("all", "rear")}
    assert {one.verdict for one in decided(losses, 0.95).values()} == {"unknown"}
    assert {one.p_holm for one in decided(losses, 0.95).values()} == {0.08}
    alone = {("recall", "all"): losses["recall", "all"]}
    assert decided(alone, 0.95)["recall", "all"].verdict == "worse"


def test_a_family_that_so_few_groups_cannot_decide_says_so():
    # at eight groups the least p is 2^-7 = .0078, of eight differences .0625
    rows = [(side(np.arange(8 * 5) % 5 != 0, groups=8), side(np.ones(40), groups=8))]
    margins, strata = dict.fromkeys(("recall", "map50", "coverage", "accuracy_on_exits"), 0.0), [("stream",)]
    found = compared(*rows[0], margins, strata, groups=8)["recall"]["all"]
    assert (found["verdict"], found["n_groups"]) == ("few_groups", 8)
    assert found["p_holm"] >= found["least_p_holm"] > 0.05
    alone = compared(*rows[0], {"recall": 0.0}, groups=8)["recall"]["all"]
    assert (alone["p"], alone["least_p_holm"], alone["verdict"]) == (2**-7, 2**-7, "worse")


def test_one_group_cannot_decide():
    first, second = side([True] * 4 + [False], groups=1), side(np.ones(5), groups=1)
    one = compared(first, second, {"recall": 0.0}, groups=1)["recall"]["all"]
    assert (one["delta"], one["p"], one["verdict"]) == (pytest.approx(-0.2), None, "few_groups")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["better", "not_worse"], "better"),
        (["better", "worse", "unknown"], "worse"),
        (["better", "unknown"], "unknown"),
        (["better", "unknown", "few_groups"], "few_groups"),
        (["not_worse"], "not_worse"),
        ([], "unknown"),
    ],
)
def test_overall_by_hand(verdicts, expected):
    assert overall(verdicts) == expected


def test_only_shared_samples_are_compared():
    first, second = chance(0.9, 0), chance(0.9, 1)
    left, right = overlap(first[first["sample_id"] < "s0100"], second[second["sample_id"] >= "s0090"])
    assert left["sample_id"].tolist() == right["sample_id"].tolist() == [f"s{n:04d}" for n in range(90, 100)]


def test_sides_without_a_shared_sample_are_refused():
    first = chance(0.9, 0)
    with pytest.raises(DataError, match="samples that both sides predicted"):
        overlap(first[first["sample_id"] < "s0100"], first[first["sample_id"] >= "s0100"])


def test_a_sample_in_two_groups_is_refused_by_name():
    first, second = chance(0.9, 0), chance(0.9, 0)
    second.loc[second["sample_id"] == "s0007", "group"] = "elsewhere"
    with pytest.raises(DataError, match="s0007"):
        overlap(first, second)


def test_photographs_are_compared_with_a_model_that_says_the_prior_for_every_one():
    rows = photographs(0, size=600, groups=40)
    prior = rows.assign(
        **{"probability_clear": 0.6, "probability_work": 0.4, "positive_probability": 0.4, "confidence": 0.6},
        class_pred="clear",
        correct=rows["class_true"] == "clear",
        accept=False,
        said_positive=False,
    )
    margins = {"accuracy": 0.01, "auroc": 0.01, "nll": 0.05, "augrc": 0.01, "coverage": 0.01, "fnr_on_exits": 0.01}
    found = compared(rows, prior, margins, [("light",)])
    assert found["auroc"]["all"]["baseline"] == 0.5
    for name in ("accuracy", "auroc", "nll", "augrc", "coverage"):
        assert {one["verdict"] for one in found[name].values()} == {"better"}, name
    silent = found["fnr_on_exits"]["all"]  # a model that answers nothing misses nothing: no evidence
    assert (silent["baseline"], silent["delta"], silent["verdict"]) == (None, None, "unknown")


def test_a_side_that_lacks_a_column_is_named():
    rows = photographs(1, groups=40)
    with pytest.raises(DataError, match=r"baseline, metric nll: expected judged rows with column probability_<class>"):
        compared(rows, rows.drop(columns=["probability_clear", "probability_work"]), {"nll": 0.1})


def test_sides_judged_on_other_groups_are_refused():
    rows = side(np.ones(200))
    with pytest.raises(DataError, match="group g007"):
        compared(rows, rows[rows["group"] != "g007"], {"recall": 0.1})
