"""Write the index of all pages: each model's verdict and headline numbers, with a link.

Reads   metrics/M/{gate,test}.json of every model that has been judged
Writes  reports/index.html
Fails   never: without a judged model the page says so
"""

from pathlib import Path

from vouch import io, paths
from vouch.report.page import index
from vouch.stages import main


def run() -> None:
    """Write the index."""
    judged = sorted(path.parent.name for path in Path("metrics").glob("*/gate.json"))
    models = [
        {
            "name": model,
            "address": f"{model}/index.html",
            "gate": io.read_json(paths.metrics(model, "gate")),
            "test": io.read_json(paths.metrics(model, "test")),
        }
        for model in judged
    ]
    io.write_text(Path("reports/index.html"), index(models))


if __name__ == "__main__":
    main(run)
