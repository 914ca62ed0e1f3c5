"""What the splits alone say of a model's verdict, before anything is trained: rules and certificates out of reach.

Whatever is called out of reach here is so for every model: were each photograph answered, and each answer right, the
groups at hand would still be too few. The opposite is no promise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.calibration.fit.params import Scalar
from vouch.calibration.fit.scalar_selection import shortage
from vouch.evaluation.gates.power import Subject, World, chance
from vouch.evaluation.gates.rules import Rule, verdicts_of
from vouch.evaluation.metrics.shares import lower_bound
from vouch.evaluation.metrics.strata import ALL, CLASS
from vouch.policies.fit.operating_point import OperatingPoint, RecallObjective
from vouch.policies.fit.params import Exits
from vouch.policies.fit.risk_test import cases_of, judge, shortfall
from vouch.policies.fit.scrc import Scrc
from vouch.policies.fit.unknown_risk import OpenSet
from vouch.tables import STRATUM, products_of
from vouch.tasks import ByTask, Task

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

FROM_A_MODEL = ("test", "comparison")  # sources of rules that only a model's answers decide
BY_TRUTH = ByTask(  # metrics whose rows are known from labels alone; a false alarm adds rows to every other one
    detect=frozenset({"recall"}),
    classify=frozenset({"accuracy", "coverage", "accuracy_on_exits", "fnr_on_exits", "fpr_on_exits"}),
    identify=frozenset({"top1", "known_accept_rate", "unknown_false_accept_rate"}),
)
OF_POSITIVES = {"fnr_on_exits": True, "fpr_on_exits": False}  # whose rows are of the positive class, or of the others
OF_KNOWN = {  # whose rows are of products that train holds, or of the others
    **{"top1": True, "known_accept_rate": True},
    **{"unknown_false_accept_rate": False},
}
AXES = (("x", "width"), ("y", "height"))
SMALL_PX = 8  # shorter side of a box on the canvas: one cell of the finest grid that common detectors answer on


@dataclass(frozen=True)
class Outlook:
    """One verdict of a gate, or one certificate, as the splits alone decide it."""

    name: str
    groups: int  # at most so many can support it
    needed: int | None  # groups; None where more than their number decides
    why: str  # it is out of reach for every model; empty: it is not
    blocks: bool


def labelled(samples: pd.DataFrame, boxes: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return one row for each labelled decision: `sample_id`, `group`, `stratum_*`, `class_true`.

    Of an embedder those are its crops. Of a detector those are its boxes, and a photograph without one is a row without
    a class.

    Parameters
    ----------
    samples : table
        The photographs of a split, with `group`, `label` and strata.
    """
    if task == "identify":
        named = boxes.assign(class_true=products_of(boxes))
        crops = samples.merge(named[["sample_id", "class_true"]].dropna(), on="sample_id", how="left")
        return crops.assign(class_true=crops["class_true"].fillna(crops["label"])).dropna(subset="class_true")
    if task == "classify":
        return samples.rename(columns={"label": "class_true"}).dropna(subset="class_true")
    held = boxes[["sample_id", "class_name"]].rename(columns={"class_name": "class_true"})
    return samples.merge(held, on="sample_id", how="left")


def of_rules(
    rules: Mapping[str, Rule],
    rows: pd.DataFrame,
    *,
    required: Mapping[str, Sequence[str]],
    waived: frozenset[str],
    task: Task,
    positive: str | None,
    world: World,
) -> list[Outlook]:
    """Return each verdict on a model's answers, in the order of the gate's, with the groups that can support it.

    Parameters
    ----------
    rows : table
        Of val_test, as `labelled` returns them, of an embedder as `unknown_left_out` does.
    waived : set of str
        Rules, or verdicts by their full names, that may fail.
    world : World
        Its correlation is the least that the policy will assume.
    """
    found = []
    for name, (rule, stratum) in verdicts_of(rules, required).items():
        if rule.source not in FROM_A_MODEL:
            continue
        of_truth = rule.metric in BY_TRUTH[task]
        inside = rows[
            _inside(rows, stratum, rule.metric, positive if of_truth else None, by_class=of_truth or task == "classify")
        ]
        found.append(_outlook(name, rule, inside, world if of_truth else None, waived))
    return found


