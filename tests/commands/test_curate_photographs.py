"""`vouch curate suggest`, `normalize` and `dedupe`: tables go in, the same tables come out, and nothing in between."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import web
from vouch.cli import app
from vouch.curation.benchmark.rows import IDENTITY, read_rows
from vouch.curation.catalogue import fetching
from vouch.errors import VouchError, WorkspaceError
from vouch.quality import images

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared/realdata/trashnet"
TABLE = Path("benchmark.csv")
HEADER = "row_id,class,negative,stratum_light,photograph,url,source,license,status,note,own\n"
PEOPLE = ("row_id", "class", "negative", "stratum_light", "note", "own")


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    shutil.copytree(ROOT / "presets", "presets")
    rng = np.random.default_rng(1)
    for index in range(6):
        path = Path("catalogue", ("can", "glass", "leaf")[index % 3], f"{index}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(pixels).resize((60, 60), Image.Resampling.BICUBIC).save(path)
    shutil.copyfile("catalogue/can/0.png", "catalogue/glass/copy.png")
    rows = [
        'c1,can,false,day,,,,,wanted,"ask ""Ann"", or Bo", x ',
        'c2,can,false,"night",,,,,wanted,-,1',
        "c3,can,true,,,,,,wanted,,",
        "g1,glass,false,,,,,,wanted,,",
        "g2,glass,false,,,,,,wanted,,",
        "g3,glass,false,,,,,,wanted,,",
        "l1,can,false,day,,HTTPS://Example.org:443/a/../b.jpg,Bo,MIT,labelled,,",
    ]
    TABLE.write_bytes((HEADER + "\n".join(rows) + "\n").replace("\n", "\r\n").encode("utf-8-sig"))


def run(*words):
    """Run a command twice: the second time changes no byte. Return what the first one said."""
    result = CliRunner().invoke(app, ["curate", *map(str, words)])
    if result.exception is not None:
        raise result.exception
    once = files()
    assert CliRunner().invoke(app, ["curate", *map(str, words)]).exception is None
    assert files() == once
    return result.output


def files():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "sqlite" not in path.name}


def refused(*words):
    before = files()
    error = CliRunner().invoke(app, ["curate", *map(str, words)]).exception
    assert isinstance(error, VouchError), error
    assert files() == before
    return str(error)


def columns(*names):
    rows = read_rows(TABLE)
    return list(zip(*map(rows.column, names), strict=True))


PACK = {
    **{"format": 1, "municipality": "Town", "version": "1", "source": "a test", "licence": "CC0-1.0"},
    "streams": [{"id": "all", "name": "all"}],
    "negatives": [],
}
WEB = ("suggest", TABLE, "--url", "https://x.org")
SUGGEST = ("suggest", TABLE, "--catalogue", "catalogue", "--license", "CC0-1.0")


def test_the_three_in_a_row_keep_every_cell_of_people_to_the_byte():
    before = columns(*PEOPLE)
    raw = TABLE.read_bytes()
    said = run(*SUGGEST)
    assert "5 suggestions of 7 candidates" in said
    assert "labels that no row asks for, and their candidates: leaf 2" in said
    assert "1 url changed" in run("normalize", TABLE)
    assert "2 suggestions rejected" in run("dedupe", TABLE)
    assert columns(*PEOPLE) == before
    after = TABLE.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\r\n") == raw.count(b"\r\n") == after.count(b"\n")
    for kept in (b'"ask ""Ann"", or Bo", x \r\n', b'c2,can,false,"night",', b",wanted,,\r\n"):
        assert kept in after
    assert columns("row_id", "status") == [
        ("c1", "rejected"), ("c2", "suggested"), ("c3", "wanted"), ("g1", "suggested"), ("g2", "suggested"),
        ("g3", "rejected"), ("l1", "labelled"),
    ]  # fmt: skip
    assert columns("url")[-1] == ("https://example.org/b.jpg",)
    assert columns("photograph", "source", "license")[1] == (
        "catalogue/can/3.png", "catalogue: can/3.png", "CC0-1.0",
    )  # fmt: skip


def test_no_row_is_added_where_fewer_are_wanted_by_now():
    items = [{"name": name, "stream": "all"} for name in ("can", "glass")]
    Path("pack.json").write_text(json.dumps(PACK | {"items": items}))
    run("taxonomy", "--pack", "pack.json", "-o", "taxonomy.json", "--overwrite")
    Path("wanted.yaml").write_text("strata: {}\nrows_per_class: 2\nrows_per_negative: 0\nrows_of:\n  can: 1\n")
    TABLE.write_bytes(TABLE.read_bytes().replace(b"stratum_light", b"light").replace(b"c3,can,true", b"c3,can,false"))
    TABLE.write_bytes(TABLE.read_bytes().replace(b"g1,glass,false,,,,,,wanted", b"g1,glass,false,,x.jpg,,,,rejected"))
    said = run(*SUGGEST, "--taxonomy", "taxonomy.json", "--wanted", "wanted.yaml")
    assert "2 suggestions of 7 candidates" in said  # both of glass: the can that is labelled is all that is wanted
    assert (
        "left empty, for --wanted asks for no more rows: 4 places" in said
    )  # three of cans, the rejected one of glass
    assert [row for row, status in columns("row_id", "status") if status == "suggested"] == ["g2", "g3"]
    assert len(columns("row_id")) == 7


def test_negatives_stay_negative_and_take_negatives_alone():
    before = columns(*IDENTITY)
    run(*SUGGEST, "--negative")
    assert columns(*IDENTITY) == before
    assert [row for row, status in columns("row_id", "status") if status == "suggested"] == ["c3"]


def test_what_the_model_is_unsure_of_comes_first_and_so_many_at_a_time():
    Path("scores.csv").write_text("image,confidence\ncatalogue/can/0.png,.99\ncatalogue/can/3.png,.6\nmy/3.png,.6\n")
    said = run(*SUGGEST, "--scores", "scores.csv", "--most", "4")
    assert "c1: catalogue/can/3.png (1 lacking, unsure by 0.97 bits)" in said
    assert "scores of what is no candidate: 1 of 3, say my/3.png" in said
    assert [status for (status,) in columns("status")].count("suggested") == 4


def test_the_duplicates_are_written_where_they_are_asked_for():
    run(*SUGGEST)
    assert CliRunner().invoke(app, ["curate", "dedupe", str(TABLE), "-o", "found.csv"]).exception is None
    first = Path("found.csv").read_text()
    assert first == "row_id,other,kind,contradicts\ng3,c1,exact,true\n"
    assert "nothing yet" in refused("dedupe", TABLE, "-o", "found.csv")
    run("dedupe", TABLE, "-o", "found.csv", "--overwrite")
    assert Path("found.csv").read_text() == first
    assert "the input" in refused("dedupe", TABLE, "-o", TABLE, "--overwrite")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("suggest", TABLE), "one of the two, got neither"),
        ((*SUGGEST, "--url", "https://x.org"), "one of the two, got both"),
        (("suggest", TABLE, "--catalogue", "catalog"), "perhaps `catalogue` was meant"),
        (("suggest", TABLE, "--catalogue", "catalogue"), "a licence"),
        (("suggest", "absent.csv", "--catalogue", "catalogue", "--license", "x"), "absent.csv"),
        ((*SUGGEST, "--label-map", "can"), "--label-map"),
        ((*SUGGEST, "--wanted", "wanted.yaml"), "both, or neither, got --wanted alone"),
        ((*SUGGEST, "--taxonomy", "taxonomy.json"), "both, or neither, got --taxonomy alone"),
        ((*SUGGEST, "--taxonomy", "t.json", "--wanted", TABLE), "t.json: expected a file"),
        ((*SUGGEST, "--items", "results"), "--items: expected --url, got --catalogue catalogue"),
        ((*SUGGEST, "--next", "more"), "--next: expected --url, got --catalogue catalogue"),
        ((*SUGGEST, "--field", "class=tag"), "--field: expected --url, got --catalogue catalogue"),
        ((*SUGGEST, "--ignore", "note"), "--ignore: expected a CSV as --catalogue, got the folder catalogue"),
        ((*WEB, "--ignore", "x"), "--ignore: expected a CSV as --catalogue, got --url"),
        ((*SUGGEST, "--label-map", "cann=glass"), "--label-map cann: expected a label of the catalogue, got none"),
        ((*SUGGEST, "--scores", "presets/dataset.yaml"), "presets/dataset.yaml"),
        (("suggest", TABLE, "--url", "http://127.0.0.1:9/a.json"), r"public internet alone, got 127.0.0.1"),
        (("suggest", TABLE, "--url", "http://localhost/a.json"), "public internet alone"),
        (("suggest", TABLE, "--url", "http://[::ffff:10.0.0.1]/a.json"), "public internet alone"),
        (("suggest", TABLE, "--url", "http://169.254.169.254/latest"), "public internet alone"),
        (("suggest", TABLE, "--url", "file:///etc/passwd"), "a web address"),
    ],
)  # fmt: skip
def test_what_cannot_be_suggested_from_is_refused_and_nothing_is_written(words, said):
    assert said in refused(*words)


@pytest.mark.parametrize("command", ["suggest", "normalize", "dedupe"])
def test_a_table_that_is_none_is_refused_by_each_and_keeps_its_bytes(command):
    options = SUGGEST[2:] if command == "suggest" else ()
    for content in (
        TABLE.read_bytes().replace(b"Bo,MIT", b"=cmd,MIT"),
        TABLE.read_bytes().replace(b"license", b"licence"),
        TABLE.read_bytes().replace(b"Ann", b"\xe9"),
        TABLE.read_bytes() + b"x,y\r\n",
        TABLE.read_bytes().replace(b"Ann", b"x" * 10**7),
    ):
        TABLE.write_bytes(content)
        refused(command, TABLE, *options)


def test_a_url_or_photograph_that_is_none_keeps_the_table_as_it_is():
    TABLE.write_bytes(TABLE.read_bytes().replace(b"HTTPS://Example", b"ftp://Example"))
    assert "a web address" in refused("normalize", TABLE)
    TABLE.write_bytes(TABLE.read_bytes().replace(b"ftp://Example.org:443", b"http://127.0.0.1:9"))
    assert "public internet alone" in refused("normalize", TABLE, "--download")
    TABLE.write_bytes(TABLE.read_bytes().replace(b",day,,http", b",day,absent.jpg,http"))
    assert "a photograph, got missing image" in refused("dedupe", TABLE)


@pytest.fixture
def from_loopback(monkeypatch):
    """Commands ask a server of this test: what no option of theirs could permit."""
    whole = fetching.fetching

    def permitting(limits, cache):
        return whole(limits, cache, permitted=web.LOOPBACK)

    monkeypatch.setattr(fetching, "fetching", permitting)


def test_a_json_source_is_asked_once_a_day_and_its_photographs_are_kept(from_loopback):
    pages = {"/photo.jpg": web.answer(Path("catalogue/can/0.png").read_bytes(), "image/png")}
    with web.served(pages) as (server, address):
        item = {"url": f"{address}/photo.jpg", "class": "Can", "license": "MIT", "source": 7}
        pages["/list"] = web.answer({"items": [item]})
        run("suggest", TABLE, "--url", f"{address}/list", "--label-map", "Can=can", "--name", "site")
        assert "1 photograph fetched" not in run("normalize", TABLE)
        labelled = TABLE.read_bytes()
        TABLE.write_bytes(labelled.replace(b"labelled", b"rejected"))  # its url is of no server
        said = run("normalize", TABLE, "--download")
    assert "1 photograph fetched" in said
    assert server.asked == ["/list", "/photo.jpg"]
    digest = hashlib.sha256(Path("catalogue/can/0.png").read_bytes()).hexdigest()
    name = f"data/curation/photographs/{digest}.png"
    assert columns("photograph", "url", "source", "license", "status")[0] == (
        name, item["url"], "site: 7", "MIT", "suggested",
    )  # fmt: skip
    assert hashlib.sha256(Path(name).read_bytes()).hexdigest() == digest


def test_what_was_saved_while_a_command_ran_is_kept(monkeypatch):
    def slow(*words, **options):
        TABLE.write_bytes(TABLE.read_bytes().replace(b"Ann", b"Eve"))
        return real(*words, **options)

    run(*SUGGEST)
    real = images.scan
    monkeypatch.setattr(images, "scan", slow)
    error = CliRunner().invoke(app, ["curate", "dedupe", str(TABLE)]).exception
    assert isinstance(error, WorkspaceError)
    assert b"Eve" in TABLE.read_bytes()


def test_the_limits_of_the_preset_are_the_command_s():
    preset = Path("presets/dataset.yaml")
    preset.write_text(preset.read_text().replace("tries: 3", "tries: none"))
    assert "presets/dataset.yaml: curate.fetch.tries" in refused("suggest", TABLE, "--url", "https://example.org")


@pytest.mark.skipif(not REAL.exists(), reason="no photographs in ../shared/realdata")
def test_the_known_duplicates_of_trashnet_are_found(monkeypatch):
    """glass115 = metal91, glass176 = plastic152, glass389 = plastic332, as its page says."""
    counts = {"glass": 501, "metal": 410, "plastic": 482}
    wanted = [f"{label}{n},{label},false,,,,,,wanted,," for label, many in counts.items() for n in range(many)]
    TABLE.write_text(HEADER + "\n".join(wanted) + "\n")
    dropped = [word for label in ("cardboard", "paper", "trash") for word in ("--label-map", f"{label}=")]
    said = run("suggest", TABLE, "--catalogue", REAL / "images", "--license", "MIT", *dropped)
    assert "1393 suggestions of 1393 candidates" in said
    assert CliRunner().invoke(app, ["curate", "dedupe", str(TABLE), "-o", "found.csv"]).exception is None
    files = dict(columns("row_id", "photograph"))
    found = [line.split(",") for line in Path("found.csv").read_text().splitlines()]
    pairs = {frozenset(Path(files[name]).stem for name in line[:2]) for line in found if line[2] == "exact"}
    assert pairs == {
        frozenset(pair) for pair in (("glass115", "metal91"), ("glass176", "plastic152"), ("glass389", "plastic332"))
    }
