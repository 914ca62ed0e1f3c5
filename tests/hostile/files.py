"""What may lie in a folder that a person names: odd names, files that are no files, links, other cases, depth."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from hostile.labels import Planted, label_files
from hostile.values import pick

NAMES = (
    *(
        "a\nb",
        "a\x07b",
        "a\\b",
        " a",
        "a ",
        "é",
        "é",
        "\U0001f600",
        "\u202egnp.a",
        "CON",
        "-rf",
        "--help",
        "a b",
        "a,b",
    ),
    *("$(touch PWN)", "; touch PWN", "`touch PWN`", "%s", "{x}", "a" * 240, "a'b", 'a"b', "*", "~", "#"),
    *(
        "a\u2028b",
        "a\x85b",
        "a\x00b"[:1] + "\udcff",
        "..a",
        "a..",
        "a.png",
        "NaN",
        "null",
        "<b>",
        "&amp;",
        "a|b",
        "=1+1",
    ),
)
LEFTOVERS = (".{}.4711.part", ".{}.swp", "._{}", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden/{}")
DEPTH = 1000
Hazard = Callable[[np.random.Generator, Planted], tuple[Planted, str]]  # does it, and says what was done
SOUND = "as it should be"
MUST_REFUSE = "must be refused"  # begins what is told of a case in which there is no right answer


def photographs(planted: Planted) -> list[Path]:
    """Return the photographs of a planted source."""
    return sorted(planted.root / image for image in planted.truth)


def renamed(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Give one photograph a hostile name; its label keeps the old one, unless the format's label is the folder's."""
    path = pick(rng, photographs(planted))
    target = path.with_name(pick(rng, NAMES) + pick(rng, (path.suffix, path.suffix.upper(), "")))
    if target.exists():
        return planted, "nothing"
    path.rename(target)
    known = dict(planted.truth)
    before, after = (one.relative_to(planted.root).as_posix() for one in (path, target))
    known[after] = known.pop(before)
    return replace(planted, truth=known), f"{before} is called {after!a}"


