"""The policy and the calibration in words: what is accepted, what that guarantees, and what calibration changed."""

from collections.abc import Mapping
from typing import Any

from vouch.errors import plural
from vouch.evaluation.metrics.definitions.metric import BEFORE
from vouch.evaluation.metrics.strata import ALL
from vouch.report.formatting import BOUNDS, in_order, metric, number

Json = Mapping[str, Any]
TABLED = ("kind", "guarantee", "feasible", "thresholds", "evidence", "infeasible")  # what a page says elsewhere
LISTED = ("calibration", "evidence unknown_products")  # numbers by product: the certificate tells the worst
FACTS = {  # in the order of the page; a nested parameter goes by both names
    "alpha": "Largest risk allowed (alpha)",
    "delta": "Chance of a promise that does not hold (delta)",
    "positive": "Class whose misses count",
    "objective metric": "Chosen by",
    "objective target": "Target",
    "objective bound": "What has to reach it",
    "objective level": "Thresholds are for",
    "objective strata": "Recall is told for each",
    "objective min_truths": "Fewest labels for that",
    "objective guarantee": "Guarantee asked for",
    "objective unit": "What counts as one observation",
    "objective walks": "Walks of this val_calib that share delta, as declared",
    "objective steps": "Rules tried, strict to loose",
    "objective xi": "Share to select, as asked (xi)",
    "xi": "Share to select, as taken (xi)",
    "score": "Selected by",
    "variant": "Recipe of the selection",
    "threshold": "Answered from here on",
    "lam1": "Selected from here on (lam1)",
    "tie": "Of equal ones, those with a jitter from here on",
    "jitter_seed": "Seed of the jitter",
    "objective event": "Sets are bounded for rows that are",
    "objective levels": "Levels of sets that could be certified",
    "lam2": "Level of sets (lam2): they hold classes from 1 − lam2 on",
    "evidence lam2_recipe": "Level that the recipe alone asks for",
    "rule": "How unknown products are told from known ones",
    "similarity": "Named from this similarity to the nearest product on",
    "margin": "And from this much more than to the second one on",
    "p": "Named from this p-value of the nearest product on",
    "objective step": "Thresholds tried are multiples of",
    "objective margins": "Margins that could be certified",
    "intraclass_correlation": "Correlation of two photographs of a group that intervals allow for",
    "evidence n": "Labelled photographs of val_calib",
    "evidence selected": "Selected among them",
    "evidence selected_low": "Share of fresh ones selected, at least",
    "evidence counted": "Selected ones of the class whose misses count",
    "evidence event_low": "Share of fresh ones like those, at least",
    "evidence allowed": "Selected ones that may have their truth outside the set",
    "evidence exits": "Answered, with a set of one class",
    "evidence coverage": "Share answered",
    "evidence positives": "Answered ones of the class whose misses count",
    "evidence misses": "Of them not said right",
    "evidence groups": "Groups that they lie in",
    "evidence effective": "Independent photographs that they are worth",
    "evidence known": "Crops of known products on val_calib",
    "evidence known_accept_rate": "Share of them that get a name",
    "evidence known_right": "Of them named rightly",
    "evidence unknown": "Crops of unknown products on val_calib",
    "evidence unknown_groups": "Groups that the unknown ones lie in",
    "evidence unknown_effective": "Independent crops that the unknown ones are worth",
    "evidence unknown_accepted": "Unknown ones that get a name all the same",
    "evidence unknown_accept_high": "Upper bound of their share",
    "evidence bound": "Upper bound of the risk",
    "evidence bound_rows": "That bound, were all photographs independent",
    "evidence bound_groups": "That bound, with photographs of a group alike",
}
SAID = {  # values that are names
    ("objective unit", "row"): "a photograph",
    ("objective unit", "group"): "a photograph, less what it shares with its group",
    ("objective level", "class"): "each class",
    ("objective level", "all"): "all classes together",
    **{("objective bound", name): words for name, words in BOUNDS.items()},
}


