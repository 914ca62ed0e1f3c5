"""`vouch predict SYSTEM`: what two bundles together count on photographs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from PIL import Image

from vouch import io, paths
from vouch.commands.pictures import refuse_undrawable, save
from vouch.curation.retraining.review_queue import enqueue
from vouch.errors import so_many
from vouch.release.inference import BATCH
from vouch.systems.answers import document, doubtful, lines, picture, table
from vouch.systems.bundle import manifest_sha256, open_system
from vouch.systems.counted import Counted, counted
from vouch.vision.images.source import File, files, read_image, required
from vouch.vision.progress import shown


@dataclass(frozen=True)
class Wanted:
    """What is to be written; nothing where None."""

    output: Path | None
    csv: Path | None
    json: Path | None
    queue_below: float | None


def predict_system(folder: Path, listed: Sequence[Path], wanted: Wanted) -> None:
    """Count products on photographs with the bundle of a system, and write what is wanted.

    Raises
    ------
    VouchError
        When the bundle does not check or a photograph cannot be read; then nothing is written.
    """
    if wanted.output is not None:
        refuse_undrawable(listed, wanted.output)
    manifest, system = open_system(folder)
    answers = list(shown(required(counted(system, files(listed), batch=BATCH)), len(listed), "count"))
    if wanted.output is not None:
        photograph = Image.fromarray(read_image(File(listed[0]))[..., ::-1])
        save(picture(photograph, answers[0], system.products), wanted.output)
    if wanted.csv is not None:
        io.write_table(wanted.csv, table(answers))
    if wanted.json is not None:
        io.write_json(wanted.json, document(manifest, system.products, answers))
    for answer in answers:
        for line in lines(answer):
            typer.echo(line)
    typer.echo(_total(answers))
    if wanted.queue_below is not None:
        typer.echo(_queued(manifest["name"], folder, listed, answers, wanted.queue_below))


def _total(answers: Sequence[Counted]) -> str:
    known = sum(name is not None for one in answers for name in one.named)
    objects = sum(len(one.named) for one in answers)
    return f"{known} named of {so_many(objects, 'object')} on {so_many(len(answers), 'photograph')}"


def _queued(name: str, folder: Path, listed: Sequence[Path], answers: Sequence[Counted], below: float) -> str:
    queue, bundle = paths.review_queue(name), manifest_sha256(folder)
    new = sum(
        enqueue(queue, path.read_bytes(), [*doubtful(answer, bundle, below=below)])
        for path, answer in zip(listed, answers, strict=True)
    )
    return f"{so_many(new, 'answer')} more in {queue}, for a person to look at"
