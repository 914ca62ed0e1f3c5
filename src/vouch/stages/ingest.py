"""ingest: the sources of a data set become one manifest.

Reads    data/sources/D/ (every source: source.json, labels, corrections.csv, names of photographs)
Writes   data/manifests/D/samples.parquet, boxes.parquet
Fails    when something lies beside the sources or is a link out of one, a source cannot be read as what it says it is,
         a class or stratum value is unknown, or a photograph lacks a group or stratum: every problem of every source
         is listed. Pictures are judged by scan and validate.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from vouch import io, paths
from vouch.errors import ManifestError, Problem
from vouch.params import Section, load
from vouch.sources.descriptor import Key, read_descriptor
from vouch.sources.folders import source_folders
from vouch.sources.merge import Merged, Taxonomy, merged
from vouch.sources.reading import read_source
from vouch.sources.tree import walk
from vouch.sources.vocabulary import is_formula
from vouch.stages import main


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("each value once")
    return values


def _plain(value: str) -> str:
    if is_formula(value):  # predictions and tables for reviewers are CSV
        raise ValueError("a name that no spreadsheet calculates")
    return value


Words = Annotated[
    tuple[Annotated[str, Field(min_length=1), AfterValidator(_plain)], ...],
    Field(min_length=1),
    AfterValidator(_unique),
]


class Params(Section):
    """What a data set demands of its sources."""

    classes: Words
    group_keys: Annotated[tuple[Key, ...], Field(min_length=1), AfterValidator(_unique)]
    strata: dict[Key, Words]

    def taxonomy(self) -> Taxonomy:
        """Return the demands as the merge takes them."""
        return Taxonomy(self.classes, self.group_keys, self.strata)


def run(name: str) -> None:
    """Ingest one data set."""
    manifest = read(name)
    io.write_table(paths.manifest(name, "samples"), manifest.samples)
    io.write_table(paths.manifest(name, "boxes"), manifest.boxes)
    for what, count in manifest.dropped.items():
        print(f"left out, as source.json says: {what}: {count}")
    for note in manifest.notes:
        print(f"note: {note}")


def read(name: str) -> Merged:
    """Return the manifest that the sources of a data set are.

    Raises
    ------
    ManifestError
        Listing every problem of every source, or when there is none.
    """
    params = load(Params, "datasets", name, "ingest")
    root = paths.source(name)
    folders = source_folders(root)
    if not folders:
        remedy = f"run `vouch import {name} PATH --format ...`, or `dvc checkout` if it was imported"
        raise ManifestError([Problem(root.as_posix(), "the folder of a source", "none", remedy)])
    descriptors = [read_descriptor(folder) for folder in folders]
    sources = [(one, read_source(walk(root / one.name), one)) for one in descriptors]
    return merged(sources, params.taxonomy(), root.as_posix())


if __name__ == "__main__":
    main(run)