def facts(policy: Json) -> list[tuple[str, str]]:
    """Return every other parameter of the policy in words with its value; one that has no words keeps its names.

    The evidence by class stands in a table of its own; that of an exit policy, which has one rule, stands here.
    """
    elsewhere = TABLED if "thresholds" in policy else tuple(key for key in TABLED if key != "evidence")
    found = [pair for key in policy if key not in elsewhere for pair in _flat(key, policy[key])]
    found = [pair for pair in found if not pair[0].startswith(LISTED)]
    order = {name: place for place, name in enumerate(FACTS)}
    found.sort(key=lambda pair: order.get(pair[0], len(order)))
    return [(FACTS.get(name, name.replace("_", " ")), _said(name, content)) for name, content in found]


def _flat(name: str, content: Any) -> list[tuple[str, Any]]:
    if isinstance(content, Mapping):
        return [pair for key, inner in content.items() for pair in _flat(f"{name} {key}", inner)]
    return [] if content is None else [(name, content)]


def _said(name: str, content: Any) -> str:
    if isinstance(content, list):
        return ", ".join(str(item) for item in content) or "none"
    if isinstance(content, float) or name.startswith("evidence "):
        return number(content)
    if name == "objective metric":
        return metric(content).title
    return SAID.get((name, content), str(content).replace("_", " "))


def certificate(policy: Json) -> str:
    """Return what certifies the exits and what that means, in words; empty for a policy that is not certified so."""
    evidence = policy["evidence"]
    if policy["guarantee"] == "certified" and policy["kind"] == "open_set":
        return _of_unknown(policy, evidence)
    if policy["guarantee"] != "certified" or "bound" not in evidence:
        return ""
    positive = policy["positive"]
    cases = evidence["exits"] if positive is None else evidence["positives"]
    groups, misses, unit = evidence["groups"], evidence["misses"], policy["objective"]["unit"]
    fault = "wrong answer" if positive is None else "miss"
    of = "" if positive is None else f" of {positive}"
    worth = f", worth {number(round(evidence['effective']))} independent ones" if unit == "group" else ""
    walks = policy["objective"]["walks"]
    level = policy["delta"] / walks / len(policy["objective"].get("levels", [None]))  # shared among the levels of lam2
    return (
        f"The certificate: {number(misses)} {plural(fault, misses)} among {number(cases)} answered "
        f"{plural('photograph', cases)}{of} in {number(groups)} {plural('group', groups)} of val_calib{worth}; "
        f"at level {level:.3g} the share of "
        f"{plural(fault, 2)} is at most {100 * evidence['bound']:.2f} %, and {100 * policy['alpha']:g} % are allowed. "
        f"A rule with a larger share is certified in at most {100 * policy['delta']:g} of 100 draws of val_calib: "
        f"{_exactness(unit)}, {_tried(walks)}. That holds for photographs like "
        "those of val_calib, all together and not in each stratum."
    )


def _of_unknown(policy: Json, evidence: Json) -> str:
    """Say what certifies that few unknown products get a name."""
    count, groups, walks = evidence["unknown"], evidence["unknown_groups"], policy["objective"]["walks"]
    level = policy["delta"] / walks / len(policy["objective"].get("margins", [None]))  # shared among the margins
    named = evidence["unknown_accepted"]
    worth = number(round(evidence["unknown_effective"]))
    return (
        f"The certificate: {number(named)} of {number(count)} unknown {plural('crop', count)} in {number(groups)} "
        f"{plural('group', groups)} of val_calib, worth {worth} independent ones, got a name"
        f"{_worst_product(evidence)}; at level {level:.3g} their share is at most "
        f"{100 * evidence['unknown_accept_high']:.2f} %, and {100 * policy['alpha']:g} % are allowed. Thresholds with "
        f"a larger share are certified in at most {100 * policy['delta']:g} of 100 draws of val_calib: approximately, "
        f"as simulated, because crops of a group are alike, {_tried(walks)}. That holds for the unknown products of "
        "val_calib, all together; how others fare only val_test shows."
    )


def _worst_product(evidence: Json) -> str:
    """Say which unknown product got a name most often; empty where nothing is told of each, or none got one."""
    told: Json = evidence.get("unknown_products", {})
    if not any(one["accepted"] for one in told.values()):
        return ""
    name = max(sorted(told), key=lambda name: told[name]["accepted"] / told[name]["n"])
    return f", most often {name} with {number(told[name]['accepted'])} of {number(told[name]['n'])}"


