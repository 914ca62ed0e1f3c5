"""The format of a folder by the evidence in it, and what of that evidence speaks against itself.

Labels decide, never a name on the command line: files of two formats are a mixture that nobody could read rightly. A
CSV with labels beside folders of the same names says the same twice, and is the side manifest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vouch.documents import DocumentError, parse_json, separator_problems
from vouch.errors import ManifestError, Problem, plural, refuse_any, shortened
from vouch.proposal.columns import SPLIT_WORDS, bare
from vouch.sources.formats import table, yolo
from vouch.sources.tree import Tree, kind_problems, link_problems, name_problems

Said = tuple[str, str]  # what is assumed, and why

STRUCTURE = SPLIT_WORDS | {"images", "image", "imgs", "img", "photos", "pictures", "jpegimages", "data", "dataset"}
COCO = ('"images"', '"annotations"')  # what a file of it mentions
SHOWN = 3  # examples in a message
LONGEST = 60  # characters of one
NO_LABELS = (
    "label files of a known format: YOLO (labels/*.txt and data.yaml), COCO (*.json), VOC (*.xml), manifest.csv, "
    "manifest.jsonl, or a folder for each class"
)


def format_of(tree: Tree) -> tuple[str, tuple[str, ...], str]:
    """Return the format, the label files that say so, and the evidence in words."""
    found = {form: files for form, files in _label_files(tree).items() if files}
    seen = {
        form: f"{counted(len(files), 'label file')}, say {shortened(files[0], LONGEST)}"
        for form, files in found.items()
    }
    _refuse_absent(tree, seen)
    boxes = {form: files for form, files in found.items() if form != "csv" or _holds_boxes(tree, files)}
    if len(boxes) > 1:
        got = "; ".join(f"{form}: {seen[form]}" for form in boxes)
        remedy = "keep the label files of one format in the folder, or name the COCO, CSV or JSONL file itself"
        raise ManifestError([Problem(str(tree.root), "labels of one format", got, remedy)])
    if boxes:
        form = next(iter(boxes))
        return form, tuple(boxes[form]), f"{form} by {seen[form]}"
    if "csv" in found and not _says_folders(tree, found["csv"]):
        return "csv", tuple(found["csv"]), f"csv by {seen['csv']}"
    folders = _class_folders(tree)
    return "imagefolder", (), f"a folder for each class: {listed(folders)}"


def _label_files(tree: Tree) -> dict[str, list[str]]:
    suffixes = {form: sorted(p for p in tree.files if p.lower().endswith(f".{form}")) for form in ("json", "jsonl")}
    return {
        "yolo": _yolo(tree),
        "coco": [path for path in suffixes["json"] if _mentions(tree, path, *COCO)],
        "voc": sorted(path for path in tree.files if path.lower().endswith(".xml")),
        "jsonl": suffixes["jsonl"],
        "csv": sorted(p for p in tree.files if p.lower().endswith(".csv") and _says_labels(_header(tree, p))),
    }


def _yolo(tree: Tree) -> list[str]:
    beside = {yolo.label_path(image) for image in tree.photographs} & tree.files
    apart = {path for path in tree.files if path.endswith(".txt") and "labels" in path.split("/")[:-1]}
    return sorted(path for path in beside | apart if path.rpartition("/")[2].lower() not in yolo.NOT_LABELS)


def _mentions(tree: Tree, path: str, *words: str) -> bool:
    text = tree.text(path)
    return not isinstance(text, Problem) and all(word in text for word in words)


def _header(tree: Tree, path: str) -> list[str]:
    text = tree.text(path)
    first = "" if isinstance(text, Problem) else text.partition("\n")[0].strip()
    return [cell.strip('"') for cell in first.split(",")] if first else []


def wrong_file(tree: Tree, name: str, where: Path) -> list[Problem]:
    """Return why one file that was named as the labels of a folder, whose other label files are not read, has none."""
    text, aside = tree.text(name), f"name the folder {where.parent}, if other files in it hold the labels"
    if isinstance(text, Problem):  # the reader of its format says so
        return []
    if name.lower().endswith(".csv"):
        header = _header(tree, name)
        if _says_labels(header):
            return []
        got, expected = ", ".join(header) or "an empty file", f"columns `image` and `label`, or {', '.join(table.BOX)}"
        return separator_problems(header, f"{where}:1") or [Problem(f"{where}:1", expected, got, aside)]
    if name.lower().endswith(".json"):
        return _no_coco(text, where, aside)
    return []


def _no_coco(text: str, where: Path, remedy: str) -> list[Problem]:
    if all(word in text for word in COCO):  # the reader parses it, and says what else is wrong
        return []
    try:
        parse_json(text, str(where))
    except DocumentError as error:
        return [replace(problem, remedy=remedy) for problem in error.problems]
    expected = "an object with the lists images, annotations, categories, as COCO has them"
    return [Problem(str(where), expected, "another form", remedy)]


def _says_labels(header: Sequence[str]) -> bool:
    return any(name in header for name in table.IMAGE) and ("label" in header or set(table.BOX) <= set(header))


def _holds_boxes(tree: Tree, files: Iterable[str]) -> bool:
    return any(set(table.BOX) <= set(_header(tree, path)) for path in files)


def _says_folders(tree: Tree, files: Sequence[str]) -> bool:
    """Say whether the one manifest.csv gives each photograph the name of its folder as label."""
    if list(files) != [table.FILE]:
        return False
    rows, _ = table.read_side(tree, table.FILE)
    return all(row["label"] in ("", image.split("/")[-2:][0]) for image, row in rows.items())


def _refuse_absent(tree: Tree, seen: Mapping[str, str]) -> None:
    """Refuse a folder without photographs."""
    if tree.photographs:
        return
    problems = [*name_problems(tree), *kind_problems(tree), *link_problems(tree)]
    got = "none" if not seen else f"none, only labels: {'; '.join(seen.values())}"
    remedy = "name the folder that holds photographs and labels, or bring the photographs back"
    if unread := sorted(tree.unread):
        got = f"{counted(len(unread), 'file')} of formats that are not read ({listed(unread)})"
        remedy = "convert them to JPEG or PNG"
    raise ManifestError([Problem(str(tree.root), "photographs", got, remedy), *problems])


def _class_folders(tree: Tree) -> list[str]:
    """Return the names of the folders that hold photographs; those of a structure or split are no classes."""
    holders = Counter(image.rpartition("/")[0].rpartition("/")[2] for image in tree.photographs)
    lost = {name: count for name, count in holders.items() if bare(name) in STRUCTURE or not name}
    problems: list[Problem] = []
    if lost:
        got = f"none for {counted(sum(lost.values()), 'photograph')}{_csv_hint(tree)}"
        remedy = "add the labels, or put each photograph into a folder named after its class"
        problems += [Problem(str(tree.root), NO_LABELS, got, remedy), *_unreadable(tree)]
    refuse_any(ManifestError, problems)
    return sorted(holders)


def _unreadable(tree: Tree) -> list[Problem]:
    """Label files that may say it all and cannot be read."""
    paths = [path for path in sorted(tree.files) if path.lower().endswith((".csv", ".json"))]
    tables = [path for path in paths if path.lower().endswith(".csv")]
    apart = [one for path in tables for one in separator_problems(_header(tree, path), f"{path}:1")]
    return [text for text in map(tree.text, paths) if isinstance(text, Problem)] + apart


def _csv_hint(tree: Tree) -> str:
    found = sorted(path for path in tree.files if path.lower().endswith(".csv"))
    header = _header(tree, found[0]) if found else []
    named = any(name in header for name in table.IMAGE)
    lacking = "`label`" if named else "`image`" if "label" in header else "`image` and `label`"
    return f"; {found[0]} has the columns {', '.join(header)}, not {lacking}" if header else ""


def counted(count: int, what: str) -> str:
    """Return a number and its noun.

    >>> counted(1, "group"), counted(1200, "group")
    ('1 group', '1,200 groups')
    """
    return f"{count:,} {plural(what, count)}"


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list."""
    return ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
