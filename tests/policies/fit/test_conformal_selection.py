import numpy as np
import pandas as pd
import pytest
from mapie.risk_control.methods import find_best_predict_param, get_r_hat_plus
from scipy.stats import beta

from vouch.policies.fit.conformal_selection import Ranked, rank, select, set_level


def ranked(score: np.ndarray, seed: int = 1, event: np.ndarray | None = None) -> Ranked:
    names = pd.Series([f"s{index}" for index in range(len(score))])
    event = np.ones(len(score), dtype=bool) if event is None else event
    return rank(np.asarray(score, dtype=float), names, names, event, unit="row", seed=seed)


def by_hand(score: np.ndarray, lost: np.ndarray, xi: float, alpha: float) -> tuple[int, float]:
    """Try every lam2 of the rank-exact rule as it is written: (sum over the k - 1 largest + 1) / k <= alpha."""
    k = next(k for k in range(1, len(score) + 1) if k / (len(score) + 1) >= xi)
    of_selected = lost[np.argsort(-score)[: k - 1]]
    levels = [lam for lam in [0.0, *sorted(lost)] if (np.sum(of_selected > lam) + 1) / k <= alpha]
    return k, min(levels)


@pytest.mark.parametrize("seed", range(5))
def test_rank_is_the_rule_of_the_paper_collapsed_to_one_row(seed: int) -> None:
    generator = np.random.default_rng(seed)
    score, lost = np.round(generator.random(311), 6), np.round(generator.random(311), 6)
    k, lam2 = by_hand(score, lost, 0.7, 0.05)
    one = select(ranked(score), 0.7, variant="rank", alpha=0.05, delta=0.05)
    assert one is not None
    assert one.chosen.sum() == k
    assert one.counted.sum() == k - 1
    assert one.lam1 == np.sort(score)[-k]
    assert set_level(lost[one.counted], one.allowed) == pytest.approx(lam2)


def test_rank_needs_twenty_selected_at_alpha_a_twentieth() -> None:
    score = np.linspace(0.1, 0.9, 199)  # k = 20 of 200 at xi .1: (0 + 1) / 20 = alpha
    enough = select(ranked(score), 0.1, variant="rank", alpha=0.05, delta=0.05)
    few = select(ranked(score), 0.095, variant="rank", alpha=0.05, delta=0.05)
    assert enough is not None
    assert few is not None
    assert (enough.allowed, few.allowed) == (0, -1)
    assert set_level(np.array([0.3]), few.allowed) is None


def test_clopper_pearson_takes_the_fewest_rows_whose_coverage_is_known() -> None:
    score = np.random.default_rng(0).random(400)
    one = select(ranked(score), 0.6, variant="clopper_pearson", alpha=0.05, delta=0.1)
    assert one is not None
    k = int(one.chosen.sum())
    assert beta.ppf(0.1, k, 400 - k + 1) >= 0.6 > beta.ppf(0.1, k - 1, 400 - k + 2)
    assert one.low == pytest.approx(beta.ppf(0.1, k, 400 - k + 1))
    assert one.allowed == np.floor(401 * 0.05 * one.low - 1)


def test_dkw_takes_the_largest_threshold_that_covers_uniformly_with_all_equal_scores() -> None:
    score = np.round(np.random.default_rng(0).random(400), 2)
    one = select(ranked(score), 0.6, variant="dkw", alpha=0.05, delta=0.1)
    margin = np.sqrt(np.log(2 / 0.1) / 800)
    expected = max(level for level in score if np.mean(score >= level) - margin >= 0.6)
    assert one is not None
    assert (one.lam1, one.tie) == (expected, 0.0)
    assert one.chosen.tolist() == (score >= expected).tolist()
    assert one.allowed == np.floor(401 * 0.05 * (np.mean(score >= expected) - margin) - 1)


