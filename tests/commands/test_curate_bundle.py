"""`vouch curate bundle`: chosen photographs as a folder to label, whole or not at all."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import labelling
from vouch import io
from vouch.cli import app
from vouch.errors import DataError, WorkspaceError

HEADER = "photograph,sha256,row_id,class,negative,stratum_light,group_session,source,license\n"


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labelling.build()
    names = labelling.photographs("new", (20, 21))
    lines = [f"{name},{io.sha256(Path(name))},r{place}" for place, name in enumerate(names)]
    Path("chosen.csv").write_text(f"{HEADER}{lines[0]},jar,false,day,s20,ours,MIT\n{lines[1]},can,true,,,,\n")
    boxes = [f"{name},jar,.5,.7,True,5,5,40,40\n" for name in names]
    Path("answers.csv").write_text(labelling.ANSWERS + "".join(boxes))


def bundle(*words):
    result = CliRunner().invoke(app, ["curate", "bundle", "chosen.csv", "--model", "m", "-o", "out", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def files(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_bundle_holds_the_photographs_by_their_bytes_and_says_of_each_what_is_known():
    assert "out: 2 photographs, 1 negative" in bundle("--scores", "answers.csv")
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert (manifest["dataset"], manifest["task"], manifest["classes"]) == ("d", "detect", ["can", "jar"])
    first, second = manifest["photographs"]
    for one, seed in ((first, 20), (second, 21)):
        assert Path("out", one["image"]).read_bytes() == Path(f"new/p{seed}.png").read_bytes()
        assert io.sha256(Path("out", one["image"])) == one["sha256"]
    assert (first["groups"], first["strata"], first["width"], first["height"]) == (
        {"session": "s20"}, {"light": "day"}, 160, 120,
    )  # fmt: skip
    assert len(json.loads(Path("out/annotations.json").read_text())["annotations"]) == 1
    again = files(Path("out"))
    with pytest.raises(WorkspaceError, match="no folder, or an empty one"):
        bundle()
    Path("out").rename("first")
    bundle("--scores", "answers.csv")
    assert files(Path("out")) == again


def test_links_lead_to_the_photographs_from_wherever_the_bundle_is():
    bundle("--links")
    link = next(Path("out/images").iterdir())
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.read_bytes() in [Path(f"new/p{seed}.png").read_bytes() for seed in (20, 21)]


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda: labelling.picture(40).save("new/p20.png"), "another photograph"),
        (lambda: Path("new/p21.png").unlink(), "no file"),
        (lambda: Path("chosen.csv").write_text("photograph,sha256\n"), "a column row_id"),
        (lambda: Path("chosen.csv").write_text(HEADER), "chosen.csv: expected a photograph to be labelled, got no row"),
        (lambda: Path("chosen.csv").write_text(HEADER + "new/p20.png,,,,,,,,\n" * 2), "each photograph once"),
        (
            lambda: Path("chosen.csv").write_text(Path("chosen.csv").read_text().replace("true", "TRUE")),
            "chosen.csv:3: negative: expected true or false, got 'TRUE'",
        ),
        (lambda: Path("answers.csv").write_text("image\n"), "a column confidence"),
        (
            lambda: Path("answers.csv").write_text(labelling.ANSWERS + "new/p20.png,sofa,.5,.7,True,5,5,40,40\n"),
            "--scores: sofa: expected a class of d",
        ),
    ],
)
def test_what_cannot_be_bundled_is_refused_and_nothing_is_written(prepare, said):
    prepare()
    with pytest.raises(DataError, match=said):
        bundle("--scores", "answers.csv")
    assert not Path("out").exists()
