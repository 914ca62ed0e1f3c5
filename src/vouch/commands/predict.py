"""`vouch predict`: what a bundle says of a photograph, calibrated and decided."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from PIL import Image

from vouch import io, paths
from vouch.calibration.calibrator import confidence
from vouch.errors import BundleError, DataError, Problem
from vouch.policies.policy import accept
from vouch.release.opened import Opened, open_bundle
from vouch.vision import runtime
from vouch.vision.draw import caption, draw_boxes
from vouch.vision.preprocess import read_image
from vouch.vision.progress import shown

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
BATCH = 8


def predict(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")],
    images: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Draw the answer for one photograph.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every detection as CSV.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Another bundle than models/MODEL/bundle.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Draw what the policy does not accept too.")] = False,
) -> None:
    """Say what the model finds, with calibrated confidences, and what its policy accepts."""
    folder = bundle or paths.model(model, "bundle")
    found = detections(open_bundle(folder), _listed(images), str(folder))
    if csv is not None:
        io.write_table(csv, found)
    if output is not None:
        _draw(_listed(images), found if everything else found[found["accept"]], output)
    accepted = found[found["accept"]]
    for row in accepted.to_dict("records"):
        corners = ", ".join(f"{row[corner]:.0f}" for corner in ("x1", "y1", "x2", "y2"))
        typer.echo(f"{row['image']}: {row['class_pred']} {row['confidence']:.3f} at ({corners})")
    typer.echo(f"{len(accepted)} accepted of {len(found)} detections on {len(_listed(images))} photographs")


def detections(opened: Opened, images: list[Path], where: str) -> pd.DataFrame:
    """Return one row a detection: image, class_pred, score, confidence, accept, x1, y1, x2, y2 (pixels).

    Raises
    ------
    BundleError
        When the bundle is trivial: it would find nothing and say so of everything.
    """
    if opened.runtime is None or opened.postprocess is None:
        raise BundleError([Problem(where, "a trained bundle", "a trivial one", "run `dvc repro`, or name another")])
    found = runtime.detect(opened.runtime, images, opened.postprocess, batch=BATCH)
    rows = [
        (str(image), opened.classes[class_id], float(score), *(float(value) for value in box))
        for image, (one, _) in zip(images, shown(found, len(images), "predict"), strict=True)
        for class_id, score, box in zip(one.class_ids, one.scores, one.boxes_xyxy, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["image", "class_pred", "score", "x1", "y1", "x2", "y2"])
    sure = confidence(opened.calibrator, table["score"].to_numpy(float), table["class_pred"].to_numpy(object))
    table.insert(3, "confidence", sure)
    table.insert(4, "accept", accept(opened.policy, sure, table["class_pred"].to_numpy(object)))
    return table


def _listed(images: list[Path]) -> list[Path]:
    listed: list[Path] = []
    for image in images:
        inside = sorted(path for path in image.rglob("*") if path.suffix.lower() in SUFFIXES) if image.is_dir() else []
        listed += inside or [image]
    return listed


def _draw(images: list[Path], found: pd.DataFrame, output: Path) -> None:
    if len(images) != 1:
        got = f"{len(images)} photographs"
        raise DataError([Problem("--output", "one photograph to draw", got, "use --csv for many")])
    picture = Image.fromarray(read_image(images[0])[..., ::-1])
    names = [caption(name, sure) for name, sure in zip(found["class_pred"], found["confidence"], strict=True)]
    colours = pd.factorize(found["class_pred"], sort=True)[0]
    drawn = draw_boxes(picture, found[["x1", "y1", "x2", "y2"]].to_numpy(float), captions=names, colours=list(colours))
    with io.replacing(output) as temporary:
        drawn.save(temporary, format=Image.registered_extensions().get(output.suffix.lower(), "JPEG"))