def made_up(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw scores, whether a row has the event, and how strange its truth is: the more certain, the less."""
    generator = np.random.default_rng(seed)
    score = np.round(generator.random(n), 6)
    return score, generator.random(n) < 0.4, np.round(generator.random(n) * (1.2 - score), 6)


@pytest.mark.parametrize("alpha", [0.1, 0.3])
def test_rank_of_an_event_keeps_alpha_whichever_of_the_rows_is_the_fresh_one(alpha: float) -> None:
    """Each of 80 rows in turn is fresh, as exchangeable rows are: of those selected with the event alpha are lost."""
    score, event, lost = made_up(80, 7)
    missed, counted = 0, 0
    for fresh in range(80):
        others = np.arange(80) != fresh
        one = select(ranked(score[others], event=event[others]), 0.7, variant="rank", alpha=alpha, delta=0.05)
        assert one is not None
        lam2 = set_level(lost[others][one.counted], one.allowed)
        assert lam2 is not None
        if score[fresh] > one.lam1 and event[fresh]:
            missed, counted = missed + (lost[fresh] > lam2), counted + 1
    assert counted == event[np.argsort(-score)[: int(np.ceil(0.7 * 80))]].sum()
    assert alpha - 1 / counted < missed / counted <= alpha


@pytest.mark.parametrize("variant", ["dkw", "clopper_pearson"])
@pytest.mark.parametrize("seed", range(3))
def test_an_events_level_is_the_least_within_alpha_of_what_the_event_is_known_to_have(variant: str, seed: int) -> None:
    score, event, lost = made_up(700, seed)
    n, alpha, delta = 700, 0.1, 0.1
    one = select(ranked(score, event=event), 0.6, variant=variant, alpha=alpha, delta=delta)
    assert one is not None
    if variant == "dkw":
        low = np.mean((score >= one.lam1) & event) - np.sqrt(np.log(2 / delta) / (2 * n))
    else:  # half of delta for the coverage, half for the event's share of the rows above the last one selected
        k = int(one.chosen.sum())
        assert beta.ppf(delta / 2, k, n - k + 1) >= 0.6 > beta.ppf(delta / 2, k - 1, n - k + 2)
        above = int(np.sum((score > one.lam1) & event))
        low = beta.ppf(delta / 2, k, n - k + 1) * beta.ppf(delta / 2, above, k - above)
    assert one.event_low == pytest.approx(low)
    inside = (score >= one.lam1) & event
    assert one.counted.tolist() == inside.tolist()
    within = [lam for lam in [0.0, *lost] if np.sum(lost[inside] > lam) <= (n + 1) * alpha * low - 1]
    assert set_level(lost[one.counted], one.allowed) == min(within)


def test_an_event_that_nobody_selected_has_promises_nothing() -> None:
    score = np.linspace(0.1, 0.9, 400)
    for variant in ("rank", "dkw", "clopper_pearson"):
        one = select(ranked(score, event=score < 0.2), 0.6, variant=variant, alpha=0.1, delta=0.1)
        assert one is not None
        assert one.allowed < 0


@pytest.mark.parametrize("variant", ["rank", "dkw", "clopper_pearson"])
def test_a_coverage_that_nothing_reaches_is_none(variant: str) -> None:
    assert select(ranked(np.linspace(0, 1, 12)), 0.99, variant=variant, alpha=0.05, delta=0.05) is None


def test_the_jitter_alone_parts_equal_scores_and_its_seed_counts() -> None:
    score = np.full(1000, 0.75)
    chosen = []
    for seed in (1, 2):
        one = select(ranked(score, seed), 0.4, variant="rank", alpha=0.05, delta=0.05)
        assert one is not None
        assert (one.lam1, one.chosen.sum()) == (0.75, 401)  # k = ceil(.4 * 1001)
        assert 0.5 < one.tie < 0.7
        chosen.append(one.chosen)
    assert (chosen[0] != chosen[1]).any()


def test_float_noise_does_not_part_equal_scores() -> None:
    noise = np.random.default_rng(0).uniform(-1e-13, 1e-13, 1000)
    first = select(ranked(np.full(1000, 0.75)), 0.4, variant="rank", alpha=0.05, delta=0.05)
    second = select(ranked(0.75 + noise), 0.4, variant="rank", alpha=0.05, delta=0.05)
    assert first is not None
    assert second is not None
    assert (first.chosen == second.chosen).all()
    assert (first.lam1, first.tie) == (second.lam1, second.tie)


def test_rows_that_repeat_their_group_count_once() -> None:
    generator = np.random.default_rng(3)
    score, group = np.repeat(generator.random(80), 5), pd.Series(np.repeat(np.arange(80), 5)).astype(str)
    names = pd.Series([f"s{index}" for index in range(400)])
    everyone = np.ones(400, dtype=bool)
    alike = rank(score, names, group, everyone, unit="group", seed=1)
    assert alike.spread == pytest.approx(5, rel=0.05)
    assert rank(score, names, group, everyone, unit="row", seed=1).spread == 1.0
    apart = rank(generator.random(400), names, group, everyone, unit="group", seed=1)
    assert apart.spread < 1.5
    of_groups = rank(generator.random(400), names, group, np.arange(400) < 200, unit="group", seed=1)
    assert of_groups.spread > 2  # scores differ within groups, whether a row has the event does not
    one = select(alike, 0.8, variant="clopper_pearson", alpha=0.05, delta=0.05)
    assert one is not None
    assert one.chosen.sum() / 5 == pytest.approx(
        next(k for k in range(1, 81) if beta.ppf(0.05, k, 81 - k) >= 0.8), abs=1
    )


def test_the_smallest_lam2_leaves_out_no_more_than_allowed() -> None:
    lost = np.array([0.1, 0.9, 0.4, 0.4, 0.2])
    assert [set_level(lost, allowed) for allowed in range(6)] == [0.9, 0.4, 0.4, 0.2, 0.1, 0.0]
    assert set_level(np.zeros(0), 0) == 0.0


@pytest.mark.parametrize(
    "alpha", [0.021, 0.1, 0.33]
)  # none of them a multiple of 1 / 151, where mapie wants less still
def test_a_level_for_all_rows_is_mapies_conformal_risk_control(alpha: float) -> None:
    lost = np.round(np.random.default_rng(4).random(150), 6)
    levels = np.sort(lost)
    losses = (lost[:, None] > levels[None, :]).astype(float)
    _, bound = get_r_hat_plus(losses, levels, "crc", None, None, None)
    expected = find_best_predict_param(levels, bound, np.array([alpha]))
    assert set_level(lost, int(np.floor(151 * alpha - 1))) == expected.item()
