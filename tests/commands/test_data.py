import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from full_disk import full_disk
from vouch import io, paths
from vouch.commands import importing
from vouch.commands.data import import_, manifest_export
from vouch.errors import ManifestError, VouchError, WorkspaceError
from vouch.sources.descriptor import check_descriptor
from vouch.sources.merge import Taxonomy
from vouch.sources.tree import walk
from vouch.stages import ingest

PARAMS = """pipeline:
  rendered: # drawn
  - driver
  - shelf
  # what follows
  unpromoted:
  - driver
datasets:
  driver:
    render:
      seed: 1
    ingest:
      classes:
      - can
      - jar
      group_keys:
      - session
      strata:
        light:
        - day
        - night
  shelf: {}
"""
IGNORED = "/data/*/?*\n!/data/sources/?*.dvc\n/.dvc/tmp\n/.dvc/cache\n"
SIDE = "file,who,light\nimages/a.jpg,s1,day\nimages/b.jpg,s2,night\n"
YOLO = {
    "data.yaml": "path: /home/someone\nnames: [Can, jar, dog]\n",
    "images/a.jpg": None,
    "images/b.jpg": None,
    "labels/a.txt": "0 .5 .5 .2 .2\n2 .5 .5 .1 .1\n",
    "labels/b.txt": "1 .5 .5 .2 .2\n",
    "manifest.csv": SIDE,
    "notes.doc": "not a label",
}
WORDS = ["--group", "session=column:who", "--strata", "light", "--label-map", "Can=can", "--label-map", "dog="]

app = typer.Typer()
app.command("import")(import_)
app.command("export")(manifest_export)


