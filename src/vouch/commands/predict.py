"""`vouch predict`: what a bundle says of a photograph, calibrated and decided."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from PIL import Image

from vouch import io, paths
from vouch.commands.drawing import captioned
from vouch.commands.known import bundle_of, listed_photographs
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.release.inference import answer
from vouch.release.opening import open_bundle
from vouch.tables import PROBABILITY
from vouch.tasks import ByTask
from vouch.vision.draw import caption, draw_boxes
from vouch.vision.images.source import File, files, read_image

PICTURES = {  # what a drawn answer may be written as, by suffix
    **dict.fromkeys((".jpg", ".jpeg"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"},
}
LONGEST_PX = {"JPEG": 65500, "WEBP": 16383}  # of a side; the other forms hold more than any photograph has


def predict(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")],
    images: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Draw the answer for one photograph.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every answer as a table: .csv, .parquet.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Another bundle than models/MODEL/bundle.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Draw boxes that the policy does not accept too.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Say what the model finds, with calibrated confidences, and what its policy accepts.

    Raises
    ------
    VouchError
        When an output may not be written, the bundle does not check, or a photograph cannot be read.
    """
    listed, source = listed_photographs(images), bundle or paths.model(model, "bundle")
    outputs = [] if output is None else [Output("--output", output, tuple(PICTURES))]
    outputs += [] if csv is None else [Output("--csv", csv, (".csv", ".parquet"))]
    refuse_outputs(outputs, [source, *images, *listed], overwrite=overwrite)
    checked = open_bundle(bundle_of(model, bundle))
    if output is not None:
        _refuse_undrawable(listed, output)
    answered = answer(checked, files(listed))
    refuse_any(DataError, answered.refused)
    found = answered.rows
    if output is not None:
        picture = DRAWN[checked.task](listed[0], found, everything=everything)
        _refuse_long(max(picture.size), output)  # words below it make it higher than the photograph
        with io.replacing(output) as temporary:
            picture.save(temporary, format=PICTURES[output.suffix.lower()])
    if csv is not None:
        io.write_table(csv, found)
    for line in SAID[checked.task](found):
        typer.echo(line)
    typer.echo(
        f"{int(found['accept'].sum())} accepted of {len(found)} {NAMES[checked.task]} on "
        + so_many(len(listed), "photograph")
    )


def _box_line(row: dict[Any, Any]) -> str:
    corners = ", ".join(f"{row[corner]:.0f}" for corner in ("x1", "y1", "x2", "y2"))
    return f"{row['image']}: {row['class_pred']} {row['confidence']:.3f} at ({corners})"


def _class_line(row: dict[Any, Any]) -> str:
    shares = {key.removeprefix(PROBABILITY): value for key, value in row.items() if key.startswith(PROBABILITY)}
    said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    decision = f"exits as {row['class_pred']}" if row["accept"] else "defers to a person"
    possible = row["prediction_set"].replace("|", ", ") or "none"
    return f"{row['image']}: {decision}: {row['why']}\n  probabilities: {said}; set: {possible}"


def _product_line(row: dict[Any, Any]) -> str:
    decision = row["class_pred"] if row["accept"] else "unknown"
    return f"{row['image']}: {decision}, confidence {row['confidence']:.3f}\n  {row['candidates'].replace('|', ', ')}"


def _boxes_said(found: pd.DataFrame) -> list[str]:
    return [_box_line(row) for row in found[found["accept"]].to_dict("records")]


def _classes_said(found: pd.DataFrame) -> list[str]:
    return [_class_line(row) for row in found.to_dict("records")]


def _products_said(found: pd.DataFrame) -> list[str]:
    return [_product_line(row) for row in found.to_dict("records")]


SAID = ByTask(detect=_boxes_said, classify=_classes_said, identify=_products_said)
NAMES = ByTask(detect="detections", classify="answers", identify="answers")


def _refuse_undrawable(images: list[Path], output: Path) -> None:
    if len(images) != 1:
        got = so_many(len(images), "photograph")
        raise DataError([Problem("--output", "one photograph to draw", got, "use --csv for many")])
    _refuse_long(max(read_image(File(images[0])).shape[:2]), output)


def _refuse_long(side_px: int, output: Path) -> None:
    """Refuse a picture with a longer side than its form holds."""
    most = LONGEST_PX.get(PICTURES[output.suffix.lower()])
    if most is not None and side_px > most:
        where, expected = f"--output {output}", f"at most {most} pixels a side, as {output.suffix} holds"
        raise DataError([Problem(where, expected, f"a photograph of {side_px}", "name a .png or .tif")])


def _boxes_drawn(image: Path, found: pd.DataFrame, *, everything: bool) -> Image.Image:
    """Return the photograph with a detector's boxes: those that the policy accepts, or everything."""
    shown = found if everything else found[found["accept"]]
    picture = Image.fromarray(read_image(File(image))[..., ::-1])
    names = [caption(name, sure) for name, sure in zip(shown["class_pred"], shown["confidence"], strict=True)]
    colours = pd.factorize(shown["class_pred"], sort=True)[0]
    return draw_boxes(picture, shown[["x1", "y1", "x2", "y2"]].to_numpy(float), captions=names, colours=list(colours))


def _class_drawn(image: Path, found: pd.DataFrame, *, everything: bool) -> Image.Image:
    """Return the photograph above what a classifier says of it: an answer that is not accepted is called so."""
    (row,) = found.to_dict("records")
    picture = Image.fromarray(read_image(File(image))[..., ::-1])
    said = f"{row['class_pred']}, calibrated confidence {row['confidence']:.3f}"
    decision = "answered" if row["accept"] else "not answered, a person decides"
    return captioned(picture, [said, f"{decision}: {row['why']}"])


def _product_drawn(image: Path, found: pd.DataFrame, *, everything: bool) -> Image.Image:
    """Return the photograph above the product that it shows, or the nearest ones of an unknown."""
    (row,) = found.to_dict("records")
    picture = Image.fromarray(read_image(File(image))[..., ::-1])
    said = f"{row['class_pred']}, calibrated confidence {row['confidence']:.3f}" if row["accept"] else "unknown product"
    return captioned(picture, [said, f"nearest: {row['candidates'].replace('|', ', ')}"])


DRAWN: ByTask[Callable[..., Image.Image]] = ByTask(detect=_boxes_drawn, classify=_class_drawn, identify=_product_drawn)
