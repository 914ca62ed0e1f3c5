"""`vouch curate import`: a reviewed bundle is one more source of its data set, and what changed is said."""

import json
from pathlib import Path

import pytest

import labelling
from labelling import bundled, curate
from vouch.errors import DataError, ManifestError, VouchError, WorkspaceError
from vouch.stages import ingest


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labelling.build()
    params = json.loads(Path("params.yaml").read_text())
    params["datasets"]["e"] = params["datasets"]["d"]
    Path("params.yaml").write_text(json.dumps(params))
    labelling.tracked()
    bundled({20: "false,day,s20", 21: "true,night,s21"})


def test_a_reviewed_bundle_is_a_source_with_boxes_negatives_groups_and_strata():
    record = Path("data/sources/d.dvc").read_text()
    said = curate("import", "out", "d", "--name", "round_1")
    assert "added 2: round_1/images/" in said
    for kind in ("removed", "changed", "relabelled", "regrouped"):
        assert f"{kind} 0" in said
    assert Path("data/sources/d.dvc").read_text() != record
    found = ingest.read("d")
    new = found.samples[found.samples["source"] == "round_1"].sort_values("sample_id")
    assert list(new["annotation"]) == ["labelled", "negative"]
    assert list(new["group_session"]) == ["s20", "s21"]
    assert list(new["stratum_light"]) == ["day", "night"]
    (box,) = found.boxes[found.boxes["sample_id"].isin(new["sample_id"])].to_dict("records")
    assert box["class_name"] == "jar"
    assert [box[corner] for corner in ("x1", "y1", "x2", "y2")] == pytest.approx([5 / 160, 5 / 120, 1 / 4, 1 / 3])
    assert len(found.samples) == 10


def test_what_the_bundle_does_not_state_is_given():
    bundled({20: "false,,", 21: "true,,"})
    with pytest.raises(ManifestError, match="session"):
        curate("import", "out", "d")
    curate("import", "out", "d", "--group", "session=value:round_1", "--strata", "light=value:day")
    found = ingest.read("d").samples
    assert set(found[found["source"] == "reviewed"]["group_session"]) == {"round_1"}


@pytest.mark.parametrize(
    ("error", "prepare", "words", "said"),
    [
        (
            DataError,
            lambda: labelling.picture(9).save(next(Path("out/images").iterdir())),
            ("d",),
            "another photograph",
        ),
        (DataError, lambda: _review(lambda one: one["images"].pop()), ("d",), "nobody's"),
        (DataError, lambda: None, ("e",), "the bundle's: d"),
        (WorkspaceError, lambda: Path("data/sources/d.dvc").unlink(), ("d",), "an imported data set"),
        (VouchError, lambda: None, ("d", "--name", "mine"), "no source of this name yet"),
    ],
)
def test_what_cannot_be_imported_is_refused_and_no_byte_changes(error, prepare, words, said):
    prepare()
    before = {path: path.read_bytes() for path in Path("data/sources").rglob("*") if path.is_file()}
    with pytest.raises(error, match=said):
        curate("import", "out", *words)
    assert {path: path.read_bytes() for path in Path("data/sources").rglob("*") if path.is_file()} == before


def _swap():
    labelling.picture(9).save(next(Path("out/images").iterdir()))


def _review(change):
    content = json.loads(Path("out/reviews/ann.json").read_text())
    change(content)
    Path("out/reviews/ann.json").write_text(json.dumps(content))
