"""May it be released, by which rules, compared with what, and under which policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vouch.errors import plural
from vouch.evaluation.gates.judging import unresolved
from vouch.evaluation.gates.metrics_files import at_least_p, family
from vouch.evaluation.gates.rules import ASKED
from vouch.evaluation.metrics.definitions.metric import OVERALL
from vouch.report.formatting import BOUNDS, NO_EVIDENCE, OPERATORS, in_order, metric, number, percent, stratum

Json = Mapping[str, Any]
STATUSES = {  # the order of the table: what needs a decision comes first
    "failed": ("✗", "failed"),
    "no_evidence": ("?", NO_EVIDENCE),
    "waived": ("⚑", "waived"),
    "warning": ("!", "warning"),
    "passed": ("✓", "passed"),
}
SOURCES = {
    "comparison": "{}, change since the baseline",
    "by_group": "{}, by group over train and val_select",
    "facings": "{}, by shelf row",
}
MEASURED = ("test", "counts")  # what the first table of a page is: of a model, of a system
VERDICTS = {  # of a comparison, with the status whose colour and sign it takes
    "better": ("passed", "✓ better"),
    "not_worse": ("passed", "✓ not worse"),
    "unknown": ("warning", "? unknown"),
    "few_groups": ("warning", "? too few groups"),
    "worse": ("failed", "✗ worse"),
}
BLOCKING = ("failed", "no_evidence")


@dataclass(frozen=True)
class Rule:
    """One rule of the gate in words."""

    name: str
    kind: str
    status: str
    title: str
    where: str
    observed: str
    limit: str
    judged: str
    n_groups: str
    again: str
    reason: str
    waiver: str
    resolution: str

    @property
    def symbol(self) -> str:
        """The status as a sign that does not depend on colour."""
        return STATUSES[self.status][0]

    @property
    def word(self) -> str:
        """The status in words."""
        return STATUSES[self.status][1]


def rules(gate: Json) -> list[Rule]:
    """Return every rule in words, failed ones first, then by name."""
    order = list(STATUSES)
    power = gate["power"]["by_rule"]
    found = [_rule(name, rule, power.get(name, {}).get("again")) for name, rule in gate["rules"].items()]
    return sorted(found, key=lambda rule: (order.index(rule.status), rule.name))


def status(rule: Json) -> str:
    """Return passed, warning, waived, no_evidence or failed: what a reader must know about one rule."""
    if rule["passed"]:
        return "passed"
    if rule["severity"] != "block":
        return "warning"
    if rule.get("waived_until"):
        return "waived"
    return "no_evidence" if "evidence" in rule["reason"].partition(":")[0] else "failed"


def on_test(gate: Json) -> list[Json]:
    """Return the rules that judge test.json, or a system's counts.json; others judge data, export or the comparison."""
    return [rule for rule in gate["rules"].values() if rule["source"] in MEASURED]


def _rule(name: str, rule: Json, again: float | None) -> Rule:
    return Rule(
        name=name,
        kind=rule["kind"],
        status=status(rule),
        title=SOURCES.get(rule["source"], "{}").format(metric(rule["metric"]).title),
        where=stratum(rule["stratum"]),
        observed=_observed(rule),
        limit=_limit(rule),
        judged=BOUNDS[rule["bound"]],
        n_groups=number(rule["n_groups"]) if rule.get("n_groups") is not None else "–",
        again="–" if again is None else percent(again),
        reason=rule["reason"],
        waiver=f"until {rule['waived_until']}: {rule['waiver_reason']}" if rule.get("waived_until") else "",
        resolution=unresolved(rule),
    )


def _observed(rule: Json) -> str:
    value = rule["observed"]
    if rule["bound"] != "verdict" or value is None:
        return number(value)
    return {-1.0: "worse", 0.0: "neither", 1.0: "better"}[value]


def _limit(rule: Json) -> str:
    if rule["bound"] == "verdict":
        return ASKED[rule["limit"]]
    return f"{OPERATORS[rule['op']]} {number(rule['limit'])}"


def sentence(gate: Json, test: Json) -> str:
    """Return the verdict as one sentence with its counts."""
    counts = {name: 0 for name in STATUSES}
    for rule in gate["rules"].values():
        counts[status(rule)] += 1
    total = len(gate["rules"])
    if not total:
        return f"There is no rule, so nothing was judged. {_support(test)}"
    broken = counts["failed"] + counts["no_evidence"]
    held = f"{counts['passed']} of {total} rules hold"
    parts = [f"{broken} of {total} rules do not hold" if broken else held]
    parts[0] += f" ({counts['no_evidence']} for want of evidence)" if counts["no_evidence"] else ""
    parts += [f"{counts['waived']} waived"] if counts["waived"] else []
    parts += [f"{counts['warning']} only warned about"] if counts["warning"] else []
    parts += ["none of them blocks"] if all(rule["severity"] != "block" for rule in gate["rules"].values()) else []
    return f"{', '.join(parts)}. {_support(test)}"


def sight(gate: Json) -> str:
    """Return what the gate can see, as one sentence, its word first where it sees too little."""
    power = gate["power"]
    weak = "Underpowered: a" if power["underpowered"] else "A"
    return (
        f"{weak} model with every truth {power['beyond']:g} beyond its limit passes the rules on val_test in "
        f"{percent(power['compliant'])} of draws of its groups. Fresh groups pass this model in "
        f"{percent(power['passes'])} of draws, were its truths what was observed."
    )


def _support(test: Json) -> str:
    """Say on how much the verdict stands: the largest support of a metric of the whole set."""
    cells = [strata["all"] for strata in test.values() if "all" in strata]
    groups = max((cell["n_groups"] for cell in cells), default=0)
    counted = f"{number(groups)} {plural('group', groups)}"
    return f"Judged on val_test, {counted} that shaped nothing; intervals resample groups."


def compared(comparison: Json) -> dict[str, Any]:
    """Return the comparison's verdict over all metrics, its rows for the whole set, and those for single strata."""
    rows = [
        {"metric": metric(name).title, "where": where, "least": at_least_p(one), **one}
        for name in in_order(comparison)
        if name != OVERALL
        for where, one in sorted(comparison[name].items())
    ]
    return {
        "verdict": comparison.get(OVERALL, {}).get("all", {}).get("verdict"),
        "family": family(comparison),
        "whole": [row for row in rows if row["where"] == "all"],
        "strata": [row for row in rows if row["where"] != "all"],
    }
