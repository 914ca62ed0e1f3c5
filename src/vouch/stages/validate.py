"""Judge a data set: photographs, labels, duplicates, coverage; say what is set aside and what belongs together.

Reads       data/manifests/D/{samples,boxes}.parquet, data/quality/D/scan.parquet
Writes      data/quality/D/{issues,clusters}.parquet, metrics/D/data.json
Fails when  a check of severity `block` finds anything: every finding is listed and nothing is written
"""

import sys
from typing import Annotated

from pydantic import AfterValidator

from vouch import io, paths
from vouch.errors import DataError, refuse_any
from vouch.params import Section, load
from vouch.quality import checks
from vouch.quality.coverage import Coverage
from vouch.quality.validation import validate
from vouch.stages import main


def _complete(severity: dict[str, str]) -> dict[str, str]:
    checks.check_severities(severity)
    return severity


class Params(Section):
    """`datasets.D.validate`."""

    thresholds: checks.Thresholds
    severity: Annotated[dict[str, str], AfterValidator(_complete)]  # every check to block, quarantine or warn
    coverage: Coverage


def run(dataset: str) -> None:
    """Validate one data set."""
    params = load(Params, "datasets", dataset, "validate")
    found = validate(
        io.read_table(paths.manifest(dataset, "samples")),
        io.read_table(paths.manifest(dataset, "boxes")),
        io.read_table(paths.quality(dataset, "scan")),
        thresholds=params.thresholds,
        severity=params.severity,
        required=params.coverage,
    )
    refuse_any(DataError, checks.problems(found.issues))
    io.write_table(paths.quality(dataset, "issues"), found.issues)
    io.write_table(paths.quality(dataset, "clusters"), found.clusters)
    io.write_json(paths.metrics(dataset, "data"), found.figures)
    sys.stderr.write(checks.summarise(found.issues) + "\n")


if __name__ == "__main__":
    main(run)