def vouch(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def plant(root: Path, files: dict[str, str | None]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            Image.new("RGB", (20, 10)).save(root / name)
        else:
            (root / name).write_text(text)
    return root


def everything(root: Path = Path()) -> dict[str, bytes]:
    hidden = (".dvc", ".git")
    return {
        str(path): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parts[0] not in hidden
    }


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a rendered data set, as `dvc init` leaves it: enough for what fails before DVC is called."""
    root = tmp_path / "checkout"
    files = {
        "params.yaml": PARAMS,
        ".gitignore": IGNORED,
        ".dvc/config": "",
        "splits/driver.lock.csv": "group,split\n",
        "data/sources/driver/render/source.json": '{"name": "render", "format": "jsonl", "unlabelled": "refuse"}',
    }
    monkeypatch.chdir(plant(root, dict(files).copy()))
    return tmp_path


def with_dvc(*, git: bool) -> None:
    Path(".dvc/config").unlink()
    Path(".dvc").rmdir()
    if git:
        subprocess.run(["git", "init", "--quiet"], check=True)
    words = [] if git else ["--no-scm"]
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", *words], check=True)


def test_import_and_a_second_source_and_undo_in_a_repository(checkout: Path):
    with_dvc(git=True)
    out = vouch("import", "driver", plant(checkout / "mine", YOLO), "--format", "yolo", "--name", "mine", *WORDS)
    assert Path("params.yaml").read_text() == PARAMS.replace(
        "  rendered: # drawn\n  - driver\n", "  rendered: # drawn\n"
    )
    assert not Path("splits/driver.lock.csv").exists()
    assert sorted(everything(Path("data"))) == [
        f"data/sources/{name}"
        for name in [
            "driver.dvc",
            *(f"driver/mine/{file}" for file in ["images/a.jpg", "images/b.jpg", "labels/a.txt", "labels/b.txt"]),
            "driver/mine/manifest.csv",
            "driver/mine/source.json",
        ]
    ]
    content = json.loads(Path("data/sources/driver/mine/source.json").read_text())
    assert content["classes"] == ["Can", "jar", "dog"]
    assert not any(b"/home" in text or str(checkout).encode() in text for text in everything(Path("data")).values())
    untracked = subprocess.run(
        ["git", "status", "--short", "-uall", "data"], capture_output=True, text=True, check=True
    )
    assert untracked.stdout == "?? data/sources/driver.dvc\n"
    for line in ("photographs", "boxes of class dog", "session", "retired splits/driver.lock.csv"):
        assert line in out

    Path("splits/driver.lock.csv").write_text("group,split\ns1,train\n")
    more = plant(checkout / "more", {"manifest.csv": "file,label\nx.jpg,jar\n", "x.jpg": None})
    rules = ["--group", "session=value:s9", "--strata", "light=value:day"]
    assert "split assign" not in out
    said = vouch("import", "driver", more, "--format", "csv", "--name", "more", *rules)
    assert "vouch split assign driver --source more --to train" in said
    assert Path("splits/driver.lock.csv").exists()
    ingest.run("driver")
    samples = io.read_table(paths.manifest("driver", "samples"))
    assert samples["sample_id"].tolist() == ["mine/images/a.jpg", "mine/images/b.jpg", "more/x.jpg"]
    assert samples["group_session"].tolist() == ["s1", "s2", "s9"]

    made = {"driver/mine/labels/a.txt": "0 .5 .5 .2 .2\n", "driver/notes.txt": "mine", "driver/mine/.hidden/x": ""}
    before = {name: Path("data/sources", name).read_bytes() for name in made if Path("data/sources", name).exists()}
    plant(Path("data/sources"), dict(made))
    whole = everything()
    with pytest.raises(WorkspaceError) as caught:
        vouch("import", "driver", "--undo")
    assert [(problem.where, problem.got) for problem in caught.value.problems] == [
        ("data/sources/driver/mine/.hidden/x", "one that was added since"),
        ("data/sources/driver/mine/labels/a.txt", "another content"),
        ("data/sources/driver/notes.txt", "one that was added since"),
    ]
    assert everything() == whole
    for name in made:
        Path("data/sources", name).unlink()
    for name, content in before.items():
        Path("data/sources", name).write_bytes(content)

    vouch("import", "driver", "--undo")
    assert Path("params.yaml").read_text() == PARAMS
    assert not any(Path("data/sources").iterdir())
    assert not Path("splits/driver.lock.csv").exists()
    with pytest.raises(WorkspaceError, match="nothing is to be undone"):
        vouch("import", "driver", "--undo")


def test_the_split_of_the_authors_is_kept_in_its_own_words(checkout: Path):
    with_dvc(git=False)
    Path("params.yaml").write_text(PARAMS.replace("    render:\n", "    split:\n      stated: {}\n    render:\n"))
    side = "file,who,light,part\nimages/a.jpg,s1,day,train\nimages/b.jpg,s2,night,\n"
    root = plant(checkout / "mine", {**YOLO, "manifest.csv": side})
    out = vouch("import", "driver", root, "--format", "yolo", *WORDS, "--split", "part")
    assert "a split (train), which means nothing until datasets.driver.split.stated says" in out
    descriptor = json.loads(Path("data/sources/driver/imported/source.json").read_text())
    assert descriptor["split"] == {"column": "part"}
    ingest.run("driver")
    samples = io.read_table(paths.manifest("driver", "samples"))
    assert samples["split_stated"].tolist()[0] == "train"
    assert samples["split_stated"].isna().tolist() == [False, True]
    text = Path("params.yaml").read_text().replace("stated: {}", "stated:\n        test:\n        - val_test")
    Path("params.yaml").write_text(text)
    out = vouch("import", "driver", root, "--format", "yolo", *WORDS, "--split", "part", "--name", "again")
    assert "has no meaning for train: the stage split refuses them" in out


def test_a_column_of_split_names_is_refused_once_and_left_out_when_told(checkout: Path):
    with_dvc(git=False)
    side = "file,who,light,group_split\nimages/a.jpg,s1,day,train\nimages/b.jpg,s2,night,val\n"
    words = ["import", "driver", plant(checkout / "mine", {**YOLO, "manifest.csv": side}), "--format", "yolo", *WORDS]
    with pytest.raises(ManifestError) as caught:
        vouch(*words)
    (found,) = caught.value.problems
    assert found.where == "imported: manifest.csv: column group_split"
    assert "`--ignore group_split`" in found.remedy
    vouch(*words, "--ignore", "group_split")
    assert json.loads(Path("data/sources/driver/imported/source.json").read_text())["ignore"] == ["group_split"]
    ingest.run("driver")
    assert "group_split" not in io.read_table(paths.manifest("driver", "samples"))


@pytest.mark.parametrize("text", ["", "outs: []", "outs:\n- md5: x\n", "- 1", "{", "outs:\n- nfiles: x\n  md5: ['']\n"])
def test_a_record_that_is_none_is_refused(checkout: Path, text):
    path = plant(Path(), {"data/sources/driver.dvc": text}) / "data/sources/driver.dvc"
    for words in (["driver", "--undo"], ["driver", plant(checkout / "mine", YOLO), "--format", "yolo", *WORDS]):
        with pytest.raises(WorkspaceError, match=str(path)):
            vouch("import", *words)


FORMATS = "--format: expected one of 'yolo', 'coco', 'voc', 'imagefolder', 'csv' or 'jsonl', got "


@pytest.mark.parametrize(
    ("words", "files", "error", "text"),
    [
        (
            ["driver", "mine", "--format", "xml"],
            {},
            ManifestError,
            f"{FORMATS}'xml'; choose one",
        ),
        (["driver", "mine"], {}, ManifestError, f"{FORMATS}nothing; choose one"),
        (["driver", "min", "--format", "yolo"], {}, ManifestError, "got no min; perhaps `mine` was meant"),
        (["driver", "--format", "yolo"], {}, ManifestError, "got nothing"),
        (["driver", "mine", "--format", "yolo", *WORDS, "--split", "folder:0x"], {}, ManifestError, "'folder:0x'"),
        (["driver", "mine", "--format", "yolo", *WORDS, "--split", "part"], {}, ManifestError, "rule of `split`"),
        (["driver", "mine", "--format", "yolo", *WORDS, "--split", "name:(x)"], {}, ManifestError, "2 problems"),
        (["driver", "mine", "--format", "yolo", "--name", "../x"], {}, ManifestError, "options.name"),
        (["driver", "mine", "--format", "yolo", *WORDS, "--name", "render"], {}, WorkspaceError, "render uses this"),
        (["driver", "mine", "--format", "yolo", *WORDS[:-2]], {}, ManifestError, "'dog' (1 label)"),
        (["driver", "mine", "--format", "yolo", *WORDS[2:]], {}, ManifestError, "group key `session`"),
        (
            ["driver", "mine", "--format", "yolo", *WORDS],
            {"labels/a.txt": "0 1 1\n9 2 x 1 1"},
            ManifestError,
            "4 problems",
        ),
        (["driver", "mine", "--format", "yolo", *WORDS], {"labels/c.txt": ""}, ManifestError, "labels/c.txt"),
        (["driver", "mine", "--format", "csv", "--manifest", "mine/manifest.csv"], {}, ManifestError, "side manifest"),
        (["driver", "mine", "--format", "voc", *WORDS[:4]], {}, ManifestError, "a label of at least one photograph"),
        (["driver", "mine", "--format", "csv", *WORDS[:4]], {}, ManifestError, "a label of at least one photograph"),
    ],
)
def test_a_refused_import_changes_nothing(checkout: Path, words, files, error, text):
    plant(Path("mine"), {**YOLO, **files})
    before = everything()
    with pytest.raises(error) as caught:
        vouch("import", *words)
    assert text in str(caught.value)
    assert everything() == before


def test_links_that_leave_the_source_are_refused(checkout: Path):
    root = plant(checkout / "mine", YOLO)
    (root / "images/c.jpg").symlink_to(checkout / "secret.jpg")
    with pytest.raises(ManifestError, match="one that leaves it"):
        vouch("import", "driver", root, "--format", "yolo", *WORDS)


def checked(root: Path) -> importing.Checked:
    rules = {"groups": {"session": {"column": "who"}}, "strata": {"light": {"column": "light"}}}
    labels = {"Can": "can", "dog": None}
    content = {"name": "mine", "format": "yolo", "unlabelled": "refuse", "labels": labels, **rules}
    taxonomy = Taxonomy(("can", "jar"), ("session",), {"light": ("day", "night")})
    return importing.check("driver", walk(root), check_descriptor(content, "test"), taxonomy)


def test_a_photograph_that_vanishes_during_the_copy_loses_nothing(checkout: Path):
    source = checked(plant(checkout / "mine", YOLO))
    (checkout / "mine/images/b.jpg").unlink()
    before = everything()
    with pytest.raises(WorkspaceError, match=r"images/b\.jpg"):
        importing.add("driver", source, print)
    assert everything() == before


def test_an_import_that_was_killed_is_finished_by_the_next(checkout: Path, capsys):
    with_dvc(git=False)
    source = checked(plant(checkout / "mine", YOLO))
    plant(Path("data/sources/.driver.part"), {".source": "mine", "mine/images/a.jpg": None})  # killed while copying
    importing.add("driver", source, print)
    whole = everything(Path("data"))
    assert not Path("data/sources/.driver.part").exists()

    plant(Path("data/sources/.driver.part"), {".source": "mine"})  # killed between the rename and `dvc add`
    Path("data/sources/driver.dvc").unlink()
    importing.add("driver", source, print)
    assert everything(Path("data")) == whole
    assert "it is now complete" in capsys.readouterr().out

    with pytest.raises(WorkspaceError, match="no source of this name yet"):
        importing.add("driver", source, print)
    Path("data/sources/driver/mine/images/a.jpg").unlink()
    with pytest.raises(WorkspaceError, match="5 of its 6 files"):
        importing.add("driver", source, print)


def test_data_put_there_by_hand_are_neither_removed_nor_tracked(checkout: Path):
    Path("params.yaml").write_text(PARAMS.replace("  - driver\n  - shelf\n", "  - shelf\n", 1))
    plant(Path("data/sources/driver"), {"byhand/a.jpg": None})
    source = checked(plant(checkout / "mine", YOLO))
    with pytest.raises(WorkspaceError, match="move it away"):
        importing.add("driver", source, print)
    with pytest.raises(WorkspaceError, match="nothing is to be undone"):
        importing.undo("driver", print, drawn=True)
    assert Path("data/sources/driver/byhand/a.jpg").exists()


@pytest.mark.parametrize("form", ["jsonl", "yolo"])  # a file and a folder; test_round_trip has every format
def test_an_exported_manifest_is_imported_again(checkout: Path, form: str):
    root = plant(Path("data/sources/driver/mine"), YOLO)
    manifest = checked(root).manifest
    for table in ("samples", "boxes"):
        io.write_table(paths.manifest("driver", table), getattr(manifest, table))
    output = checkout / f"exported.{form}"
    vouch("export", "driver", "-o", output, "--format", form)
    Path("data/sources/driver").rename(checkout / "elsewhere")  # in its place these would be nobody's: see `_unknown`
    root = output if output.is_dir() else checkout / "elsewhere"
    words = ("import", "driver", root, "--format", form, *([] if output.is_dir() else ["--annotations", output]))
    # no git repository here: everything before it has worked, and what DVC says of it is told
    with pytest.raises(VouchError, match=r"dvc add data/sources/driver: expected success, got ERROR: "):
        vouch(*words)
    ingest.run("driver")
    boxes = io.read_table(paths.manifest("driver", "boxes"))
    pd.testing.assert_frame_equal(boxes.drop(columns="sample_id"), manifest.boxes.drop(columns="sample_id"))
    assert set(io.read_table(paths.manifest("driver", "samples"))["stratum_light"]) == {"day", "night"}


def test_an_export_needs_a_manifest_and_a_free_folder(checkout: Path):
    with pytest.raises(VouchError, match="dvc repro ingest@driver"):
        vouch("export", "driver", "-o", "x.jsonl")
    with pytest.raises(ManifestError, match="'xml'"):
        vouch("export", "driver", "-o", "x.jsonl", "--format", "xml")


@pytest.mark.parametrize("form", ["jsonl", "csv", "coco", "yolo", "voc"])
def test_an_export_onto_a_full_disk_leaves_nothing_half_written(checkout: Path, form: str):
    manifest = checked(plant(Path("data/sources/driver/mine"), YOLO)).manifest
    for table in ("samples", "boxes"):
        io.write_table(paths.manifest("driver", table), getattr(manifest, table))
    before = everything(checkout)
    suffix = {"jsonl": ".jsonl", "csv": ".csv", "coco": ".json"}.get(form, "")
    with full_disk(), pytest.raises(OSError, match="File too large"):
        vouch("export", "driver", "-o", checkout / f"exported{suffix}", "--format", form)
    assert everything(checkout) == before


JSONL = '{"image": "a.jpg", "label": "can", "groups": {"session": "s1"}, "strata": {"light": "day"}}\n'


def test_a_label_file_called_as_the_description_is_refused_not_replaced(checkout: Path):
    mine = plant(checkout / "mine", {"a.jpg": None, "source.json": JSONL})
    words = ("import", "driver", "--format", "jsonl")
    before = everything(checkout)
    for options in ((mine, "--annotations", "source.json"), (mine / "source.json",)):
        with pytest.raises(ManifestError, match=r"source\.json: expected another name than source\.json"):
            vouch(*words, *options)
    assert everything(checkout) == before


def test_a_source_may_be_called_name(checkout: Path):
    with_dvc(git=False)
    mine = plant(checkout / "mine", {"a.jpg": None, "labels.jsonl": JSONL})
    vouch("import", "driver", mine / "labels.jsonl", "--format", "jsonl", "--name", "name")
    assert Path("data/sources/driver/name/labels.jsonl").read_text() == JSONL
    assert not Path("data/sources/.driver.part").exists()


@pytest.mark.parametrize(
    ("form", "lent", "options", "hidden"),
    [
        ("yolo", {"side.csv": SIDE}, ["--manifest", "other/side.csv"], "mine/manifest.csv"),
        (
            "jsonl",
            {"a.jsonl": JSONL, "b/a.jsonl": JSONL},
            ["--annotations", "other/a.jsonl", "--annotations", "other/b/a.jsonl"],
            "other/a.jsonl",
        ),
        ("jsonl", {"notes.doc": JSONL}, ["--annotations", "other/notes.doc"], "mine/notes.doc"),
    ],
)
def test_files_from_elsewhere_never_hide_one_of_the_same_name(checkout: Path, form, lent, options, hidden):
    plant(Path("mine"), YOLO)
    plant(Path("other"), lent)
    before = everything()
    with pytest.raises(ManifestError, match=f"{hidden} too; rename one of the two"):
        vouch("import", "driver", "mine", "--format", form, *WORDS, *options)
    assert everything() == before


def test_an_import_never_deletes_what_stands_beside_rendered_scenes(checkout: Path):
    plant(Path("data/sources/driver"), {"byhand/a.jpg": None})
    source = checked(plant(checkout / "mine", YOLO))
    before = everything()
    with pytest.raises(WorkspaceError, match="byhand: expected rendered scenes or nothing"):
        importing.add("driver", source, print)
    assert everything() == before


def test_a_data_set_that_is_a_link_is_refused_and_where_it_leads_to_stays(checkout: Path):
    source = checked(plant(checkout / "mine", YOLO))
    Path("data/sources/driver").rename(checkout / "elsewhere")
    Path("data/sources/driver").symlink_to(checkout / "elsewhere")
    Path("data/sources/driver.dvc").write_text("outs:\n- nfiles: 1\n")
    for change in (lambda: importing.add("driver", source, print), lambda: importing.undo("driver", print, drawn=True)):
        with pytest.raises(WorkspaceError, match="expected a folder, got a link"):
            change()
    assert (checkout / "elsewhere/render/source.json").exists()
    assert Path("splits/driver.lock.csv").exists()
