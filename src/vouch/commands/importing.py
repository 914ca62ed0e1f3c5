"""A person's photographs become a source of a data set, and back.

The order of an import lets a kill at any point lose nothing, and the same command finish the work:

1. the whole source is read and checked; every problem is listed and nothing is written;
2. photographs and labels are copied to data/sources/.D.part/, which also marks an import under way;
3. at the first import of D: D leaves `pipeline.rendered`, its split lock is retired, its rendered scenes are removed;
4. the copy is renamed to data/sources/D/<source>/ and `dvc add` records it; the mark goes.

A kill before 4 leaves the mark without the source: the next import starts over. A kill after the rename leaves both:
the next import first lets DVC record what is already whole.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from vouch import io, paths
from vouch.commands.dvc_busy import dvc
from vouch.commands.dvc_record import recorded, unrecorded
from vouch.commands.params_edit import on_list, with_name, without
from vouch.errors import Problem, WorkspaceError, refuse_any, so_many
from vouch.params import PARAMS
from vouch.sources import descriptor as descriptors
from vouch.sources.descriptor import Descriptor
from vouch.sources.merge import Merged, Taxonomy, merged
from vouch.sources.reading import complete, read_source
from vouch.sources.records import Reading
from vouch.sources.tree import Tree, below

RENDER = "render"  # name of the source that the stage render draws
NAME = ".source"  # file of the mark, which no source can be called: which one is under way
Say = Callable[[str], None]


@dataclass(frozen=True)
class Checked:
    """A source that may be imported: what it is, what it holds, and what that makes of it as a data set."""

    tree: Tree
    descriptor: Descriptor
    reading: Reading
    manifest: Merged


def check(dataset: str, tree: Tree, descriptor: Descriptor, taxonomy: Taxonomy) -> Checked:
    """Read and check the whole source; write nothing.

    Raises
    ------
    ManifestError
        Listing every problem, label files that source.json would replace among them.
    """
    complete_descriptor = complete(tree, descriptor)
    reading = read_source(tree, complete_descriptor)
    reading = replace(reading, problems=(*reading.problems, *_described(reading), *_without_labels(reading)))
    manifest = merged([(complete_descriptor, reading)], taxonomy, paths.source(dataset).as_posix())
    return Checked(tree, complete_descriptor, reading, manifest)


def _described(reading: Reading) -> list[Problem]:
    """Label files that are called as the description that an import writes into the source."""
    expected, remedy = f"another name than {descriptors.FILE}, which the import writes", "rename it"
    same = (name for name in reading.files if name.lower() == descriptors.FILE)
    return [Problem(name, expected, "a label file of this name", remedy) for name in same]


def _without_labels(reading: Reading) -> list[Problem]:
    """A source in which no photograph has a label: one of another format, whose labels would be passed over."""
    if reading.problems or any(record.annotation != "missing" for record in reading.records):
        return []
    got = f"{so_many(len(reading.records), 'photograph')}, all without"
    remedy = "check the path and the format; negatives need labels that say so, or --unlabelled negative (YOLO, JSONL)"
    return [Problem("the source", "a label of at least one photograph", got, remedy)]


def tracked(dataset: str) -> Path:
    """DVC's record of an imported data set, in git."""
    return paths.source(dataset).with_name(f"{dataset}.dvc")


def unfinished(dataset: str) -> bool:
    """Say whether an import of a data set was killed before its last step."""
    return not tracked(dataset).exists() or _part(dataset).exists()


def add(dataset: str, checked: Checked, say: Say) -> None:
    """Make a checked source part of a data set.

    Raises
    ------
    WorkspaceError
        When the checkout is not as an import needs it, the disk is full, or DVC refuses.
    """
    name = checked.descriptor.name
    if _finish(dataset, say) == name:
        return
    refuse_any(WorkspaceError, _obstacles(dataset, name))
    part, place = _part(dataset), paths.source(dataset) / name
    with io.holder(part):
        try:
            _copy(checked, part / name)
            if not tracked(dataset).exists():
                _take_over(dataset, say)
            with io.holder(place):
                (part / name).rename(place)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            where, expected = str(error.filename2 or error.filename or part), "a file to copy and space for it"
            problem = Problem(where, expected, error.strerror or "none", "fix it, run it again")
            raise WorkspaceError([problem]) from error
    track(dataset)
    shutil.rmtree(part)


def undo(dataset: str, say: Say, *, drawn: bool) -> None:
    """Forget the imported sources of a data set; where it can be drawn, it is rendered again.

    The photographs stay in DVC's cache until `dvc gc`, and where they came from.

    Raises
    ------
    WorkspaceError
        When the data set was not imported, or files are in it that DVC does not have: they would be lost.
    """
    text = PARAMS.read_text(encoding="utf-8")
    record, root = tracked(dataset), paths.source(dataset)
    listed = dataset in on_list(text, "rendered")
    if not record.exists() and (listed or not drawn or root.exists()):
        raise WorkspaceError([Problem(str(record), "an imported data set", "none", "nothing is to be undone")])
    if root.is_symlink():
        raise WorkspaceError([Problem(str(root), "a folder", "a link", "remove the link, then undo again")])
    _finish(dataset, say)
    if root.exists() and record.exists():
        refuse_any(WorkspaceError, unrecorded(root, record))
    _retire(dataset, say)
    for folder in (root, _part(dataset)):
        if folder.exists():
            shutil.rmtree(folder)
    record.unlink(missing_ok=True)  # after the folder: a kill in between leaves what a second --undo finishes
    say(f"removed {record} and {root}/")
    if drawn and not listed:
        io.write_text(PARAMS, with_name(text, "rendered", dataset))
        say(f"params.yaml: {dataset} is on pipeline.rendered again")


