"""Judge a data set: photographs, labels, duplicates, coverage; say what is set aside and what belongs together.

Reads       data/manifests/D/{samples,boxes}.parquet, data/quality/D/scan.parquet
Writes      data/quality/D/{issues,clusters}.parquet, metrics/D/data.json
Fails when  a check of severity `block` finds anything: every finding is listed and nothing is written; or coverage
asks for a class or value that the data set does not declare
"""

import sys
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from vouch import io, paths
from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.params import Section, load, read_value
from vouch.quality import checks
from vouch.quality.coverage import Coverage, Required
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
    classes, strata = (read_value("datasets", dataset, "ingest", key) for key in ("classes", "strata"))
    required = Required(params.coverage, tuple(classes), strata)
    refuse_any(ParamsError, _undeclared(required, dataset))
    found = validate(
        io.read_table(paths.manifest(dataset, "samples")),
        io.read_table(paths.manifest(dataset, "boxes")),
        io.read_table(paths.quality(dataset, "scan")),
        thresholds=params.thresholds,
        severity=params.severity,
        required=required,
    )
    refuse_any(DataError, checks.problems(found.issues))
    io.write_table(paths.quality(dataset, "issues"), found.issues)
    io.write_table(paths.quality(dataset, "clusters"), found.clusters)
    io.write_json(paths.metrics(dataset, "data"), found.figures)
    sys.stderr.write(checks.summarise(found.issues) + "\n")


def _undeclared(required: Required, dataset: str) -> Iterator[Problem]:
    """Say what coverage asks for that the data set does not have at all."""
    where = f"params.yaml: datasets.{dataset}.validate.coverage.of_classes"
    for name in required.faults():
        yield Problem(where, f"what datasets.{dataset}.ingest declares", name, "correct either")


if __name__ == "__main__":
    main(run)
