"""The door of command lines: option values, paths to read and to write, and names, for every command of `vouch`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from hostile import files, images, labels, outputs, values
from hostile.contract import Attempt
from hostile.entering import small_files, staged, typed, workspace
from hostile.values import WORDS, noisy, pick
from vouch import io, paths
from vouch.stages import ingest

FORMATS = ("yolo", "coco", "voc", "imagefolder", "csv", "jsonl", "xml", "")
SAID = ("here/data/sources", "here/params.yaml", "here/splits")
PROMOTED = ("here/registry", "here/params.yaml", "here/.dvc/cache")
TYPED = tuple(word for word in WORDS if "\x00" not in word and len(word) < 10000)  # what a shell can pass on
MODELS = (
    "driver",
    "roadwork",
    "nobody",
    "../driver",
    "",
    ".",
    "driver/bundle",
    "DRIVER",
    "a" * 300,
    "dri\nver",
    "\udcff",
    "[red]",
)
RULES = (
    *(
        "session=name:^(a+)+$",
        "session=name:^([a-z]+)*$",
        "session=name:(",
        "session=name:x",
        "session=folder:" + "9" * 5000,
    ),
    *(
        "session=folder:0",
        "session=folder:x",
        "session=folder:-1",
        "session=column:nobody",
        "session=value:",
        "session",
        "=",
    ),
    *(
        "session=value:a\nb",
        "=value:x",
        "session=value:s1",
        "a=b=c:d",
        "session=name:^(s[0-9])_",
        "session=name:" + "(a|" * 300,
    ),
)
TABLES = (
    "image,class_pred,score\na,can,0.5\n",
    "sample_id,group,class_pred,score\na,g,clear,nan\n",
    "image,probability_clear,probability_works\na,0.5,0.6\n",
    *("", "a,b\n1\n2,3,4\n", "\x00", "sample_id,sample_id\na,b\n", '"', "image\n" + "a\n" * 99),
)
TABLE = "image,class_pred,score\n" + "".join(f"p{i},clear,{0.3 + i % 7 / 10}\n" for i in range(200))


def _attempt(
    words: list[str], right: Callable[[Any], str], *, out: str | None = None, rewritten: tuple[str, ...] = ()
) -> Attempt:
    new = () if out is None else outputs.owned(out)
    told = " ".join(ascii(word)[1:-1] for word in words)
    return Attempt(f"vouch {told}"[:400], lambda: typed(*words), right, new, rewritten)


def _any(said: Any) -> str:
    return ""


def _predict(rng: np.random.Generator, folder: Path) -> Attempt:
    workspace(folder)
    picture = pick(rng, ("new/p0.jpg", "new/p1.png", "./new/p0.jpg"))
    out = outputs.output(rng, ".png", ".jpg")
    words = ["predict", "driver", picture if rng.random() < 0.9 else "new", "-o", out]
    return _attempt(words, lambda _: _picture_fault(out), out=out)


def _picture_fault(out: str) -> str:
    path = Path(out)
    expected = Image.registered_extensions().get(path.suffix.lower())
    if not path.is_file():
        return "exits 0 and wrote nothing"
    with Image.open(path) as picture:
        found = picture.format
    return "" if found == expected else f"wrote {found} to a file that ends in {path.suffix!r}"


def _csv(rng: np.random.Generator, folder: Path) -> Attempt:
    workspace(folder)
    model = pick(rng, ("driver", "roadwork"))
    out = outputs.output(rng, ".csv")
    words = ["predict", model, pick(rng, ("new", "new/p0.jpg", "data/sources/driver/mine")), "--csv", out]
    return _attempt(words, lambda _: _table_fault(out), out=out)


def _table_fault(out: str) -> str:
    path = Path(out).absolute()  # pandas takes a leading ~ for the home folder
    if not path.is_file():
        return "exits 0 and wrote nothing"
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return "" if "confidence" in table else "wrote no table of answers"


def _export(rng: np.random.Generator, folder: Path) -> Attempt:
    workspace(folder)
    form = pick(rng, FORMATS)
    out = outputs.output(rng, ".jsonl", "", ".csv", ".json")
    words = ["manifest", "export", pick(rng, (*["driver"] * 5, *MODELS)), "-o", out, "--format", form]
    return _attempt(words, lambda _: _export_fault(out, form), out=out)


def _export_fault(out: str, form: str) -> str:
    """Read the export again as a source, by the code of the import: the labels are those of the data set."""
    whole = io.read_table(paths.manifest("driver", "boxes"))
    texts = [Path(out)] if Path(out).is_file() else sorted(Path(out).rglob("*.txt" if form == "yolo" else "*"))
    count = sum(path.read_text(errors="replace").count("\n") for path in texts if path.is_file() and form == "yolo")
    lost = form == "yolo" and count != len(whole)
    return "exits 0 and wrote nothing" if not texts else f"wrote {count} of {len(whole)} boxes" if lost else ""


def _drift(rng: np.random.Generator, folder: Path) -> Attempt:
    workspace(folder)
    model = pick(rng, ("driver", "roadwork"))
    option = pick(rng, ("--json", "--page"))
    out = outputs.output(rng, ".json", "")
    words = [
        "drift",
        model,
        pick(rng, ("new", "data/sources/driver/mine", "table.csv", "nobody", "params.yaml")),
        option,
        out,
    ]
    Path("table.csv").write_text(TABLE)
    return _attempt(words, lambda _: "" if Path(out).exists() else "exits 0 and wrote nothing", out=out)


def _tables(rng: np.random.Generator, folder: Path) -> Attempt:
    """A table, or a list of groups, that is none."""
    workspace(folder)
    text = pick(rng, (*TABLES, TABLE))
    path = Path(f"table.{pick(rng, ('csv', 'parquet', 'csv', 'CSV'))}")
    if rng.random() < 0.15:
        os.mkfifo(path)
    elif path.suffix == ".parquet":
        pd.DataFrame({"sample_id": ["a", "b"], "class_pred": ["clear", "works"], "score": [0.5, 0.6]}).to_parquet(path)
        path.write_bytes(noisy(rng, path.read_bytes()))
    else:
        path.write_bytes(noisy(rng, text.encode()) if rng.random() < 0.5 else text.encode())
    words = ["drift", pick(rng, ("driver", "roadwork"))]
    words += [str(path)] if rng.random() < 0.6 else [pick(rng, ("new", "table.csv")), "--groups", str(path)]
    return _attempt(words, _any)


def _photographs(rng: np.random.Generator, folder: Path) -> Attempt:
    """Photographs that are none, among some that are."""
    workspace(folder)
    more = Path("more")
    planted = labels.plant(more.absolute(), "csv", labels.photos(rng, 3), "negative")
    hazard = pick(
        rng, ("names", "photographs that are no files", "links", "links to folders", "depth", "twins", "picture")
    )
    told = ""
    if hazard == "picture":
        picture = pick(rng, tuple(images.PICTURES.values()))(rng)
        (more / f"x{picture.suffix}").write_bytes(picture.content)
        told = picture.told
    else:
        _, told = files.HAZARDS[hazard](rng, planted)
    model = pick(rng, ("driver", "roadwork"))
    listed = ["more"] if rng.random() < 0.7 else sorted(str(path) for path in more.iterdir())
    words = ["predict", model, *listed, "--csv", "out.csv"] if rng.random() < 0.8 else ["drift", model, "more"]
    made = _attempt(words, lambda _: _table_fault("out.csv") if words[0] == "predict" else "", out="out.csv")
    return Attempt(f"{made.told} ({told})", made.enter, made.right, made.new)


def _words(rng: np.random.Generator, folder: Path) -> Attempt:
    """Names and numbers that are none, in any place of any command."""
    workspace(folder)
    word, model = pick(rng, TYPED), pick(rng, MODELS)
    lines: list[list[str]] = [
        ["predict", model, "new"],
        ["predict", "driver", word],
        ["predict", "driver", "new", "--bundle", word],
        ["gate", model],
        ["gate", word, "--enforce"],
        ["compare", model],
        ["promote", model],
        ["promote", "driver", "--despite", word],
        ["drift", model, "new"],
        ["drift", "driver", word],
        ["deploy", model, "out", "--to", "triton"],
        ["deploy", "driver", "out", "--to", pick(rng, ("triton", "x", word)), "--max-batch", pick(rng, TYPED)],
        ["deploy", "driver", "out", "--to", "triton", "--delay-us", pick(rng, TYPED)],
        ["deploy", "driver", "out", "--to", "openvino", "--tolerance", pick(rng, values.NUMBERS)],
        ["deploy", "driver", "out", "--to", "tensorrt", "--precision", pick(rng, ("float16", "x"))],
        ["deploy", "--lint", word],
        ["manifest", "export", word, "-o", "out"],
        ["import", model, word],
        ["import", "driver", "--undo", word],
        [word],
        [word, word, word],
        [pick(rng, ("predict", "gate", "compare", "promote", "drift", "deploy", "manifest", "import")), f"--{word}"],
    ]
    words = pick(rng, lines)
    return _attempt(words, _any, out="out", rewritten=PROMOTED if words[0] == "promote" else ())


def _import(rng: np.random.Generator, folder: Path) -> Attempt:
    """An import with one odd option; what it accepts, the stage ingest reads back as it was."""
    here = workspace(folder, "params.yaml", "splits")
    form, unlabelled = pick(rng, FORMATS[:6]), pick(rng, (*["negative"] * 4, "refuse", "x"))
    planted = labels.plant(folder / "source", form, labels.photos(rng), unlabelled)
    options = {
        "--format": form,
        "--group": "session=value:s1",
        "--strata": "light=value:day",
        "--unlabelled": unlabelled,
    }
    fifo, sourced = folder / "source/fifo", folder / "source/source.json"
    odd: dict[str, Callable[[], Any]] = {
        "--name": lambda: pick(
            rng, ("name", "render", "source.json", "../x", "a", "A", "-", "con", ".x", "x.part", *TYPED)
        ),
        "--group": lambda: pick(rng, RULES),
        "--strata": lambda: pick(rng, ("light=value:night", "light", "x=value:y", *RULES)),
        "--label-map": lambda: pick(rng, ("can=", "can=jar", "=", "x", "can=zebra", "zebra=can", *TYPED)),
        "--manifest": lambda: pick(
            rng, (str(fifo), "/dev/null", "/dev/zero", str(folder), "nobody", str(here / "params.yaml"))
        ),
        "--annotations": lambda: pick(
            rng, (str(fifo), "/dev/null", "/dev/zero", "source.json", str(sourced), "nobody", "..")
        ),
        "--images": lambda: pick(rng, ("..", "/", "images", ".", "", "JPEGImages", "../../..", *TYPED)),
        "--format": lambda: pick(rng, FORMATS),
    }
    name = pick(rng, tuple(odd))
    os.mkfifo(fifo)
    fifo_kept = rng.random() < 0.1
    options[name] = odd[name]()
    if name == "--annotations" and "source.json" in options[name]:
        label = labels.label_files(planted)[0]
        label.rename(sourced)
    if not fifo_kept and str(fifo) not in options.values():
        fifo.unlink()
    if name == "--group" and "a+" in options[name]:
        (folder / "source" / planted.truth.__iter__().__next__()).with_name("a" * 40 + "!.png").write_bytes(b"x")
    words = ["import", "driver", str(folder / "source"), *(part for pair in options.items() for part in pair)]
    known = name in ("--name", "--group", "--strata", "--format")
    sane = labels.Planted(planted.root, form, unlabelled, planted.truth, known=known)
    made = _attempt(words, lambda _: _import_fault(sane), rewritten=(*SAID, "here/.dvc", "here/data"))
    return made


def _import_fault(planted: labels.Planted) -> str:
    staged(ingest, "driver")
    samples, boxes = (io.read_table(paths.manifest("driver", table)) for table in ("samples", "boxes"))
    return labels.fault(planted, samples, boxes)


def _undo(rng: np.random.Generator, folder: Path) -> Attempt:
    """An undo of an import, where a person has added or changed something since."""
    workspace(folder, "params.yaml", "splits")
    labels.plant(folder / "source", "yolo", labels.photos(rng), "negative")
    rules = ("--group", "session=value:s1", "--strata", "light=value:day", "--name", "mine")
    typed("import", "driver", str(folder / "source"), "--format", "yolo", *rules)
    root = Path("data/sources/driver")
    held = sorted(path for path in root.rglob("*") if path.is_file())
    changes: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "a file is gone": lambda: pick(rng, held).unlink(),
        "a file of a file manager is added": lambda: (root / "mine/.DS_Store").write_bytes(b"x"),
        "a file is added": lambda: (root / pick(rng, ("mine/images/mine.jpg", "notes.txt", ".x"))).write_bytes(b"x"),
        "a file is changed": lambda: pick(rng, held).write_bytes(b"x"),
        "a pipe is added": lambda: os.mkfifo(root / "mine/pipe"),
        "a link is added": lambda: (root / "mine/link").symlink_to(pick(rng, ("images", "/etc", "gone", "images/x"))),
        "the record is spoilt": lambda: spoil(root.with_name("driver.dvc")),
    }

    def spoil(path: Path) -> None:
        path.write_bytes(noisy(rng, path.read_bytes()))

    change = pick(rng, tuple(changes))
    changes[change]()
    lost = "a person's file is gone" if change in tuple(changes)[3:6] else ""
    made = _attempt(["import", "driver", "--undo"], lambda _: lost, rewritten=SAID)
    return Attempt(f"{made.told} ({change})", made.enter, made.right, made.new, made.rewritten, change == "nothing")


def _lint(rng: np.random.Generator, folder: Path) -> Attempt:
    """A model repository of Triton with a configuration that is none."""
    workspace(folder)
    typed("deploy", "driver", "repository", "--to", "triton")
    path = pick(rng, sorted(Path("repository").rglob("config.pbtxt")))
    text = path.read_text()
    depth = int(pick(rng, (10, 3000, 100000)))
    texts = (
        "a {" * depth + "}" * depth,
        "a: [" * depth,
        "",
        '"',
        text.replace(":", " ", 1),
        "max_batch_size: " + "9" * 5000,
    )
    if rng.random() < 0.5:
        path.write_text(pick(rng, texts))
    else:
        path.write_bytes(noisy(rng, values.respelt(rng, text).encode("utf-8", "surrogatepass")))
    if rng.random() < 0.2:
        path.unlink()
        os.mkfifo(path)
    return _attempt(["deploy", "--lint", pick(rng, ("repository", str(path.parent)))], _any)


def _deploy(rng: np.random.Generator, folder: Path) -> Attempt:
    workspace(folder)
    out = outputs.output(rng, "")
    words = ["deploy", pick(rng, ("driver", "roadwork")), out, "--to", "triton"]
    return _attempt(
        words, lambda _: "" if (Path(out) / "driver_ensemble").exists() or words[1] != "driver" else "no model", out=out
    )


def _full(rng: np.random.Generator, folder: Path) -> Attempt:
    """The disk is full."""
    workspace(folder)
    lines = (
        ["promote", "driver"],
        ["manifest", "export", "driver", "-o", "out.jsonl"],
        ["manifest", "export", "driver", "-o", "out", "--format", pick(rng, ("yolo", "voc"))],
        ["predict", "roadwork", "data/sources/driver/mine", "--csv", "out.csv"],
        ["predict", "driver", "new/p0.jpg", "-o", "out.png"],
        ["deploy", "driver", "out", "--to", "triton"],
    )
    words = pick(rng, lines)
    made = _attempt(words, lambda _: "exits 0 on a full disk" if size < 100 else "", out="out", rewritten=PROMOTED)
    size = int(pick(rng, (0, 60, 800)))

    def enter() -> str:
        with small_files(size):
            return typed(*words)

    return Attempt(
        f"{made.told}, files of {size} bytes at most",
        enter,
        made.right,
        (*made.new, "here/out.jsonl", "here/out.csv", "here/out.png"),
        made.rewritten,
    )


KINDS = {
    "predict -o": _predict,
    "predict --csv": _csv,
    "export -o": _export,
    "drift --json --page": _drift,
    "tables": _tables,
    "photographs": _photographs,
    "words": _words,
    "more words": _words,
    "import": _import,
    "more imports": _import,
    "undo": _undo,
    "lint": _lint,
    "deploy": _deploy,
    "full disk": _full,
}