def _part(dataset: str) -> Path:
    return paths.source(dataset).with_name(f".{dataset}.part")


def _finish(dataset: str, say: Say) -> str | None:
    """Clear what a killed import left: let DVC record a whole source and return its name, or drop a partial copy."""
    part = _part(dataset)
    if not part.exists():
        return None
    name = (part / NAME).read_text(encoding="utf-8") if (part / NAME).exists() else ""
    whole = bool(name) and not (part / name).exists() and (paths.source(dataset) / name / descriptors.FILE).exists()
    if whole:
        track(dataset)
        say(f"an earlier import of {name} had been interrupted; it is now complete")
    shutil.rmtree(part)
    return name if whole else None


def _obstacles(dataset: str, name: str) -> list[Problem]:
    root, record = paths.source(dataset), tracked(dataset)
    drawn = dataset in on_list(PARAMS.read_text(encoding="utf-8"), "rendered")
    problems: list[Problem] = []
    count = 0
    try:
        count = recorded(record).count if record.exists() else 0
    except WorkspaceError as error:
        problems += error.problems
    if not Path(".dvc").is_dir():
        problems.append(Problem(".dvc", "a DVC repository", "none", "run it in the repository's root"))
    if name == RENDER:
        problems.append(Problem("--name", "a name of your own", repr(name), "the stage render uses this one"))
    if record.exists() and drawn:
        remedy = f"take {dataset} off pipeline.rendered, or remove {record}"
        problems.append(Problem(str(record), "a data set either rendered or imported", "both", remedy))
    problems += lacking(dataset, count)
    if record.exists() and (root / name).exists():
        remedy = f"choose another --name, or `vouch import --undo {dataset}`"
        problems.append(Problem(str(root / name), "no source of this name yet", "one", remedy))
    if root.is_symlink():
        problems.append(Problem(str(root), "a folder", "a link", "move it away, and import from where it leads to"))
    elif not record.exists():
        problems += _unknown(root)
    return problems


def lacking(dataset: str, count: int) -> list[Problem]:
    """Say where fewer files are here than the `count` that DVC recorded: recorded anew, the others would be lost."""
    root, record = paths.source(dataset), tracked(dataset)
    if _count(root) >= count:
        return []
    got = f"{_count(root)} of its {count} files"
    return [Problem(str(root), "the imported sources", got, f"run `dvc checkout {record}`")]


def _unknown(root: Path) -> list[Problem]:
    """Content that neither the stage render nor an import put there."""
    remedy = "move it away, or import it from there"
    return [
        Problem(str(path), "rendered scenes or nothing", "something else", remedy)
        for path in sorted(root.glob("*"))
        if path.name != RENDER
    ]


def _copy(checked: Checked, target: Path) -> None:
    """Copy photographs and labels, following links, and write source.json last."""
    target.parent.mkdir(parents=True)
    (target.parent / NAME).write_text(target.name, encoding="utf-8")
    names = sorted({record.image for record in checked.reading.records} | set(checked.reading.files))
    for folder in sorted({(target / name).parent for name in names}):
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(checked.tree.path(name), target / name)
    content = checked.descriptor.model_dump(exclude_defaults=True)
    for kind in ("groups", "strata"):
        content |= {
            kind: {key: rule.model_dump(exclude_none=True) for key, rule in getattr(checked.descriptor, kind).items()}
        }
    io.write_json(target / descriptors.FILE, content)


def _take_over(dataset: str, say: Say) -> None:
    """Take a data set from the stage render: list first, so that DVC never owns the folder twice."""
    text = PARAMS.read_text(encoding="utf-8")
    if dataset in on_list(text, "rendered"):
        io.write_text(PARAMS, without(text, "rendered", dataset))
        say(f"params.yaml: {dataset} is off pipeline.rendered")
    _retire(dataset, say)
    if paths.source(dataset).exists():
        shutil.rmtree(paths.source(dataset))
        say(f"removed the rendered scenes in {paths.source(dataset)}/ (`dvc repro` can draw them again)")


def _retire(dataset: str, say: Say) -> None:
    """Remove the split lock: groups of one origin must not lend their split to those of another."""
    lock = paths.split_lock(dataset)
    if lock.exists():
        lock.unlink()
        say(f"retired {lock}: its groups are not those of the new photographs")


def track(dataset: str) -> None:
    """Let DVC hash the folder as it is now and write data/sources/D.dvc.

    Raises
    ------
    WorkspaceError
        When DVC refuses.
    """
    remedy = "fix the cause, then give the command again: what is written is kept"
    dvc("add", str(paths.source(dataset)), remedy=remedy)


def _count(root: Path) -> int:
    return sum(path.is_file() for path in below(root)) if root.is_dir() else 0
