"""`vouch curate check`: whether a reviewed bundle may become labels."""

import os
from pathlib import Path
from typing import Annotated

import typer

from vouch import params
from vouch.commands.curate.held_out import HeldOut, held_out
from vouch.commands.curate.params import agreement, max_megapixels, near
from vouch.commands.curate.reading import need
from vouch.curation.annotation.bundle_check import label_findings, photograph_problems
from vouch.curation.annotation.records import Manifest, Review, read_manifest
from vouch.curation.annotation.reviewed import need_reviews, read_reviews
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.quality import images
from vouch.quality.held_out import repeated
from vouch.tables import GROUP

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Bundle of `vouch curate bundle`, with reviews/.")]


def check(
    folder: Folder,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail for photographs without labels and reviewers who disagree too.")
    ] = False,
) -> None:
    """Say everything that keeps a reviewed bundle from becoming labels: exit code 1 where anything does.

    Photographs are those that were bundled, boxes and classes are possible, negatives stay negative, and nothing lies
    in val_select, val_calib or val_test of the data set: by its pixels, nearly, or by its group.

    Raises
    ------
    VouchError
        Listing all of it.
    """
    manifest, reviews, unfinished = checked(folder)
    refuse_any(DataError, unfinished if strict else [])
    for problem in unfinished:
        typer.echo(f"unfinished: {problem}")
    labelled = sum(any(page.image in review for review in reviews.values()) for page in manifest.photographs)
    typer.echo(f"{folder}: {labelled} of {so_many(len(manifest.photographs), 'photograph')} labelled")


def checked(folder: Path) -> tuple[Manifest, dict[str, Review], list[Problem]]:
    """Return manifest and reviews of a bundle that is sound, and what is still unfinished.

    Raises
    ------
    VouchError
        Listing everything that is wrong.
    """
    need([folder], "a bundle")
    manifest = read_manifest(folder)
    need_reviews(folder)
    reviews, problems = read_reviews(folder, manifest)
    limits = params.read_value("datasets", manifest.dataset, "validate", "thresholds")
    agree = agreement(manifest.dataset).iou
    found = label_findings(manifest, reviews, min_side_px=float(limits["min_side_px"]), agree_iou=agree)
    broken = list(photograph_problems(folder, manifest))
    judged = [] if broken else _judged(folder, manifest, held_out(manifest.dataset))
    refuse_any(DataError, [*problems, *found.problems, *broken, *judged])
    return manifest, reviews, list(found.unfinished)


def _judged(folder: Path, manifest: Manifest, held: HeldOut) -> list[Problem]:
    """Return the photographs that lie in a validation split; only of files that are those of the manifest."""
    most, workers = max_megapixels(manifest.dataset), len(os.sched_getaffinity(0))
    paths = [folder / page.image for page in manifest.photographs]
    scan = images.tabulate(
        [page.image for page in manifest.photographs],
        list(images.scan(paths, max_megapixels=most, workers=workers)),
    )
    usable = scan[scan["sha256"] != ""].reset_index(drop=True)
    bits, correlation = near(manifest.dataset)
    found = repeated(usable, held.validation, radius_bits=bits, min_correlation=correlation)
    unusable = scan.loc[scan["sha256"] == "", ["sample_id", "problem"]].itertuples(index=False)
    found += [Problem(name, "a photograph", why.replace("_", " "), "take it out") for name, why in unusable]
    for page in manifest.photographs:
        group = held.split_of({GROUP + key: value for key, value in page.groups.items()})
        if group is not None:
            remedy = "take it out: it judges the model"
            found.append(Problem(page.image, "no group of a validation split", f"{group[0]} in {group[1]}", remedy))
    return found
