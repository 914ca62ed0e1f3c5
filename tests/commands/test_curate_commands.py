"""`vouch curate`: a pack becomes a benchmark that a model never saw; what people wrote stays."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipelines import of_one_detector
from vouch import io
from vouch.cli import app
from vouch.errors import DataError, ParamsError, VouchError, WorkspaceError
from vouch.quality import images

ROOT = Path(__file__).parents[2]
WANTED = "strata:\n  light: [day, night]\nrows_per_class: 1\nrows_per_negative: 1\nrows_of: {}\n"
ITEMS = [
    {"name": "can", "stream": "metal", "synonyms": ["tin"]},
    {"name": "jar", "stream": "glass"},
    {"name": "lid", "stream": "metal"},
]
PACK = {
    "format": 1,
    "municipality": "Town",
    "version": "1",
    "source": "a test",
    "licence": "CC0-1.0",
    "streams": [{"id": "metal", "name": "metal"}, {"id": "glass", "name": "glass"}],
    "items": ITEMS,
    "negatives": [{"name": "toy"}],
}
HEADER = "row_id,class,negative,stratum_light,photograph,url,source,license,status,group_session,note"


@pytest.fixture
def town(tmp_path, monkeypatch):
    """A pack, the parameters of a benchmark, and the classes of somebody's model."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "presets", "presets")
    Path("pack.json").write_text(json.dumps(PACK))
    Path("wanted.yaml").write_text(WANTED)
    Path("labels.json").write_text('{"classes": ["tin", "jars", "toy"]}')
    return tmp_path


