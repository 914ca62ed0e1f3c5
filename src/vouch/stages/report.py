"""Write the page of one model: the verdict first, then what it stands on.

Reads   pipeline.models.M.task, metrics/M/{gate,test,comparison,calibration,export}.json (and by_group.json),
        models/M/{policy,calibrator}.json, plots/M/test/, plots/T/train.csv of the model T that was trained,
        metrics/D/data.json, data/splits/D/, data/manifests/D/, data/sources/D/ (pictures of mistakes)
Writes  reports/M/index.html
Fails   when a table of the task is not there, a mistake names a photograph that is not there, a file of metrics is
        not of its form, or the verdict is about another calibrator or policy
"""

from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from pydantic import BaseModel

from vouch import io, paths
from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.gates.metrics_files import Comparison, Material, Measured, read
from vouch.release.verdict import judged_files, open_verdict, refuse_others
from vouch.report.evidence import PLOTS, Evidence, Picture, numbers
from vouch.report.page import page
from vouch.report.pictures import KINDS, Mistake, alt_text, data_uri, worst
from vouch.roads import task_of
from vouch.splits import contract
from vouch.stages import main
from vouch.tasks import Task
from vouch.vision.images.source import File, read_image

FORMS: dict[str, type[BaseModel]] = {
    "test": Measured,
    "comparison": Comparison,
    "calibration": Measured,
    "export": Material,
}


def run(model: str, dataset: str, trained: str, baseline: str, further: str) -> None:
    """Write the page of model M on data set D; `further` is by_group, or test where nothing is beside test.json."""
    samples = io.read_table(paths.manifest(dataset, "samples"))
    plots = _plots(model, task_of(model))
    remedy = f"run `dvc repro gate@{model}`"
    evidence = Evidence(
        model=model,
        dataset=dataset,
        trained=trained,
        baseline=baseline,
        gate=_verdict(model),
        **{name: read(paths.metrics(model, name), form, remedy=remedy) for name, form in FORMS.items()},
        by_group={} if further == "test" else read(paths.metrics(model, further), Measured, remedy=remedy),
        data=read(paths.metrics(dataset, "data"), Material, remedy=remedy),
        policy=io.read_json(paths.model(model, "policy.json")),
        calibrator=io.read_json(paths.model(model, "calibrator.json")),
        training=numbers(io.read_table(paths.plots(trained, "train.csv"))),
        plots=plots,
        samples=samples,
        boxes=io.read_table(paths.manifest(dataset, "boxes")),
        splits={name: contract.read_split(dataset, name, purpose="describe") for name in paths.SPLITS},
        pictures=tuple(_picture(mistake) for kind in KINDS for mistake in worst(plots["misses"], samples, kind)),
    )
    io.write_text(paths.report(model) / "index.html", page(evidence))


def _verdict(model: str) -> dict[str, Any]:
    """Return the verdict, when it is about the calibrator and the policy that the page shows beside it."""
    verdict = open_verdict(model)
    shown = {paths.model(model, name) for name in ("calibrator.json", "policy.json")}
    judged = judged_files(verdict, paths.model(model))
    refuse_others({path: judged[path] for path in shown}, remedy=f"run `dvc repro report@{model}`")
    return verdict


def _plots(model: str, task: Task) -> dict[str, pd.DataFrame]:
    files = {name: paths.plots(model, "test") / f"{name}.csv" for name in PLOTS[task]}
    remedy = f"run `dvc repro evaluate@{model}`"
    absent = [path for path in files.values() if not path.is_file()]
    refuse_any(DataError, [Problem(str(path), f"a table of a model to {task}", "none", remedy) for path in absent])
    return {name: numbers(io.read_table(path)) for name, path in files.items()}


def _picture(mistake: Mistake) -> Picture:
    photograph = Image.fromarray(read_image(File(Path(mistake.image)))[..., ::-1])  # decoded as predict decodes it, BGR
    return Picture(data_uri(photograph, mistake), alt_text(mistake), mistake.kind)


if __name__ == "__main__":
    main(run)
