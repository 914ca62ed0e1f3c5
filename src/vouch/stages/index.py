"""Write the index of all pages: each model's verdict and headline numbers, with a link.

Reads   metrics/M/{gate,test}.json of every model that has been judged
Writes  reports/index.html
Fails   when one of them is not of its form; without a judged model the page says so
"""

from pathlib import Path

from vouch import io, paths
from vouch.evaluation.gates.metrics_files import Measured, read
from vouch.release.verdict import open_verdict
from vouch.report.index import index
from vouch.stages import main


def run() -> None:
    """Write the index."""
    judged = sorted(path.parent.name for path in Path("metrics").glob("*/gate.json"))
    models = [
        {
            "name": model,
            "address": f"{model}/index.html",
            "gate": open_verdict(model),
            "test": read(paths.metrics(model, "test"), Measured, remedy=f"run `dvc repro gate@{model}`"),
        }
        for model in judged
    ]
    io.write_text(Path("reports/index.html"), index(models))


if __name__ == "__main__":
    main(run)
