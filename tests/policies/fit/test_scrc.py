import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from policies.asked import changed, scrc
from policies.toy_rows import binary, world
from vouch.errors import DataError
from vouch.policies.apply.policy import decided, validate_policy
from vouch.policies.fit.scrc import Scrc, fit_scrc

CERTIFIED = scrc()
AS_IT_IS = changed(CERTIFIED, guarantee="variant")


def sharp(n: int = 2000, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    positive = generator.beta(0.25, 0.25, n)
    return binary(positive, generator.random(n) < positive, np.arange(n), gate=generator.random(n))


def recipe_by_hand(rows: pd.DataFrame, xi: float, alpha: float) -> tuple[int, float]:
    """Return k and lam2 of the rank-exact rule as it is written, for scores without ties."""
    k = int(np.ceil(xi * (len(rows) + 1) - 1e-9))
    first = rows.sort_values("confidence", ascending=False).iloc[: k - 1]
    own = np.where(first["class_true"] == "work", first["probability_work"], first["probability_free"])
    allowed = int(np.floor(k * alpha - 1 + 1e-9))
    return k, np.inf if allowed < 0 else float(np.sort(1 - own)[len(own) - allowed - 1])


def test_the_recipe_alone_is_the_rank_exact_rule_by_hand() -> None:
    rows = sharp()
    policy = fit_scrc(rows, AS_IT_IS)
    k, lam2 = recipe_by_hand(rows, 0.6, 0.05)
    assert policy["lam2"] == pytest.approx(lam2, abs=2e-9)
    assert (rows["confidence"] >= policy["lam1"] - 1e-9).sum() == k == policy["evidence"]["selected"]
    assert (policy["guarantee"], policy["xi"]) == ("marginal", 0.6)
    probability = rows[["probability_free", "probability_work"]].to_numpy()
    members = (probability >= 1 - policy["lam2"]).sum(axis=1)
    found = decided(json.loads(json.dumps(policy)), rows)
    assert found["accept"].tolist() == (found["selected"] & (members == 1)).tolist()
    assert found["accept"].sum() == policy["evidence"]["exits"]


@pytest.mark.parametrize(("variant", "guarantee"), [("rank", "marginal"), ("dkw", "pac"), ("clopper_pearson", "pac")])
def test_each_variant_says_its_own_guarantee_unless_the_exits_are_certified(variant: str, guarantee: str) -> None:
    rows = sharp()
    assert fit_scrc(rows, changed(AS_IT_IS, variant=variant))["guarantee"] == guarantee
    assert fit_scrc(rows, changed(CERTIFIED, variant=variant))["guarantee"] == "certified"


@pytest.mark.parametrize("xi", [0.3, 0.6])
def test_of_positives_alone_lam2_is_the_rank_exact_rule_among_selected_positives(xi: float) -> None:
    rows, recipe = sharp(), changed(AS_IT_IS, event="positive", xi=xi)
    policy = fit_scrc(rows, recipe)
    k = int(np.ceil(xi * 2001 - 1e-9))
    first = rows.sort_values("confidence", ascending=False).iloc[: k - 1]
    lost = 1 - first.loc[first["class_true"] == "work", "probability_work"].to_numpy()
    levels = [lam for lam in [0.0, *lost] if (np.sum(lost > lam) + 1) / (len(lost) + 1) <= 0.05]
    assert policy["lam2"] == pytest.approx(min(levels), abs=2e-9)
    assert policy["lam2"] != fit_scrc(rows, changed(recipe, event="all"))["lam2"]
    assert (policy["objective"]["event"], policy["evidence"]["counted"]) == ("positive", len(lost))
    assert decided(json.loads(json.dumps(policy)), rows)["accept"].sum() == policy["evidence"]["exits"]


def test_of_positives_alone_exits_are_certified_as_ever() -> None:
    rows, recipe = sharp(), changed(CERTIFIED, event="positive")
    policy = fit_scrc(rows, recipe)
    found = decided(policy, rows)
    cases = found["accept"] & (rows["class_true"] == "work")
    misses = (cases & (rows["class_pred"] == "free")).sum()
    assert (policy["guarantee"], policy["evidence"]["misses"]) == ("certified", misses)
    assert binom.cdf(misses, cases.sum(), 0.05) <= 0.05 / 3
    assert policy["lam2"] == next(level for level in recipe.levels if level >= policy["evidence"]["lam2_recipe"])


def test_a_policy_of_all_rows_says_nothing_of_an_event() -> None:
    policy = fit_scrc(sharp(), CERTIFIED)
    assert "event" not in policy["objective"]
    assert not {"counted", "event_low"} & set(policy["evidence"])


def certified_by_hand(rows: pd.DataFrame, recipe: Scrc) -> tuple[float, float] | None:
    """Return xi and lam2: one walk for each level at delta / levels, then the recipe's choice of what is certified."""
    probability = rows[["probability_free", "probability_work"]].to_numpy()
    order = np.argsort(-rows["confidence"].to_numpy())
    work = (rows["class_true"] == "work").to_numpy()
    wrong = (rows["class_true"] != rows["class_pred"]).to_numpy()
    kept: set[tuple[int, float]] = set()
    for level in recipe.levels:
        single = (probability >= 1 - level).sum(axis=1) == 1
        for step in range(1, recipe.steps + 1):
            k = int(np.ceil(recipe.xi * step / recipe.steps * (len(rows) + 1) - 1e-9))
            exits = np.isin(np.arange(len(rows)), order[:k]) & single
            cases, misses = (exits & work).sum(), (exits & work & wrong).sum()
            if (1 - recipe.alpha) ** cases > recipe.delta / len(recipe.levels):
                continue
            if binom.cdf(misses, cases, recipe.alpha) > recipe.delta / len(recipe.levels):
                break
            kept.add((step, level))
    for step in range(recipe.steps, 0, -1):
        _, lam2 = recipe_by_hand(rows, recipe.xi * step / recipe.steps, recipe.alpha)
        level = next((level for level in recipe.levels if level >= lam2), None)
        if (step, level) in kept:
            return recipe.xi * step / recipe.steps, level
    return None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("xi", [0.6, 0.95])
def test_the_certified_rule_is_that_of_the_walks_by_hand(seed: int, xi: float) -> None:
    rows, recipe = sharp(seed=seed), changed(CERTIFIED, xi=xi)
    policy = fit_scrc(rows, recipe)
    expected = certified_by_hand(rows, recipe)
    assert expected is not None
    assert (policy["xi"], policy["lam2"]) == (pytest.approx(expected[0]), expected[1])
    found = decided(policy, rows)
    cases = found["accept"] & (rows["class_true"] == "work")
    misses = (cases & (rows["class_pred"] == "free")).sum()
    assert (policy["evidence"]["positives"], policy["evidence"]["misses"]) == (cases.sum(), misses)
    assert binom.cdf(misses, cases.sum(), 0.05) <= 0.05 / 3
    assert policy["evidence"]["bound"] <= 0.05


def test_of_the_same_rows_a_certificate_never_answers_more_than_was_asked() -> None:
    policy = fit_scrc(sharp(), changed(CERTIFIED, xi=0.3))
    assert policy["evidence"]["selected"] == int(np.ceil(0.3 * 2001))
    assert policy["objective"]["xi"] == policy["xi"] == 0.3


def test_every_level_has_its_share_of_delta() -> None:
    work = np.arange(400) < 75  # about 67 of them among the nine tenths selected; 59 certify at .05, 80 at .05 / 3
    rows = binary(np.where(work, 0.99, 0.01), work, np.arange(400))
    assert fit_scrc(rows, changed(CERTIFIED, xi=0.9, levels=(0.5,)))["feasible"] is True
    policy = fit_scrc(rows, changed(CERTIFIED, xi=0.9))
    assert "delta 0.01667 even without a miss 80 exits of work are needed" in policy["infeasible"]["*"]
    assert policy["infeasible"]["*"].endswith("; 3 levels of lam2 share delta")


def test_too_few_rows_for_any_certificate_are_the_reason_before_every_other() -> None:
    true = np.arange(376) % 2 == 0
    said = np.where(true, 0.99, 0.01)
    said[7] = 0.995  # the surest answer is wrong, so sets that hold every truth need lam2 .995: above every level
    rows = binary(said, true, np.arange(376))
    policy = fit_scrc(rows, changed(CERTIFIED, positive=None, alpha=0.01, xi=0.5, levels=(0.9,)))
    # ceil(.5 x 377) = 189 are selected, each with a set of one class; .99^298 > .05 >= .99^299
    said_so = (
        "too few: at alpha 0.01 and delta 0.05 even without a miss 299 exits are needed, there are 189 in 189 groups"
    )
    assert policy["infeasible"] == {"*": said_so}


def test_the_gate_may_select() -> None:
    rows = sharp()
    policy = fit_scrc(rows, changed(AS_IT_IS, score="gate"))
    assert decided(policy, rows)["selected"].sum() == (rows["gate"] >= policy["lam1"] - 1e-9).sum() == 1201
    with pytest.raises(DataError, match="rows: gate"):
        fit_scrc(rows.drop(columns="gate"), changed(AS_IT_IS, score="gate"))


def test_equal_scores_are_parted_by_the_stored_jitter_as_on_fresh_rows() -> None:
    rows = sharp().assign(gate=0.5)
    policy = fit_scrc(rows, changed(AS_IT_IS, score="gate"))
    assert decided(json.loads(json.dumps(policy)), rows)["selected"].sum() == 1201
    fresh = rows.assign(sample_id="later/" + rows["sample_id"])
    assert abs(decided(policy, fresh)["selected"].mean() - 0.6) < 3 * np.sqrt(2 * 0.24 / 2000)
    assert fit_scrc(rows, changed(AS_IT_IS, score="gate", jitter_seed=2))["tie"] != policy["tie"]


@pytest.mark.parametrize(
    ("rows", "recipe", "word"),
    [
        (sharp(20), AS_IT_IS, "too few rows"),
        (sharp(20), CERTIFIED, "too few: at alpha 0.05 and delta 0.01667"),
        (sharp(60), changed(AS_IT_IS, event="positive", xi=0.3), "selected of work promise nothing"),
        (sharp(20), changed(AS_IT_IS, variant="dkw", xi=0.9), "known to select"),
        (sharp(150), CERTIFIED, "even without a miss 80 exits of work are needed"),
        (sharp().assign(class_true=["work", "free"] * 1000), CERTIFIED, "above every level"),
    ],
)
def test_where_nothing_is_promised_the_policy_abstains_and_says_why(
    rows: pd.DataFrame, recipe: Scrc, word: str
) -> None:
    policy = fit_scrc(rows, recipe)
    assert word in policy["infeasible"]["*"]
    assert (policy["feasible"], policy["guarantee"]) == (False, "none")
    assert {policy[key] for key in ("xi", "lam1", "tie", "lam2")} == {None}
    validate_policy(json.loads(json.dumps(policy)))
    assert not decided(policy, rows)["accept"].any()


def test_rows_that_resemble_their_group_buy_less() -> None:
    rows, _ = world(np.random.default_rng(0), 300, 8, 0.5)
    by_row = fit_scrc(rows, changed(AS_IT_IS, variant="clopper_pearson"))
    by_group = fit_scrc(rows, changed(AS_IT_IS, unit="group", variant="clopper_pearson"))
    assert by_group["evidence"]["selected"] > by_row["evidence"]["selected"]  # to be as sure of the coverage
    assert by_group["lam2"] > by_row["lam2"]


def test_the_order_of_rows_does_not_matter() -> None:
    rows, _ = world(np.random.default_rng(1), 300, 5, 0.3)
    recipe = changed(CERTIFIED, unit="group")
    mixed = rows.sample(frac=1, random_state=0)
    assert fit_scrc(mixed, recipe) == fit_scrc(rows, recipe)


def test_one_class_alone_is_refused_before_anything() -> None:
    with pytest.raises(DataError, match="work alone"):
        fit_scrc(sharp().assign(class_true="work"), CERTIFIED)