def curate(*words):
    result = CliRunner().invoke(app, ["curate", *words], env={"COLUMNS": "120"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def held():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def refused(error, *words, match):
    before = held()
    with pytest.raises(error, match=match) as caught:
        curate(*words)
    assert held() == before
    return caught.value


def of_town():
    curate("taxonomy", "--pack", "pack.json", "-o", "taxonomy.json")
    return "--taxonomy", "taxonomy.json"


def test_a_taxonomy_says_what_differs_what_a_model_covers_and_what_is_only_near(town):
    of_town()
    changed = [{**ITEMS[0], "name": "food can", "formerly": ["can"]}, *ITEMS[1:2], {"name": "lids", "stream": "metal"}]
    Path("next.json").write_text(json.dumps({**PACK, "items": changed}))
    words = ("--pack", "next.json", "--previous", "taxonomy.json", "--labels", "labels.json")
    said = curate("taxonomy", *words, "-o", "after.json", "--map-output", "map.json").output
    lines = [" ".join(line.split()) for line in said.splitlines()]
    for line in (
        "Town 1: 3 items in 2 streams, 1 negative",
        "renamed can can food can",
        "retired lid lid",
        "added lids lids",
        "lids lids lid lid 86 %",
        "label coverage: 1 of 3 items have a class",
        "can metal tin synonym",
        "class toy: a negative of the taxonomy",
        "class jars: no item of the taxonomy",
        "jars class jars jar jar 86 %",
    ):
        assert line in lines, line
    mapped = json.loads(Path("map.json").read_text())["items"]
    assert mapped["can"] == {"label": "tin", "by": "synonym"}
    assert mapped["jar"] == {"label": None, "by": "nothing"}
    again = curate("taxonomy", *words, "-o", "again.json").output
    assert Path("again.json").read_bytes() == Path("after.json").read_bytes()
    assert again == said


def test_what_a_person_states_is_taken(town):
    Path("stated.json").write_text('{"jar": "jars"}')
    words = ("--pack", "pack.json", "--labels", "labels.json", "--stated", "stated.json", "--map-output", "map.json")
    assert "jar glass jars stated" in " ".join(curate("taxonomy", *words).output.split())
    assert json.loads(Path("map.json").read_text())["items"]["jar"] == {"label": "jars", "by": "stated"}


def test_a_pack_with_every_fault_is_refused_with_all_of_them_and_nothing_is_written(town):
    items = [
        {"name": "a", "parent": "b", "stream": "metal"},
        {"name": "b", "parent": "a", "stream": "metl"},
        {"name": "c", "stream": "metal", "synonyms": ["A"]},
    ]
    Path("bad.json").write_text(json.dumps({**PACK, "items": items}))
    found = refused(DataError, "taxonomy", "--pack", "bad.json", "-o", "t.json", match="a cycle: a below b below a")
    assert len(found.problems) == 3


def test_a_map_wants_one_source_of_classes_and_files_must_be_there(town):
    for words in (("--map-output", "m.json"), ("--model", "m", "--labels", "labels.json"), ("--stated", "labels.json")):
        refused(ParamsError, "taxonomy", "--pack", "pack.json", *words, match="--model or --labels")
    refused(DataError, "taxonomy", "--pack", "pakc.json", match="perhaps `pack.json` was meant")
    Path("labels.json").write_text('{"classes": ["tin", "tin"]}')
    refused(DataError, "taxonomy", "--pack", "pack.json", "--labels", "labels.json", match="names, each once")


def test_a_benchmark_is_asked_for_filled_and_measured(town):
    words = (*of_town(), "--wanted", "wanted.yaml")
    assert curate("manifest", "rows.csv", *words).output == "rows.csv: 8 rows, 8 new, 2 of them negatives\n"
    text = Path("rows.csv").read_bytes()
    assert curate("manifest", "rows.csv", *words).output == "rows.csv: 8 rows, 0 new, 0 of them negatives\n"
    assert Path("rows.csv").read_bytes() == text
    assert curate("coverage", "rows.csv", *words, "--enforce").exit_code == 1
    result = curate("coverage", "rows.csv", *words, "--json", "holes.json")
    assert result.exit_code == 0
    assert "8 labelled rows missing; nothing labelled in 8 of 8 cells" in result.output
    facts = json.loads(Path("holes.json").read_text())
    assert facts["missing"] == 8
    assert facts["cells"][0] == {
        "item": "can", "negative": False, "strata": {"light": "day"}, "wanted": 1, "missing": 1, "rows": {"wanted": 1},
    }  # fmt: skip
    Path("rows.csv").write_bytes(text.replace(b",wanted", b",labelled"))
    result = curate("coverage", "rows.csv", *words, "--enforce")
    assert result.exit_code == 0
    assert "0 labelled rows missing" in result.output


def test_what_a_data_set_would_need_is_told_for_the_classes_of_a_model(town):
    words = (*of_town(), "--wanted", "wanted.yaml")
    curate("taxonomy", "--pack", "pack.json", "--labels", "labels.json", "--map-output", "map.json")
    curate("manifest", "rows.csv", *words)
    said = curate("coverage", "rows.csv", *words, "--label-map", "map.json").output
    assert "of_classes:\n    - classes:\n      - tin\n      min_count: 1\n      strata:\n        light:\n" in said


WRITTEN = (
    f"\ufeff{HEADER}\r\n"
    'r1,"tin",false,day,a.png,,"x, y",CC0-1.0,labelled,,"she said ""no"""\r\n'
    "\r\n"
    "r2,jar,false,night,,,,,wanted,s1,'quoted'\r\n"
    "r3,toy,true,day,gone.png,,,,suggested,,"
)


def test_columns_quotes_line_ends_and_mark_that_people_wrote_stay_byte_for_byte(town):
    words = (*of_town(), "--wanted", "wanted.yaml")
    Path("rows.csv").write_bytes(WRITTEN.encode())
    curate("manifest", "rows.csv", *words)
    after = Path("rows.csv").read_bytes().decode()
    assert after.startswith(WRITTEN + "\r\n")
    assert after.count("\r\n") == after.count("\n") == 4 + 5 + 1
    Path("photos").mkdir()
    Image.new("RGB", (8, 8)).save("photos/a.png")
    said = curate("resolve", "rows.csv", "--photographs", "photos").output
    assert said.splitlines() == [
        "rows.csv: 1 row with a photograph at hand",
        "photograph not at hand: 1 row: r3",
    ]
    digest = io.sha256(Path("photos/a.png"))
    assert Path("rows.csv").read_bytes().decode().splitlines(keepends=True)[:5] == [
        f"\ufeff{HEADER},sha256\r\n",
        f'r1,"tin",false,day,photos/a.png,,"x, y",CC0-1.0,labelled,,"she said ""no""",{digest}\r\n',
        "\r\n",
        "r2,jar,false,night,,,,,wanted,s1,'quoted',\r\n",
        "r3,toy,true,day,gone.png,,,,suggested,,,\r\n",
    ]
    once = Path("rows.csv").read_bytes()
    assert curate("resolve", "rows.csv", "--photographs", "photos", "--enforce").exit_code == 1
    assert Path("rows.csv").read_bytes() == once
    Image.new("RGB", (8, 8), "red").save("photos/a.png")  # another picture under the same name
    refused(DataError, "resolve", "rows.csv", "--photographs", "photos", match="other bytes in")


ROW = "r1,can,false,day,,,,,wanted,,"
BAD = {
    "a formula": (f"{HEADER}\nr1,can,false,day,,,,,wanted,,=cmd|' /C calc'!A0\n".encode(), "spreadsheet"),
    "10 MB in a cell": (f"{HEADER}\nr1,can,false,day,,,,,wanted,,{'x' * 10**7}\n".encode(), "field|characters"),
    "two encodings": (f"{HEADER}\n{ROW}é\n".encode() + f"{ROW}é\n".encode("latin-1"), "UTF-8"),
    "a missing column": (f"{HEADER.replace(',license', '')}\n{ROW[:-1]}\n".encode(), "a column license"),
    "a column twice": (f"{HEADER},note\n{ROW},\n".encode(), "each column once"),
    "a short row": (f"{HEADER}\nr1,can\n".encode(), "cells"),
    "a label of another town": (f"{HEADER}\n{ROW.replace('can', 'sofa')}\n".encode(), "an item of the taxonomy"),
    "a negative that is none": (f"{HEADER}\n{ROW.replace('can', 'toy')}\n".encode(), "toy is a negative"),
    "a row twice": (f"{HEADER}\n{ROW}\n{ROW}\n".encode(), "each row_id once"),
    "an empty file": (b"", "a header"),
}


@pytest.mark.parametrize("content", BAD)
@pytest.mark.parametrize("command", ["manifest", "coverage"])
def test_a_table_that_is_none_is_refused_whole_and_stays(town, content, command):
    words = (*of_town(), "--wanted", "wanted.yaml")
    written, match = BAD[content]
    Path("rows.csv").write_bytes(written)
    refused(DataError, command, "rows.csv", *words, match=match)


def test_a_new_table_goes_where_a_person_may_write(town):
    Path(".dvc").mkdir()
    words = (*of_town(), "--wanted", "wanted.yaml")
    refused(WorkspaceError, "manifest", "data/rows.csv", *words, match="which the repository writes itself")
    refused(WorkspaceError, "manifest", "rows.xlsx", *words, match="a name that ends in .csv")


def picture(seed):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


@pytest.fixture
def trained(town):
    """A model of two classes whose data set has three photographs in train and one in val_test."""
    params = {
        "pipeline": of_one_detector(),
        "datasets": {
            "d": {
                "scan": {"max_megapixels": 1.0},
                "validate": {"thresholds": {"near_radius_bits": 6, "near_correlation": 0.9}},
            }
        },
        "models": {"m": {}},
    }
    Path("params.yaml").write_text(json.dumps(params))
    io.write_json(Path("models/m/labels.json"), {"classes": ["tin", "jar"]})
    names = [f"s/{number}.png" for number in range(4)]
    samples = pd.DataFrame({"sample_id": names, "group_session": ["s0", "s1", "s2", "s3"]})
    Path("data/sources/d/s").mkdir(parents=True)
    paths = [Path("data/sources/d", name) for name in names]
    for number, path in enumerate(paths):
        picture(number).save(path)
    io.write_table(Path("data/manifests/d/samples.parquet"), samples)
    scan = images.tabulate(names, list(images.scan(paths, max_megapixels=1.0, workers=1)))
    io.write_table(Path("data/quality/d/scan.parquet"), scan)
    for split, members in (
        ("train", names[:2]),
        ("val_select", names[2:3]),
        ("val_calib", []),
        ("val_test", names[3:]),
    ):
        table = pd.DataFrame({"sample_id": members, "group": members}, dtype="str")
        io.write_table(Path(f"data/splits/d/{split}.csv"), table)
    return town


HELD = {  # row: class, negative, seed of its photograph, session, status
    "same": ("can", "false", 0, "", "labelled"),
    "judges": ("can", "false", 3, "", "labelled"),  # lies in val_test, which nothing was made of
    "grouped": ("jar", "false", 11, "s2", "labelled"),
    "free": ("jar", "false", 12, "s9", "labelled"),
    "unsupported": ("lid", "false", 13, "", "labelled"),
    "negative": ("toy", "true", 14, "", "labelled"),
    "open": ("jar", "false", 15, "", "resolved"),
    "absent": ("jar", "false", None, "", "labelled"),
}


def benchmark():
    lines = [f"{HEADER},sha256"]
    Path("photos").mkdir()
    for name, (label, negative, seed, session, status) in HELD.items():
        path, digest = f"photos/{name}.png", ""
        if seed is not None:
            picture(seed).save(path)
            digest = io.sha256(Path(path))
        lines.append(f"{name},{label},{negative},day,{path},,,,{status},{session},kept,{digest}")
    Path("rows.csv").write_text("\r\n".join(lines) + "\r\n")


def test_a_holdout_keeps_labelled_rows_of_the_models_classes_that_training_never_saw(trained):
    words = of_town()
    benchmark()
    result = curate("holdout", "rows.csv", *words, "--model", "m", "-o", "out/kept.csv", "--left-out", "out/left.csv")
    lines = Path("rows.csv").read_text().splitlines()
    kept = [line for line in lines if line.split(",")[0] in ("row_id", "judges", "free", "negative")]
    assert Path("out/kept.csv").read_bytes().decode() == "".join(f"{line}\r\n" for line in kept)
    assert pd.read_csv("out/left.csv").set_index("row_id")["reason"].to_dict() == {
        "same": "in training: the pixels of s/0.png",
        "grouped": "in training: group session=s2",
        "unsupported": "no class of the model: lid",
        "open": "not labelled",
        "absent": "no photograph at hand",
    }
    assert result.output.splitlines() == [
        "out/kept.csv: 3 of 8 rows",
        "left out, in training: 2",
        "left out, no class of the model: 1",
        "left out, no photograph at hand: 1",
        "left out, not labelled: 1",
    ]


def test_a_holdout_is_refused_without_groups_splits_its_own_photographs_or_map(trained):
    words = ("holdout", "rows.csv", *of_town(), "--model", "m", "-o", "kept.csv")
    benchmark()
    good = Path("rows.csv").read_text()
    Path("rows.csv").write_text(good.replace("group_session", "session"))
    refused(DataError, *words, match="the column group_session")
    Path("rows.csv").write_text(good)
    picture(99).save("photos/free.png")
    refused(DataError, *words, match=r"free: expected sha256 .* got other in photos/free.png")
    curate("taxonomy", "--pack", "pack.json", "--labels", "labels.json", "--map-output", "map.json")
    refused(DataError, *words, "--label-map", "map.json", match="the classes of m: tin, jar, got tin, jars, toy")
    Path("data/splits/d/val_calib.csv").unlink()
    refused(WorkspaceError, *words, match="run `dvc repro split@d`")
    refused(VouchError, *words[:-3], "n", "-o", "kept.csv", match="the name of a model")