def _exactness(unit: str) -> str:
    """Say whether the level of the test is kept exactly; docs/decisions/007 has the simulation."""
    if unit == "row":
        return "exactly, as photographs are taken as independent"
    return "approximately, as simulated, because photographs of a group are alike"


def _tried(walks: int) -> str:
    """Say how many rules this val_calib may have been walked with for the level to hold, as a person declared it."""
    if walks == 1:
        return "if no other rule was tried on this val_calib before"
    return f"all {walks} declared walks of this val_calib together, which share delta"


def rows(policy: Json) -> list[dict[str, Any]]:
    """Return the threshold of each class with what val_calib says about it; none for a policy without thresholds."""
    nothing = {"recall": None, "low": None, "precision": None, "n_truths": 0, "n_groups": 0}
    return [
        {"name": name, "threshold": level, "reason": policy["infeasible"].get(name, "")}
        | nothing
        | {key: value for key, value in policy["evidence"].get(name, {}).items() if key in nothing}
        for name, level in policy.get("thresholds", {}).items()
    ]


def infeasible(policy: Json) -> str:
    """Return why the policy is infeasible, or for which classes; empty where nothing is."""
    reasons: Json = policy["infeasible"]
    return reasons["*"] if "*" in reasons else f"for {', '.join(sorted(reasons))}" if reasons else ""


def calibration(metrics: Json, calibrator: Json) -> dict[str, Any]:
    """Return each calibration metric of the whole set before and after, the methods chosen, and those left out."""
    whole = [name for name in in_order(metrics) if ALL in metrics[name]]  # others are of one class alone
    names = [name for name in whole if not name.endswith(BEFORE) and name + BEFORE in metrics]
    return {
        "methods": _methods(calibrator),
        "left_out": _left_out(calibrator),
        "rows": [
            {
                "name": name,
                "after": _of_all(metrics[name], "value"),
                "before": _of_all(metrics[name + BEFORE], "value"),
                "chance": _of_all(metrics[name], "expected_by_chance"),
            }
            for name in names
        ],
    }


def _of_all(strata: Json, key: str) -> float | None:
    value: float | None = strata.get(ALL, {}).get(key)
    return value


def _left_out(calibrator: Json) -> str:
    """Say which methods the rows could not teach, and what each would need; empty where all were tried."""
    reports: Json = calibrator.get("candidates", {})
    if "left_out" in reports or not reports:
        named = {"": reports}
    else:
        named = {" for all classes together": reports["global"]}
        named |= {f" for {name}": found for name, found in sorted(reports["classes"].items())}
    said = [_not_tried(where, found) for where, found in named.items() if found.get("left_out")]
    return " ".join(said)


def _not_tried(where: str, found: Json) -> str:
    needed = sorted(found["left_out"].items(), key=lambda pair: (pair[1]["rows"], pair[1]["events"], pair[0]))
    methods = ", ".join(f"{method} ({_whole(worth['rows'])}, {_whole(worth['events'])})" for method, worth in needed)
    return (
        f"Not tried{where}, for want of rows or of wrong ones (right ones, where those are fewer): {methods}; the rows "
        f"are worth {_whole(found['effective_rows'])} independent ones, {_whole(found['effective_events'])} of them of "
        "the rarer kind, and in brackets is what each method needs of both."
    )


def _whole(worth: float) -> str:
    return number(round(worth))


def _methods(calibrator: Json) -> str:
    if calibrator["kind"] == "multiclass":
        return f"{calibrator['map']['method']} for the probabilities of all classes together"
    overall = calibrator["global"]["method"]
    own: dict[str, list[str]] = {}
    for name, curve in calibrator.get("classes", {}).items():
        own.setdefault(curve["method"], []).append(name)
    parts = [f"{method} for {', '.join(sorted(names))}" for method, names in sorted(own.items())]
    return "; ".join([*parts, f"{overall} for every other class" if parts else f"{overall} for all"])
