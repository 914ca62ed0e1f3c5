import json
from pathlib import Path

import pytest

from vouch import io, paths
from vouch.errors import ManifestError, ParamsError
from vouch.params import check
from vouch.stages.ingest import Params, run
from vouch.tables import BOXES, SAMPLES

PARAMS = """datasets:
  driver:
    ingest:
      classes:
      - phone
      - seatbelt
      group_keys:
      - driver
      - vehicle
      strata:
        stream:
        - cabin
        - front
"""
KEYS = {"groups": {"driver": "d1", "vehicle": "v1"}, "strata": {"stream": "cabin"}}
BOX = {"class": "phone", "x1": 32, "y1": 24, "x2": 64, "y2": 48}


def plant(name: str, lines: list[dict[str, object]], **fields: object) -> None:
    root = paths.source("driver") / name
    (root / "images").mkdir(parents=True)
    for line in lines:
        (root / str(line["image"])).write_bytes(b"")
    (root / "manifest.jsonl").write_text("".join(json.dumps({**KEYS, **line}) + "\n" for line in lines))
    descriptor = {"name": name, "format": "jsonl", "unlabelled": "refuse", "labels": {}, **fields}
    (root / "source.json").write_text(json.dumps(descriptor))


@pytest.fixture(autouse=True)
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)


def test_rendered_and_imported_sources_become_one_manifest_byte_for_byte():
    plant("render", [{"image": "images/b.jpg", "width": 320, "height": 240, "boxes": [BOX]}, {"image": "images/a.jpg"}])
    plant("other", [{"image": "images/b.jpg", "width": 320, "height": 240, "boxes": [{**BOX, "class": "Belt"}]}])
    descriptor = paths.source("driver") / "other/source.json"
    descriptor.write_text(json.dumps({**json.loads(descriptor.read_text()), "labels": {"Belt": "seatbelt"}}))
    run("driver")
    files = [paths.manifest("driver", table) for table in ("samples", "boxes")]
    first = [file.read_bytes() for file in files]
    run("driver")
    assert [file.read_bytes() for file in files] == first
    samples, boxes = (io.read_table(file) for file in files)
    assert list(samples.columns) == [*SAMPLES, "group_driver", "group_vehicle", "stratum_stream"]
    assert list(boxes.columns) == list(BOXES)
    assert samples["sample_id"].tolist() == ["other/images/b.jpg", "render/images/a.jpg", "render/images/b.jpg"]
    assert samples["annotation"].tolist() == ["labelled", "missing", "labelled"]
    assert boxes["class_name"].tolist() == ["seatbelt", "phone"]
    assert boxes.iloc[0, 2:].tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert all(Path(image).is_file() for image in samples["image"])


def test_nothing_is_written_when_one_source_is_broken():
    plant("render", [{"image": "images/a.jpg", "boxes": [], "width": 1, "height": 1}])
    plant("other", [{"image": "images/a.jpg", "strata": {}}, {"image": "images/b.jpg", "groups": {"driver": "d"}}])
    with pytest.raises(ManifestError) as caught:
        run("driver")
    assert [(problem.where, problem.expected) for problem in caught.value.problems] == [
        ("other: manifest.jsonl:1", "a value of the stratum `stream`"),
        ("other: manifest.jsonl:2", "a value of the group key `vehicle`"),
    ]
    assert not Path("data/manifests").exists()


def test_a_data_set_without_sources_says_what_to_do():
    with pytest.raises(ManifestError, match="vouch import driver PATH"):
        run("driver")


def test_what_leads_out_of_a_source_or_lies_beside_it_is_refused_by_name():
    plant("render", [{"image": "images/a.jpg", "boxes": [], "width": 1, "height": 1}])
    root = paths.source("driver")
    Path("photographs").mkdir()
    Path("photographs/b.jpg").write_bytes(b"")
    (root / "render/more").symlink_to("../..")
    (root / "render/images/a.jpg").unlink()
    (root / "render/images/a.jpg").symlink_to(Path("photographs/b.jpg").absolute())
    with pytest.raises(ManifestError) as caught:
        run("driver")
    assert [(problem.where, problem.got) for problem in caught.value.problems] == [
        ("render: images/a.jpg", "one that leaves it"),
        ("render: more", "one that leaves it"),
    ]
    (root / "linked").symlink_to("render")
    (root / "b.jpg").write_bytes(b"")
    (root / "nowhere").symlink_to("gone")
    with pytest.raises(ManifestError) as caught:
        run("driver")
    assert [(problem.where, problem.got) for problem in caught.value.problems] == [
        ("data/sources/driver/b.jpg", "a file"),
        ("data/sources/driver/linked", "a link"),
        ("data/sources/driver/nowhere", "a link"),
    ]


def test_a_data_set_that_is_a_link_is_refused():
    plant("render", [{"image": "images/a.jpg", "boxes": [], "width": 1, "height": 1}])
    paths.source("driver").rename("elsewhere")
    paths.source("driver").symlink_to(Path("elsewhere").absolute())
    with pytest.raises(ManifestError, match="data/sources/driver: expected the folder of a source, got a link"):
        run("driver")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"classes": []}, "p.classes"),
        ({"classes": ["a", "a"]}, "p.classes"),
        ({"classes": "a"}, "p.classes"),
        ({"classes": ["a", "=1+1"]}, "p.classes.1"),
        ({"group_keys": []}, "p.group_keys"),
        ({"group_keys": ["Driver"]}, "p.group_keys.0"),
        ({"strata": {"stream": []}}, "p.strata.stream"),
        ({"strata": {"stream": [1]}}, "p.strata.stream.0"),
        ({"strata": {"stream": ["@SUM(A1)"]}}, "p.strata.stream.0"),
        ({"colour": 1}, "p.colour"),
    ],
)
def test_parameters_are_closed_and_typed(change, where):
    good = {"classes": ["a"], "group_keys": ["driver"], "strata": {}}
    check(Params, good, "p")
    with pytest.raises(ParamsError) as caught:
        check(Params, {**good, **change}, "p")
    assert where in [problem.where for problem in caught.value.problems]
