"""A folder as a data set: its format, every photograph with its labels, and the task that follows from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vouch.errors import ManifestError, Problem, refuse_any
from vouch.proposal.formats import counted, format_of, listed, wrong_file
from vouch.sources.descriptor import OPTIONS, Descriptor, check_descriptor
from vouch.sources.formats import jsonl, table
from vouch.sources.formats.table import Row
from vouch.sources.reading import complete, read_source
from vouch.sources.records import Reading, Record
from vouch.sources.tree import Tree, walk
from vouch.tasks import ByTask, Task

SOURCE = "imported"  # name of the source, as `vouch import` calls it
REPEATED = 3  # problems of one kind that are listed one by one


@dataclass(frozen=True)
class Survey:
    """A folder as read: no rule for groups or strata has been applied yet."""

    tree: Tree
    evidence: str  # why it is of this format
    descriptor: Descriptor  # complete but for rules
    records: tuple[Record, ...]
    rows: Mapping[str, Row] | None  # cells of the side manifest, or of a CSV source, by photograph
    classes: tuple[str, ...]  # that a label names, in the order of the source's ids where it has some
    task: Task
    problems: tuple[Problem, ...]

    @property
    def columns(self) -> dict[str, list[str]]:
        """The columns of the manifest, one cell a record; none where a record has no row, which is a problem."""
        if not self.rows or any(record.image not in self.rows for record in self.records):
            return {}
        rows = [self.rows[record.image] for record in self.records]
        return {name: [row[name] for row in rows] for name in rows[0]}

    @property
    def unsound_manifest(self) -> bool:
        """Say whether the manifest has faults, so that what it would have said of groups is not known yet."""
        file = self.descriptor.manifest or table.FILE
        return self.rows is not None and any(
            problem.where.startswith(f"{file}:") or problem.expected == f"a row of {file}" for problem in self.problems
        )

    @property
    def labels(self) -> list[str | None]:
        """Class of each whole photograph, None where there is none."""
        return [record.label for record in self.records]


def tree_at(path: Path) -> Tree:
    """List a folder; of a COCO, CSV or JSONL file, list its folder without any other label file.

    Raises
    ------
    ManifestError
        When it is neither, or a folder in it cannot be walked.
    """
    if path.is_dir():
        return walk(path)
    _refuse_other(path)
    tree = walk(path.parent)
    refuse_any(ManifestError, wrong_file(tree, path.name, path))
    beside = {table.FILE} & tree.files if path.suffix.lower() == ".json" else set()
    return replace(tree, files=tree.photographs | tree.unread | {path.name} | beside)


def _refuse_other(path: Path) -> None:
    if not path.is_file() or path.suffix.lower() not in (".json", ".jsonl", ".csv"):
        got, perhaps = ("a file", f", perhaps {path.parent}") if path.is_file() else ("nothing", "")
        expected = "a folder of photographs, or a COCO, CSV or JSONL file that labels them"
        remedy = f"name the folder that holds photographs and labels{perhaps}"
        raise ManifestError([Problem(str(path), expected, got, remedy)])


def tree_with(path: Path, images: str) -> tuple[Tree, str]:
    """List a folder, or a label file, with the photographs of one folder alone.

    Parameters
    ----------
    path : Path
    images : str
        That folder: in `path`, or beside the folder of the file that `path` is.

    Returns
    -------
    tuple
        The tree, and `images` as a path in it.

    Raises
    ------
    ManifestError
        As `tree_at`, and when `images` is no folder there.
    """
    if not path.is_dir():
        _refuse_other(path)
    roots = [path] if path.is_dir() else [path.parent, path.parent / ".."]
    places = [folder for folder in (*(root / images for root in roots), Path(images)) if folder.is_dir()]
    for folder in (place.resolve() for place in places):
        for root in (root.resolve() for root in roots):
            if root in folder.parents:
                return _only(path, walk(root), folder.relative_to(root).as_posix())
    expected = f"a folder in {path}" if path.is_dir() else f"a folder in {path.parent} or beside it"
    remedy = "name the folder that the file names start from"
    raise ManifestError([Problem("--images", expected, images, remedy)])


def _only(path: Path, tree: Tree, images: str) -> tuple[Tree, str]:
    """Leave out photographs outside `images` and, where one label file is named, the others."""
    pictures = tree.photographs | tree.unread
    kept = {name for name in pictures if name.startswith(f"{images}/")}
    labels = tree.files - pictures
    if not path.is_dir():
        labels = frozenset({path.resolve().relative_to(tree.root).as_posix()})
    return replace(tree, files=frozenset(kept | labels)), images


def survey(
    tree: Tree, *, task: str | None, ignore: Sequence[str], unlabelled: str = "refuse", images: str | None = None
) -> Survey:
    """Find the format of a folder, and read the whole of it.

    Where all file names of a COCO or VOC source start from one other folder, that folder is found too.

    Raises
    ------
    ManifestError
        When the format cannot be told, nothing names the classes, or nothing is described; problems of single labels
        are in the result.
    """
    form, files, evidence = format_of(tree)
    content: dict[str, Any] = {"name": SOURCE, "format": form, "unlabelled": unlabelled, "ignore": tuple(ignore)}
    content |= {"images": images} if form in ("coco", "voc") else {}
    if form in ("coco", "csv", "jsonl") and list(files) not in ([table.FILE], [jsonl.FILE]):
        content["annotations"] = tuple(files)
    descriptor = complete(tree, check_descriptor(content, OPTIONS))
    reading = read_source(tree, descriptor)
    if form in ("coco", "voc") and images is None and (folder := _folder(tree, reading)):
        descriptor = descriptor.model_copy(update={"images": folder})
        reading, evidence = read_source(tree, descriptor), f"{evidence}; its photographs are in {folder}/"
    if not reading.records:
        raise ManifestError(summed(reading.problems))
    found, problems = _task(reading, task)
    used = {name for record in reading.records for name in _names(record, found)}
    classes = tuple(sorted(used)) if not descriptor.classes else tuple(c for c in descriptor.classes if c in used)
    if images is not None and form not in ("coco", "voc"):
        problems.append(Problem("--images", "labels in COCO or VOC", form, "leave it out"))
    problems += [*reading.problems, *_unlabelled(tree, reading, form), *_alike(classes), *_single(classes, found)]
    rows = _rows(tree, descriptor)
    return Survey(tree, evidence, descriptor, reading.records, rows, classes, found, tuple(summed(problems)))


def _folder(tree: Tree, reading: Reading) -> str | None:
    """Return the one folder from which all file names lead to a photograph, where none does without it."""
    names = [record.image for record in reading.records]
    if not names or any(name in tree.photographs for name in names):
        return None
    ends = [image.removesuffix(f"/{names[0]}") for image in tree.photographs if image.endswith(f"/{names[0]}")]
    fits = [folder for folder in ends if all(f"{folder}/{name}" in tree.photographs for name in names)]
    return fits[0] if len(fits) == 1 else None


def summed(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems of one kind once, with their number, where there are more than a few."""
    kinds: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault((problem.expected, problem.got, problem.remedy), []).append(problem)
    for found in kinds.values():
        if len(found) <= REPEATED:
            yield from found
        else:
            first = min(found)
            yield replace(first, where=f"{first.where} and {len(found) - 1} more")