def of_counts(
    rules: Mapping[str, Rule], samples: pd.DataFrame, *, required: Mapping[str, Sequence[str]], waived: frozenset[str]
) -> list[Outlook]:
    """Return each verdict on a system's counts, in the order of the gate's, with the groups that can support it.

    Parameters
    ----------
    samples : table
        The photographs of val_test, with `group` and strata: each has a count of every product, if only none.
    waived : set of str
        As of `of_rules`.
    """
    return [
        _outlook(name, rule, samples[_inside(samples, stratum, rule.metric, None, by_class=False)], None, waived)
        for name, (rule, stratum) in verdicts_of(rules, required).items()
    ]


def _outlook(name: str, rule: Rule, rows: pd.DataFrame, world: World | None, waived: frozenset[str]) -> Outlook:
    """Return one verdict on the rows that can support it; `world` where those rows are known."""
    sizes = _sizes(rows)
    may_fail = bool(waived & {name, name.partition("[")[0]})
    blocks = rule.severity == "block" and not may_fail
    return Outlook(name, len(sizes), rule.min_groups, _why(rule, sizes, world), blocks)


def _sizes(rows: pd.DataFrame) -> FloatArray:
    return np.bincount(pd.factorize(rows["group"], sort=True)[0]).astype(np.float64)


def _inside(rows: pd.DataFrame, stratum: str, metric: str, positive: str | None, *, by_class: bool) -> BoolArray:
    """Return the rows that can support a metric in a stratum; none of one that the data set does not have."""
    inside = np.ones(len(rows), dtype=bool)
    for part in [] if stratum == ALL else stratum.split(","):
        name, _, value = part.partition("=")
        if name != CLASS:
            inside &= (rows.get(STRATUM + name, pd.Series("", rows.index)) == value).to_numpy(dtype=bool)
        elif by_class:
            inside &= (rows["class_true"] == value).to_numpy(dtype=bool)
    if metric == "recall":
        inside &= rows["class_true"].notna().to_numpy(dtype=bool)
    if metric in OF_KNOWN:
        inside &= rows["class_true"].notna().to_numpy(dtype=bool) == OF_KNOWN[metric]
    if metric in OF_POSITIVES and positive is not None:
        inside &= (rows["class_true"] == positive).to_numpy(dtype=bool) == OF_POSITIVES[metric]
    return inside


def _why(rule: Rule, sizes: FloatArray, world: World | None) -> str:
    """Say why no model can pass, or nothing; `world` where the rows of the metric are known."""
    if len(sizes) < rule.min_groups:
        return "too few groups"
    if world is None or rule.source != "test":
        return ""
    about = Subject(rule, None, None, None, len(sizes), sizes)
    perfect = 1.0 if rule.op == ">=" else 0.0
    if chance(about, perfect, world, factor=1, draws=1) == 0:
        return "too few groups for this bound, were every answer right"
    return ""


