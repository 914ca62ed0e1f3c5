"""`vouch predict`: what a bundle says of a photograph, calibrated and decided."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from PIL import Image

from vouch import io, paths
from vouch.commands.drawing import captioned
from vouch.commands.known import bundle_of, listed_photographs
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.commands.pictures import PICTURES, refuse_undrawable, save
from vouch.commands.predict_system import Wanted, predict_system
from vouch.commands.unheeded import unheeded
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.release.inference import answer
from vouch.release.opening import open_bundle
from vouch.systems.bundle import is_system
from vouch.tables import PROBABILITY
from vouch.tasks import ByTask, Task
from vouch.vision.draw import caption, draw_boxes
from vouch.vision.images.source import File, files, read_image


def predict(
    model_or_system: Annotated[str, typer.Argument(help="Model or system of params.yaml, say driver or shelf_count.")],
    images: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Draw the answer for one photograph.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every answer as a table: .csv, .parquet.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write what a system counted, object by object, as JSON.")] = None,
    queue: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Queue a system's unknown objects, and products of less confidence, for a person.",
        ),
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="Another bundle than models/NAME/bundle.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="With -o, of a detector: draw boxes that the policy does not accept too.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Say what the model finds, with calibrated confidences, and what its policy accepts.

    A system counts products: boxes, the product of each or that it is unknown, and how many there are of each.

    Raises
    ------
    VouchError
        When an output may not be written, an option would have no effect, the bundle does not check, or a photograph
        cannot be read.
    """
    listed, source = listed_photographs(images), bundle or paths.model(model_or_system, "bundle")
    refuse_outputs(_outputs(output, csv, json), [source, *images, *listed], overwrite=overwrite)
    folder = bundle_of(model_or_system, bundle)
    if is_system(folder):
        refuse_any(DataError, _undrawn(everything, output, f"{model_or_system}, a system", SYSTEM_DRAWN))
        predict_system(folder, listed, Wanted(output, csv, json, queue))
        return
    checked = open_bundle(folder)
    # what a system alone writes
    of_systems = unheeded({"--json": json, "--queue": queue}, "a system", f"{model_or_system}, a model", "use --csv")
    other = f"{model_or_system}, whose task is {checked.task}"
    refuse_any(DataError, [*of_systems, *_undrawn(everything, output, other, ALL_DRAWN[checked.task])])
    if output is not None:
        refuse_undrawable(listed, output)
    answered = answer(checked, files(listed))
    refuse_any(DataError, answered.refused)
    if output is not None:
        save(DRAWN[checked.task](listed[0], answered.rows, checked.classes, everything=everything), output)
    if csv is not None:
        io.write_table(csv, answered.rows)
    _say(checked.task, answered.rows, len(listed))


def _outputs(output: Path | None, csv: Path | None, json: Path | None) -> list[Output]:
    asked = [
        ("--output", output, tuple(PICTURES)),
        ("--csv", csv, (".csv", ".parquet")),
        ("--json", json, (".json",)),
    ]
    return [Output(option, path, suffixes) for option, path, suffixes in asked if path is not None]


def _say(task: Task, found: pd.DataFrame, n_photographs: int) -> None:
    for line in SAID[task](found):
        typer.echo(line)
    accepted = f"{int(found['accept'].sum())} accepted of {len(found)} {NAMES[task]}"
    typer.echo(f"{accepted} on {so_many(n_photographs, 'photograph')}")


def _undrawn(everything: bool, output: Path | None, other: str, drawn: str) -> Iterator[Problem]:
    """Yield why --all changes nothing: who is asked is no detector (`drawn`: what it draws), or nothing is drawn."""
    if everything and drawn:
        yield Problem("--all", "a detector", other, f"leave it out: {drawn}")
    elif everything and output is None:
        yield Problem("--all", "--output beside it", "none", "name the picture, or leave it out: --csv has every box")


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
ONE_ANSWER = "the one answer is drawn, accepted or not"
ALL_DRAWN = ByTask(detect="", classify=ONE_ANSWER, identify=ONE_ANSWER)  # why --all has no effect; empty: it has one
SYSTEM_DRAWN = "a system draws every object that it counts, and what its detector's policy does not accept is none"
NAMES = ByTask(detect="detections", classify="answers", identify="answers")


def _boxes_drawn(image: Path, found: pd.DataFrame, classes: Sequence[str], *, everything: bool) -> Image.Image:
    """Return the photograph with a detector's boxes: those that the policy accepts, or everything.

    A class has the same colour on every photograph.
    """
    shown = found if everything else found[found["accept"]]
    picture = Image.fromarray(read_image(File(image))[..., ::-1])
    names = [caption(name, sure) for name, sure in zip(shown["class_pred"], shown["confidence"], strict=True)]
    colours = [classes.index(name) for name in shown["class_pred"]]
    return draw_boxes(picture, shown[["x1", "y1", "x2", "y2"]].to_numpy(float), captions=names, colours=colours)


def _class_drawn(image: Path, found: pd.DataFrame, classes: Sequence[str], *, everything: bool) -> Image.Image:
    """Return the photograph above what a classifier says of it: an answer that is not accepted is called so."""
    (row,) = found.to_dict("records")
    picture = Image.fromarray(read_image(File(image))[..., ::-1])
    said = f"{row['class_pred']}, calibrated confidence {row['confidence']:.3f}"
    decision = "answered" if row["accept"] else "not answered, a person decides"
    return captioned(picture, [said, f"{decision}: {row['why']}"])


def _product_drawn(image: Path, found: pd.DataFrame, classes: Sequence[str], *, everything: bool) -> Image.Image:
    """Return the photograph above the product that it shows, or the nearest ones of an unknown."""
    (row,) = found.to_dict("records")
    picture = Image.fromarray(read_image(File(image))[..., ::-1])
    said = f"{row['class_pred']}, calibrated confidence {row['confidence']:.3f}" if row["accept"] else "unknown product"
    return captioned(picture, [said, f"nearest: {row['candidates'].replace('|', ', ')}"])


DRAWN: ByTask[Callable[..., Image.Image]] = ByTask(detect=_boxes_drawn, classify=_class_drawn, identify=_product_drawn)
