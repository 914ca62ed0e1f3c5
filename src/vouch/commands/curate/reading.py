"""What commands of curation read: packs, taxonomies, tables and label maps, each whole or refused."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from vouch import paths
from vouch.commands.known import alike, classes_of
from vouch.curation.benchmark.manifest import Wanted, read_wanted
from vouch.curation.taxonomy.label_map import LabelMap, map_labels, read_label_map
from vouch.curation.taxonomy.taxonomy import Taxonomy, read_taxonomy
from vouch.documents import parse_yaml, read_text
from vouch.errors import DataError, Problem, refuse_any

MOST = 2**24  # bytes of a pack, taxonomy, label map or parameter file: a town of 1,000 items has 300 kB
OF_ROWS = "Table of the benchmark, a CSV (docs/guides/curbside.md)."
OfRows = Annotated[Path, typer.Argument(metavar="ROWS", help=OF_ROWS)]
OfTaxonomy = Annotated[Path, typer.Option("--taxonomy", help="Taxonomy, as `vouch curate taxonomy` wrote it.")]
OfWanted = Annotated[Path, typer.Option("--wanted", help="YAML: strata, and how many rows each cell should have.")]
OfPhotographs = Annotated[Path, typer.Option("--photographs", help="Folder of photographs; nothing is downloaded.")]
OutputTable = Annotated[Path, typer.Option("--output", "-o", help="New table (.csv).")]


def need(paths_: Iterable[Path | None], what: str = "a file") -> None:
    """Return when everything that was named is there.

    Raises
    ------
    DataError
        Naming each that is not, with the nearest that is.
    """
    missing = [path for path in paths_ if path is not None and not path.exists()]
    refuse_any(DataError, (Problem(str(path), what, "no such file or folder", alike(path)) for path in missing))


def text_of(path: Path) -> str:
    """Return the text of a document of bounded size."""
    return read_text(path, str(path), max_bytes=MOST)


def taxonomy_of(path: Path) -> Taxonomy:
    """Return the taxonomy that a file holds."""
    return read_taxonomy(text_of(path), str(path))


def wanted_of(path: Path, taxonomy: Taxonomy) -> Wanted:
    """Return the parameters of a benchmark that a YAML file holds."""
    return read_wanted(parse_yaml(text_of(path), str(path)), str(path), taxonomy)


def label_map_of(path: Path, taxonomy: Taxonomy) -> LabelMap:
    """Return the label map that a file holds, of this taxonomy."""
    return read_label_map(text_of(path), str(path), taxonomy)


def labels_of(model: str) -> Path:
    """Return the file that says which classes a model has."""
    return paths.model(model, "labels.json")


def label_map_for(items: Taxonomy, model: str, path: Path | None) -> LabelMap:
    """Return what a model can say of a taxonomy: as a file of its classes has it, else by words that agree."""
    classes = classes_of(labels_of(model))
    if path is None:
        return map_labels(items, classes, {}, str(labels_of(model)))
    found = label_map_of(path, items)
    if found.classes != classes:
        got, remedy = ", ".join(found.classes), f"`vouch curate taxonomy --model {model} --map-output` again"
        raise DataError([Problem(str(path), f"the classes of {model}: {', '.join(classes)}", got, remedy)])
    return found
