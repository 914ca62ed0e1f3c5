"""`vouch predict`: what a bundle says of a photograph, calibrated and decided."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from PIL import Image

from vouch import io, paths
from vouch.calibration.probabilities import PROBABILITY
from vouch.errors import DataError, Problem
from vouch.release.answers import answer
from vouch.release.opened import open_bundle
from vouch.vision.draw import caption, draw_boxes
from vouch.vision.preprocess import read_image

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def predict(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")],
    images: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Draw a detector's answer for one.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every answer as CSV.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Another bundle than models/MODEL/bundle.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Draw what the policy does not accept too.")] = False,
) -> None:
    """Say what the model finds, with calibrated confidences, and what its policy accepts."""
    listed = listed_photographs(images)
    found = answer(open_bundle(bundle or paths.model(model, "bundle")), listed)
    boxed = "x1" in found
    if csv is not None:
        io.write_table(csv, found)
    if output is not None:
        _draw(listed, found if everything else found[found["accept"]], output)
    accepted = found[found["accept"]]
    for row in (accepted if boxed else found).to_dict("records"):
        typer.echo(_box_line(row) if boxed else _class_line(row))
    what = "detections" if boxed else "answers"
    typer.echo(f"{len(accepted)} accepted of {len(found)} {what} on {len(listed)} photographs")


def listed_photographs(images: list[Path]) -> list[Path]:
    """Return the photographs named, a folder's in order of their names; what is no folder is taken as it is."""
    listed: list[Path] = []
    for image in images:
        listed += (photographs_in(image) if image.is_dir() else []) or [image]
    return listed


def photographs_in(folder: Path) -> list[Path]:
    """Return the photographs in a folder and below, by their suffix, in order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def _box_line(row: dict[Any, Any]) -> str:
    corners = ", ".join(f"{row[corner]:.0f}" for corner in ("x1", "y1", "x2", "y2"))
    return f"{row['image']}: {row['class_pred']} {row['confidence']:.3f} at ({corners})"


def _class_line(row: dict[Any, Any]) -> str:
    shares = {key.removeprefix(PROBABILITY): value for key, value in row.items() if key.startswith(PROBABILITY)}
    said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    decision = f"exits as {row['class_pred']}" if row["accept"] else "defers to a person"
    possible = row["prediction_set"].replace("|", ", ") or "none"
    return f"{row['image']}: {decision}: {row['why']}\n  probabilities: {said}; set: {possible}"


def _draw(images: list[Path], found: pd.DataFrame, output: Path) -> None:
    if "x1" not in found:
        raise DataError([Problem("--output", "a detector", "a classifier, which has no boxes", "leave it out")])
    if len(images) != 1:
        got = f"{len(images)} photographs"
        raise DataError([Problem("--output", "one photograph to draw", got, "use --csv for many")])
    picture = Image.fromarray(read_image(images[0])[..., ::-1])
    names = [caption(name, sure) for name, sure in zip(found["class_pred"], found["confidence"], strict=True)]
    colours = pd.factorize(found["class_pred"], sort=True)[0]
    drawn = draw_boxes(picture, found[["x1", "y1", "x2", "y2"]].to_numpy(float), captions=names, colours=list(colours))
    with io.replacing(output) as temporary:
        drawn.save(temporary, format=Image.registered_extensions().get(output.suffix.lower(), "JPEG"))
