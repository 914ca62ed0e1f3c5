"""The page of one model: one file, nothing fetched, no script, every value escaped."""

from typing import Any

from vouch.policies.fit.usefulness import of_little_use
from vouch.report import balance, confusion, curves, formatting, policy, strata, verdict
from vouch.report.evidence import Evidence
from vouch.report.headlines import headlines
from vouch.report.quality import quality
from vouch.report.templates import ENVIRONMENT


def page(evidence: Evidence) -> str:
    """Return the HTML of one model's page, with a section for each table that `evidence.PLOTS` has for its task."""
    names = {name: getattr(evidence, name) for name in ("model", "dataset", "trained", "baseline")}
    sections = _judgement(evidence) | _measurement(evidence) | _material(evidence)
    return ENVIRONMENT.get_template("page.html.j2").render(**names, **sections)


def _judgement(evidence: Evidence) -> dict[str, Any]:
    """What decides: the verdict, the policy, and the change since the baseline."""
    rules = verdict.rules(evidence.gate)
    return {
        "passed": evidence.gate["passed"],
        "sentence": verdict.sentence(evidence.gate, evidence.test),
        "sight": verdict.sight(evidence.gate),
        "underpowered": evidence.gate["power"]["underpowered"],
        "rules": rules,
        "bounds": [rule for rule in rules if rule.kind == "bound"],
        "checks": [rule for rule in rules if rule.kind == "sanity check"],
        "broken": [rule for rule in rules if rule.status in verdict.BLOCKING],
        "policy": evidence.policy,
        "certificate": policy.certificate(evidence.policy),
        "policy_facts": policy.facts(evidence.policy),
        "policy_rows": policy.rows(evidence.policy),
        "policy_infeasible": policy.infeasible(evidence.policy),
        "policy_of_little_use": of_little_use(evidence.policy),
        "calibration": policy.calibration(evidence.calibration, evidence.calibrator),
        "guarantee": formatting.GUARANTEES.get(evidence.policy["guarantee"], evidence.policy["guarantee"]),
        "compared": verdict.compared(evidence.comparison),
    }


def _measurement(evidence: Evidence) -> dict[str, Any]:
    """What was measured on val_test: numbers, curves and pictures."""
    test, plots = evidence.test, evidence.plots
    return {
        "headlines": headlines(test, evidence.comparison),
        "by_group": strata.beside(evidence.by_group, test),
        "table": strata.table(test, evidence.gate),
        "dots": strata.figures(test, evidence.gate),
        "crossed": strata.crossed(test, evidence.gate),
        "precision_recall": curves.precision_recall(plots["pr"], test) if "pr" in plots else None,
        "reliability": curves.reliability(plots["reliability"]) if "reliability" in plots else [],
        "thresholds": curves.thresholds(plots["recall_by_confidence"], evidence.policy)
        if "recall_by_confidence" in plots
        else [],
        "risk_coverage": curves.risk_coverage(plots["risk_coverage"], test) if "risk_coverage" in plots else None,
        "oscr": curves.oscr(plots["oscr"], test) if "oscr" in plots else None,
        "similarity": curves.similarity(plots["similarity"], evidence.policy) if "similarity" in plots else None,
        "confusion": confusion.confusion(plots["confusion"], evidence.calibrator, test)
        if "confusion" in plots
        else None,
        "pictures": evidence.pictures,
    }


def _material(evidence: Evidence) -> dict[str, Any]:
    """What it was made of: data, splits, training, calibration, export."""
    return {
        "quality": quality(evidence.data),
        "balance": balance.balance(evidence.samples, evidence.boxes, evidence.splits),
        "training": curves.training(evidence.training),
        "parity": [
            {"name": name, "cell": evidence.export["metrics"][name]["all"]}
            for name in formatting.in_order(evidence.export["metrics"])
        ],
    }