def _names(record: Record, task: Task) -> list[str]:
    """Return the classes that a photograph shows a model of a task: those of its boxes, or its own."""
    of_boxes, own = [box[0] for box in record.boxes], [] if record.label is None else [record.label]
    return ByTask(detect=of_boxes, classify=own, identify=own)[task]


def _task(reading: Reading, asked: str | None) -> tuple[Task, list[Problem]]:
    boxes, labels = any(r.boxes for r in reading.records), any(r.label is not None for r in reading.records)
    held: Task = "detect" if boxes else "classify"
    if asked == "identify" and labels:
        remedy = "leave the boxes out; products of boxes, as `sku` tells them apart, are no folder's"
        crops = Problem("--task", "identify where whole photographs alone are labelled", "boxes and labels", remedy)
        return "identify", [crops] if boxes else []
    if boxes and labels:
        if asked in ("detect", "classify"):
            return ("detect" if asked == "detect" else "classify"), []
        got = "boxes and labels of whole photographs"
        return held, [Problem("--task", "detect or classify, where both are labelled", got, "say which is wanted")]
    if not (boxes or labels):
        return held, []
    if asked not in (None, held):
        got = f"{'boxes' if boxes else 'labels of whole photographs'}, and --task {asked}"
        fit = "detect" if boxes else "classify or identify"
        return held, [Problem("--task", f"{fit}, as the labels are", got, f"these labels teach a model to {fit}")]
    return held, []


def _unlabelled(tree: Tree, reading: Reading, form: str) -> Iterator[Problem]:
    """Name photographs that nobody looked at, and a source in which no label stands."""
    missing = [record.image for record in reading.records if record.annotation == "missing"]
    empty = {"yolo": "an empty .txt file", "imagefolder": "a folder of its own"}.get(form, "`annotation` negative")
    if missing:
        got = f"none for {counted(len(missing), 'photograph')} ({listed(missing)})"
        remedy = f"label them or take them out; where nothing is on them, {empty} says so, or --unlabelled negative"
        yield Problem("the labels", "a label for each photograph", got, remedy)
    left_out = sorted((tree.photographs | tree.unread) - {record.image for record in reading.records})
    if left_out and not reading.problems:
        got = f"{counted(len(left_out), 'photograph')} where {form} looks for none ({listed(left_out)})"
        yield Problem("the photographs", "each where the labels of its format reach it", got, "move or remove them")
    held = any(record.annotation == "labelled" for record in reading.records)
    if not (missing or held or reading.problems):  # labels with faults are labels
        yield Problem("the labels", "something that is labelled", "nothing on any photograph", "add labels")


def _alike(classes: Iterable[str]) -> Iterator[Problem]:
    folded: dict[str, list[str]] = {}
    for name in classes:
        folded.setdefault(name.casefold(), []).append(name)
    for names in folded.values():
        if len(names) > 1:
            remedy = "give them one name in the labels, or names that differ by more"
            yield Problem("the classes", "names that differ by more than case", ", ".join(names), remedy)


def _single(classes: Sequence[str], task: Task) -> Iterator[Problem]:
    if task == "classify" and len(classes) == 1:
        yield Problem("the classes", "two or more", classes[0], "add photographs of what is to be told from it")


def _rows(tree: Tree, descriptor: Descriptor) -> Mapping[str, Row] | None:
    if descriptor.format == "csv":
        return table.read(tree, descriptor).rows
    return None if descriptor.manifest is None else table.read_side(tree, descriptor.manifest)[0]