def label_renamed(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Give a label file a name of another case, or with something behind it that is hardly seen."""
    path = pick(rng, label_files(planted))
    suffix = path.suffix[1:]
    others = (
        suffix.upper(),
        suffix.capitalize(),
        *(f"{suffix}{last}" for last in (" ", ".", "\u200b", "\u0301", "\t")),
    )
    target = path.with_name(f"{path.stem}.{pick(rng, others)}")
    path.rename(target)
    return planted, f"{path.name} is called {target.name!r}"


def label_folder_renamed(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Give the folder of the labels a name of another case."""
    folder = pick(rng, label_files(planted)).parent
    if folder == planted.root:
        return label_renamed(rng, planted)
    others = (folder.name.upper(), folder.name.capitalize(), *(f"{folder.name}{last}" for last in (" ", ".", "\u200b")))
    target = folder.with_name(pick(rng, others))
    folder.rename(target)
    known = {image.replace(f"{folder.name}/", f"{target.name}/", 1): held for image, held in planted.truth.items()}
    return replace(planted, truth=known), f"{folder.name} is called {target.name!r}"


def label_no_file(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Put what is no regular file in the place of a label file."""
    path = pick(rng, label_files(planted))
    path.unlink()
    return planted, f"{MUST_REFUSE}: {path.name} is {_special(rng, path, folder=True)}"


def photograph_no_file(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Put what is no regular file in the place of a photograph, or beside the photographs."""
    path = pick(rng, photographs(planted))
    if rng.random() < 0.5:
        path = path.with_name("zz.jpg")
    else:
        path.unlink()
    return planted, f"{MUST_REFUSE}: {path.name} is {_special(rng, path, folder=False)}"


def _special(rng: np.random.Generator, path: Path, *, folder: bool) -> str:
    how = pick(rng, ("a FIFO", "a socket", "a device", *(["a folder"] if folder else [])))
    if how == "a folder":
        path.mkdir()
    elif how == "a device" and os.geteuid() == 0:
        os.mknod(path, 0o20644, os.makedev(1, 3))  # as /dev/null
    elif how == "a socket":
        with socket.socket(socket.AF_UNIX) as one, _inside(path.parent):
            one.bind(path.name)  # a socket's path has 107 bytes
    else:
        os.mkfifo(path)
        how = "a FIFO"
    return how


class _inside:  # noqa: N801 # contextlib.chdir, whose return here must survive a folder without a name
    def __init__(self, folder: Path) -> None:
        self.folder, self.before = folder, Path.cwd()

    def __enter__(self) -> None:
        os.chdir(self.folder)

    def __exit__(self, *error: object) -> None:
        os.chdir(self.before)


def linked(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Replace a photograph or label by a link: to itself elsewhere in the source, or where no link may lead."""
    path = pick(rng, [*photographs(planted), *label_files(planted)])
    how = pick(rng, ("inside", "outside", "nothing", "itself", "a folder", "absolute"))
    hidden = path.with_name(f"{path.name}.kept" if how == "inside" else f"{path.name}.gone")
    path.rename(hidden)
    if how in ("outside", "absolute"):
        target = planted.root.parent / "outside.bin"
        hidden.rename(target)
        path.symlink_to(target.absolute() if how == "absolute" else os.path.relpath(target, path.parent))
    else:
        path.symlink_to({"inside": hidden.name, "nothing": "gone", "itself": path.name}.get(how, "."))
        if how != "inside":
            hidden.unlink()
    told = f"{path.name} is a link to {how}"
    return planted, told if how == "inside" else f"{MUST_REFUSE}: {told}"


def folder_linked(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Put a link to a folder beside the photographs: to the source itself, or out of it."""
    path = photographs(planted)[0].parent / "more"
    target = pick(rng, ("/etc", ".", "..", "../.."))
    path.symlink_to(target)
    return planted, f"{MUST_REFUSE}: {path.name} is a link to the folder {target}"


def deep(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Put a label or a photograph below a thousand folders."""
    path = pick(rng, [*photographs(planted), *label_files(planted)])
    depth = int(pick(rng, (20, 200, DEPTH)))
    with _inside(path.parent):
        for _ in range(depth):
            os.mkdir("d")  # noqa: PTH102 # a path of this length is too long for the whole
            os.chdir("d")
        Path("x").write_bytes(path.read_bytes())
        os.rename("x", path.name)  # noqa: PTH104
    target = path.parent / ("d/" * depth + path.name)
    return _with(planted, target), f"a copy of {path.name} lies {depth} folders deep"


def _with(planted: Planted, path: Path) -> Planted:
    """One more file, which is a photograph or not: an accepted source need be no more than sane."""
    more = planted.truth | {path.relative_to(planted.root).as_posix(): ("missing", None, ())}
    return replace(planted, truth=more, known=False)


def leftover(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Leave beside a photograph or label what a killed command or a file manager leaves."""
    path = pick(rng, [*photographs(planted), *label_files(planted)])
    target = path.parent / pick(rng, LEFTOVERS).format(path.name)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(path.read_bytes()[: int(rng.integers(80))])
    return planted, f"{target.name} lies beside {path.name}"


def copied(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Put a second label or photograph there whose name differs by case alone."""
    path = pick(rng, [*photographs(planted), *label_files(planted)])
    target = path.with_name(pick(rng, (path.name.upper(), path.stem + path.suffix.upper(), path.name.capitalize())))
    if target.exists():
        return planted, "nothing"
    target.write_bytes(path.read_bytes())
    return _with(planted, target), f"{target.name} lies beside {path.name}"


def emptied(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Empty or remove a label file."""
    path = pick(rng, label_files(planted))
    if rng.random() < 0.5:
        path.write_bytes(b"")
    else:
        path.unlink()
    return replace(planted, known=False), f"{path.name} is empty or gone"


def unspoilt(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Change nothing."""
    return planted, SOUND


HAZARDS: dict[str, Hazard] = {
    "names": renamed,
    "labels of another case": label_renamed,
    "folders of another case": label_folder_renamed,
    "labels that are no files": label_no_file,
    "photographs that are no files": photograph_no_file,
    "links": linked,
    "links to folders": folder_linked,
    "depth": deep,
    "leftovers": leftover,
    "twins": copied,
    "empty labels": emptied,
    "nothing": unspoilt,
}
