"""Write the page of one system: the verdict first, then its counts by product, and the photographs that were worst.

Reads   metrics/S/{gate,counts,facings,comparison}.json, data/predictions/S/{val_test,objects}.parquet, the gallery
        of models/{identifier}/bundle, data/manifests/D/samples.parquet, data/sources/D/ (pictures)
Writes  reports/S/index.html
Fails   when a counted photograph is not there, a file of metrics is not of its form, or the verdict is about other
        counts or another embedder
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from vouch import io, paths
from vouch.evaluation.gates.metrics_files import Comparison, Measured, read
from vouch.release.verdict import open_system_verdict, refuse_others
from vouch.report.counting import Miscount, caption, worst
from vouch.report.evidence import Picture
from vouch.report.pictures import counted_uri
from vouch.report.system_page import SystemEvidence, system_page
from vouch.retrieval.gallery_file import from_bytes
from vouch.splits import contract
from vouch.stages import main
from vouch.vision.counted_picture import draw_counted
from vouch.vision.images.source import File, read_image

CORNERS = ["x1", "y1", "x2", "y2"]


def run(name: str, dataset: str, detector: str, identifier: str) -> None:
    """Write the page of system S on data set D."""
    contract.allow("val_test", "describe")
    remedy, bundle = f"run `dvc repro gate_system@{name}`", paths.model(identifier, "bundle")
    gate = open_system_verdict(name)
    judged = {paths.counts(name): gate["judged"]["counts"]["candidate"]}
    judged[bundle / "manifest.json"] = gate["judged"]["files"]["bundle/identifier/manifest.json"]
    refuse_others(judged, remedy=f"run `dvc repro report_system@{name}`")
    measured, facings = (read(paths.metrics(name, file), Measured, remedy=remedy) for file in ("counts", "facings"))
    comparison = read(paths.metrics(name, "comparison"), Comparison, remedy=remedy)
    counts, objects = (io.read_table(path) for path in (paths.counts(name), paths.objects(name)))
    samples = io.read_table(paths.manifest(dataset, "samples"))
    products = from_bytes((bundle / paths.GALLERY).read_bytes(), str(bundle)).products
    evidence = SystemEvidence(
        **{"system": name, "dataset": dataset, "detector": detector, "identifier": identifier},
        gate=gate,
        measured=measured,
        facings=facings,
        comparison=comparison,
        counts=counts,
        pictures=tuple(_picture(one, objects, products) for one in worst(counts, samples)),
    )
    io.write_text(paths.report(name) / "index.html", system_page(evidence))


def _picture(miscount: Miscount, objects: pd.DataFrame, products: tuple[str, ...]) -> Picture:
    found = objects[objects["sample_id"] == miscount.sample_id]
    named = [product if known else None for product, known in zip(found["product"], found["known"], strict=True)]
    photograph = Image.fromarray(read_image(File(Path(miscount.image)))[..., ::-1])  # decoded as predict does, BGR
    boxes = found[CORNERS].to_numpy(np.float64)
    drawn = draw_counted(photograph, boxes, named, products=products, title=f"counts off by {miscount.off}")
    return Picture(counted_uri(drawn), caption(miscount), "miscount")


if __name__ == "__main__":
    main(run)
