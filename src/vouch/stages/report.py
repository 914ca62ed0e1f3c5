"""Write the page of one model: the verdict first, then what it stands on.

Reads   metrics/M/{gate,test,comparison,calibration,export}.json, models/M/{policy,calibrator}.json, plots/M/test/,
        plots/T/train.csv of the model T that was trained, metrics/D/data.json, data/splits/D/, data/manifests/D/,
        data/sources/D/ (pictures of mistakes)
Writes  reports/M/index.html
Fails   when a metric of test.json lacks its table, or a mistake names a photograph that is not there
"""

from pathlib import Path

import pandas as pd
from PIL import Image

from vouch import io, paths
from vouch.report.evidence import PLOTS, Evidence, Picture, check_plots, numbers
from vouch.report.page import page
from vouch.report.pictures import KINDS, Mistake, data_uri, words, worst
from vouch.splits import contract
from vouch.stages import main
from vouch.vision.preprocess import read_image


def run(model: str, dataset: str, trained: str, baseline: str) -> None:
    """Write the page of model M on data set D, with the curve of the model that was trained; `baseline` is a path."""
    samples = io.read_table(paths.manifest(dataset, "samples"))
    plots = _plots(model)
    evidence = Evidence(
        model=model,
        dataset=dataset,
        trained=trained,
        baseline=baseline,
        **{name: io.read_json(paths.metrics(model, name)) for name in ("gate", "test", "comparison", "calibration")},
        export=io.read_json(paths.metrics(model, "export")),
        data=io.read_json(paths.metrics(dataset, "data")),
        policy=io.read_json(paths.model(model, "policy.json")),
        calibrator=io.read_json(paths.model(model, "calibrator.json")),
        training=numbers(io.read_table(paths.plots(trained, "train.csv"))),
        plots=plots,
        samples=samples,
        boxes=io.read_table(paths.manifest(dataset, "boxes")),
        splits={name: contract.read_split(dataset, name, purpose="describe") for name in paths.SPLITS},
        pictures=_pictures(plots, samples),
    )
    check_plots(evidence.test, plots, f"plots/{model}/test")
    io.write_text(paths.report(model) / "index.html", page(evidence))


def _plots(model: str) -> dict[str, pd.DataFrame]:
    files = {name: paths.plots(model, "test") / f"{name}.csv" for name in PLOTS}
    return {name: numbers(io.read_table(path)) for name, path in files.items() if path.is_file()}


def _pictures(plots: dict[str, pd.DataFrame], samples: pd.DataFrame) -> tuple[Picture, ...]:
    if "misses" not in plots:
        return ()
    return tuple(_picture(mistake) for kind in KINDS for mistake in worst(plots["misses"], samples, kind))


def _picture(mistake: Mistake) -> Picture:
    photograph = Image.fromarray(read_image(Path(mistake.image))[..., ::-1])  # decoded as predict decodes it, BGR
    return Picture(data_uri(photograph, mistake), words(mistake), mistake.kind)


if __name__ == "__main__":
    main(run)