def unknown_left_out(rows: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Return crops as an embedder's rows have them: without `class_true` where train holds no crop of the product.

    Parameters
    ----------
    rows, train : table
        Of a split and of train, as `labelled` returns them.
    """
    known = rows["class_true"].isin(train["class_true"].unique())
    return rows.assign(class_true=rows["class_true"].where(known))


def of_calibrator(rows: pd.DataFrame, asked: object) -> str:
    """Say why scores will stay raw, as far as labels show; nothing where they will not, or there is a logit a class.

    A detector learns from its predictions: as many as there are labelled boxes, were each found and no alarm false. Of
    an embedder crops of products that train lacks teach nothing.

    Parameters
    ----------
    rows : table
        Of val_select, as `labelled` returns them, of an embedder as `unknown_left_out` does.
    asked : section
        One of the kinds of calibrator.
    """
    why = shortage(rows.dropna(subset="class_true"), asked) if isinstance(asked, Scalar) else None
    return f"as far as labels show, val_select is too small for a calibrator, and scores stay raw: {why}" if why else ""


def of_certificates(rows: pd.DataFrame, asked: object) -> list[Outlook]:
    """Return what models.M.decide wants certified on val_calib; nothing where it asks for no certificate.

    Parameters
    ----------
    rows : table
        Of val_calib, as `labelled` returns them, of an embedder as `unknown_left_out` does.
    asked : section
        One of the kinds of policy.
    """
    if isinstance(asked, Scrc) and asked.guarantee != "certified":
        return []
    if isinstance(asked, Exits):
        return [_of_exits(rows, asked)]
    if isinstance(asked, OperatingPoint) and isinstance(asked.objective, RecallObjective):
        return _of_recall(rows, asked, asked.objective)
    return [_of_unknown(rows, asked)] if isinstance(asked, OpenSet) else []


def _of_unknown(rows: pd.DataFrame, asked: OpenSet) -> Outlook:
    """Judge the unknown crops as decide does, were none of them accepted."""
    unknown = rows[rows["class_true"].isna()]
    name, sizes = "certificate of unknown products", _sizes(unknown)
    if not len(unknown):
        return Outlook(name, 0, None, "no product that train lacks, so none is unknown", blocks=True)
    if asked.bound != "high":
        return Outlook(name, len(sizes), None, "", blocks=True)
    least = lower_bound(sizes, sizes, correlation=asked.intraclass_floor, tail=asked.delta_each)
    most = asked.max_unknown_accept
    why = f"were none of them accepted, the share of accepted ones might be {1 - least:.3f}, more than {most:g}"
    return Outlook(name, len(sizes), None, why if 1 - least > most else "", blocks=True)


def _of_exits(rows: pd.DataFrame, asked: Exits) -> Outlook:
    """Judge the exits as decide does, were every case answered and none missed.

    Nor does any correlation count: without a miss it would be 1, a group worth one case, and yet misses outside the
    exits that are scattered over groups show a smaller one.
    """
    cases = replace(cases_of(rows.assign(class_pred=rows["class_true"]), asked.positive), correlation=0.0)
    finding = judge(cases, np.ones(len(rows), dtype=bool), asked, delta=asked.delta_rule)
    why = "" if finding.certified else shortfall([finding], asked, delta=asked.delta_rule)
    return Outlook("certificate of the exits", finding.groups, None, why, blocks=True)


def _of_recall(rows: pd.DataFrame, asked: OperatingPoint, objective: RecallObjective) -> list[Outlook]:
    """Judge each class as decide does, were every truth found."""
    truths = rows[rows["class_true"].notna()]
    if objective.bound != "low":
        return []
    parts = truths.groupby("class_true") if objective.level == "class" else [("all", truths)]
    found = []
    for name, part in parts:
        sizes = _sizes(part)
        least = lower_bound(sizes, sizes, correlation=asked.intraclass_floor, tail=objective.delta_each)
        why = f"were every truth found, its recall would be {least:.3f} at least" if least < objective.target else ""
        found.append(Outlook(f"certificate of recall, {name}", len(sizes), None, why, blocks=True))
    return found


def small_boxes(boxes: pd.DataFrame, samples: pd.DataFrame, size_px: int) -> pd.DataFrame:
    """Return for each class, the worst first, how many boxes have a shorter side under 8 pixels on the canvas.

    Parameters
    ----------
    samples : table
        `sample_id`, and `width` and `height` in pixels, upright.
    size_px : int
        Side of the square canvas that the longer side is fitted into.

    Returns
    -------
    table
        `class_name`, `boxes`, `small`.
    """
    placed = boxes.merge(samples[["sample_id", "width", "height"]], on="sample_id")
    wide_px, high_px = ((placed[f"{axis}2"] - placed[f"{axis}1"]) * placed[side] for axis, side in AXES)
    shorter_px = np.minimum(wide_px, high_px) * size_px / np.maximum(placed["width"], placed["height"])
    small = np.asarray(shorter_px < SMALL_PX, dtype=np.intp)
    table = pd.DataFrame({"class_name": placed["class_name"], "boxes": 1, "small": small})
    counted = table.groupby("class_name", as_index=False)[["boxes", "small"]].sum()
    worst = np.argsort(-(counted["small"] / counted["boxes"]).to_numpy(), kind="stable")
    return counted.iloc[worst].reset_index(drop=True)
