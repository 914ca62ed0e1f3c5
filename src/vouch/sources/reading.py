"""Any source: its format's reader, then what holds for all formats."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from vouch.documents import LARGEST
from vouch.errors import Problem
from vouch.sources import corrections
from vouch.sources.descriptor import Descriptor
from vouch.sources.formats import coco, imagefolder, jsonl, table, voc, yolo
from vouch.sources.records import Reading, Record
from vouch.sources.rules import placed
from vouch.sources.tree import Tree, kind_problems, link_problems, name_problems

READERS: Mapping[str, Callable[[Tree, Descriptor], Reading]] = {
    "yolo": yolo.read,
    "coco": coco.read,
    "voc": voc.read,
    "imagefolder": imagefolder.read,
    "csv": table.read,
    "jsonl": jsonl.read,
}
COMPLETIONS: Mapping[str, Callable[[Tree, Descriptor], Descriptor]] = {"yolo": yolo.complete, "coco": coco.complete}


def complete(tree: Tree, descriptor: Descriptor) -> Descriptor:
    """Fill in what the descriptor leaves to the source's own files, so that nothing is guessed after the import."""
    if descriptor.format in COMPLETIONS:
        descriptor = COMPLETIONS[descriptor.format](tree, descriptor)
    if descriptor.manifest is None and descriptor.format not in ("csv", "jsonl") and table.FILE in tree.files:
        descriptor = descriptor.model_copy(update={"manifest": table.FILE})
    return descriptor


def read_source(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read a whole source: every photograph once, with its groups and strata, and every problem."""
    reading = READERS[descriptor.format](tree, descriptor)
    problems = [*name_problems(tree), *kind_problems(tree), *link_problems(tree), *_misnamed(tree, descriptor)]
    problems += reading.problems
    rows, files = reading.rows, reading.files
    if descriptor.manifest is not None:
        rows, found = table.read_side(tree, descriptor.manifest, descriptor.ignore)
        problems += found
        files = (*files, descriptor.manifest)
    elif descriptor.ignore and descriptor.format not in ("csv", "jsonl"):
        expected = f"a side manifest with {', '.join(descriptor.ignore)}"
        remedy = "leave it out, or put the file into the folder as manifest.csv; `vouch import` takes --manifest"
        problems.append(Problem("--ignore", expected, "none", remedy))
    corrected, found = corrections.read(tree)
    problems += found
    if corrections.FILE in tree.files and corrections.FILE not in files:
        files = (*files, corrections.FILE)
    records, found = placed(reading.records, rows, descriptor)
    problems += [*found, *_repeated(records), *_absent(records, tree), *_far(records)]
    if not reading.records and not problems:
        problems.append(Problem("the source", "photographs", "none", "check the path and the format"))
    return replace(
        reading, records=tuple(records), files=files, rows=None, corrections=corrected, problems=tuple(problems)
    )


def _misnamed(tree: Tree, descriptor: Descriptor) -> list[Problem]:
    """Manifests that are looked for by their name, and would be passed over for the case of a letter."""
    wanted = jsonl.FILE if descriptor.format == "jsonl" else table.FILE
    if wanted in tree.outside or (descriptor.format in ("csv", "jsonl") and descriptor.annotations):
        return []
    alike = [path for path in tree.files if path.lower() == wanted and path != wanted]
    return [Problem(path, f"the name {wanted}", "capital letters", "rename the file") for path in alike]


def _repeated(records: list[Record]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for record in records:
        if record.image in first:
            expected = f"each photograph once (see {first[record.image]})"
            remedy = "keep one; with several annotation files name those to read with --annotations"
            problems.append(Problem(record.where, expected, f"{record.image} again", remedy))
        first.setdefault(record.image, record.where)
    return problems


def _absent(records: list[Record], tree: Tree) -> list[Problem]:
    remedy = "bring it back, correct the name (and its case), or remove the entry"
    return [
        Problem(record.where, "a photograph of this name", f"{_state(record.image, tree)} {record.image}", remedy)
        for record in records
        if record.image not in tree.photographs
    ]


def _far(records: list[Record]) -> list[Problem]:
    """Boxes whose corners are not finite once they are fractions, or so far out that no sum of them would be."""
    expected, remedy = f"corners within {LARGEST:.0e} sides of the photograph", "correct the box"
    return [
        Problem(f"{record.where}: box {number}", expected, ", ".join(map(str, box[1:])), remedy)
        for record in records
        for number, box in enumerate(record.boxes, start=1)
        if not all(-LARGEST <= corner <= LARGEST for corner in box[1:])
    ]


def _state(image: str, tree: Tree) -> str:
    return "another kind of file:" if image in tree.files else "no"
