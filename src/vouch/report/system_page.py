"""The page of a system: its verdict, its counts by product and stratum, and the photographs that were worst."""

from dataclasses import dataclass

import pandas as pd

from vouch.report import counting, strata, verdict
from vouch.report.evidence import Json, Picture
from vouch.report.headlines import headlines
from vouch.report.templates import ENVIRONMENT


@dataclass(frozen=True)
class SystemEvidence:
    """Everything that the page of one system may say."""

    system: str
    dataset: str
    detector: str
    identifier: str
    gate: Json
    measured: Json  # counts.json
    facings: Json  # the same by shelf row; empty where boxes state no rows
    comparison: Json
    counts: pd.DataFrame
    pictures: tuple[Picture, ...]


def system_page(evidence: SystemEvidence) -> str:
    """Return the HTML of one system's page: one file, nothing fetched, no script, every value escaped."""
    measured, gate = evidence.measured, evidence.gate
    whole, rules = counting.of_strata(measured), verdict.rules(gate)
    return ENVIRONMENT.get_template("system.html.j2").render(
        **{name: getattr(evidence, name) for name in ("system", "dataset", "detector", "identifier", "pictures")},
        passed=gate["passed"],
        sight=verdict.sight(gate),
        weakness=verdict.sight(gate) if gate["power"]["underpowered"] else "",
        compared=verdict.compared(evidence.comparison),
        sentence=verdict.sentence(gate, measured),
        rules=rules,
        bounds=[rule for rule in rules if rule.kind == "bound"],
        checks=[rule for rule in rules if rule.kind == "sanity check"],
        broken=[rule for rule in rules if rule.status in verdict.BLOCKING],
        headlines=headlines(measured, evidence.comparison),
        products=counting.products(evidence.counts, measured),
        by_row=counting.by_row(evidence.facings, measured),
        table=strata.table(whole, gate),
        dots=strata.figures(whole, gate),
        crossed=strata.crossed(whole, gate),
    )
