"""What a model may ask of a policy, as a section of params.yaml would: one walk, rows independent of each other."""

from typing import Any, TypeVar

from vouch.params import Section, check
from vouch.policies.fit.operating_point import OperatingPoint
from vouch.policies.fit.scrc import Scrc
from vouch.policies.fit.threshold_sweep import Gate, Threshold
from vouch.policies.fit.unknown_risk import OpenSet

S = TypeVar("S", bound=Section)

EXITS = {"positive": "work", "alpha": 0.05, "delta": 0.05, "walks": 1, "unit": "row", "steps": 20}
EXITS |= {"intraclass_floor": 0.05}
RECIPE = {"score": "confidence", "variant": "rank", "guarantee": "certified", "event": "all"}
RECIPE |= {"xi": 0.6, "levels": (0.5, 0.7, 0.9), "jitter_seed": 1}


def threshold(**changes: Any) -> Threshold:
    return check(Threshold, {"kind": "threshold", **EXITS, **changes}, "decide")


def gate(**changes: Any) -> Gate:
    return check(Gate, {"kind": "gate", **EXITS, **changes}, "decide")


def scrc(**changes: Any) -> Scrc:
    return check(Scrc, {"kind": "scrc", **EXITS, **RECIPE, **changes}, "decide")


def operating_point(
    metric: str, level: str = "class", *, strata: tuple[str, ...] = (), min_truths: int = 1, floor: float = 0, **of: Any
) -> OperatingPoint:
    told = {"target": 0.9, "bound": "value", "walks": 1, **of}
    known = {"recall": ("target", "bound", "walks"), "precision": ("target",), "f1": ()}[metric]
    objective = {"metric": metric, "level": level, "delta": 0.05, **{name: told[name] for name in known}}
    content = {"kind": "operating_point", "objective": objective, "strata": strata}
    return check(OperatingPoint, {**content, "min_truths": min_truths, "intraclass_floor": floor}, "decide")


def open_set(rule: str, **changes: Any) -> OpenSet:
    of = {"kind": "open_set", "rule": rule, "max_unknown_accept": 0.05, "bound": "high", "delta": 0.05, "walks": 1}
    return check(OpenSet, {**of, "step": 0.005, "margins": (0.0, 0.1), "intraclass_floor": 0.05, **changes}, "decide")


def changed(section: S, **changes: Any) -> S:
    return check(type(section), {**section.model_dump(), **changes}, "decide")
