"""Write the index of all pages: the verdict and headline numbers of each model, with a link, and of each system.

Reads   metrics/M/{gate,test}.json of every model that has been judged, metrics/S/{gate,counts}.json of every system
Writes  reports/index.html
Fails   when one of them is not of its form; without a judged model the page says so
"""

from pathlib import Path
from typing import Any

from vouch import io, paths
from vouch.evaluation.gates.metrics_files import Measured, read
from vouch.release.verdict import is_of_system, open_system_verdict, open_verdict
from vouch.report.index import index
from vouch.stages import main


def run() -> None:
    """Write the index."""
    judged = sorted(path.parent.name for path in Path("metrics").glob("*/gate.json"))
    entries = [_system(name) if is_of_system(name) else _model(name) for name in judged]
    io.write_text(Path("reports/index.html"), index(entries))


def _model(name: str) -> dict[str, Any]:
    measured = read(paths.metrics(name, "test"), Measured, remedy=f"run `dvc repro gate@{name}`")
    return {"name": name, "address": f"{name}/index.html", "gate": open_verdict(name), "test": measured}


def _system(name: str) -> dict[str, Any]:
    measured = read(paths.metrics(name, "counts"), Measured, remedy=f"run `dvc repro gate_system@{name}`")
    return {"name": name, "address": f"{name}/index.html", "gate": open_system_verdict(name), "test": measured}


if __name__ == "__main__":
    main(run)
