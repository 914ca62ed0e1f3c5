import json

import pytest

from made_folders import GREY, PRESETS, in_classes, manifest, planted, yolo
from vouch.commands import importing
from vouch.errors import ManifestError
from vouch.proposal.findings import Asked
from vouch.proposal.proposal import propose
from vouch.proposal.sessions import FILE, lent
from vouch.sources.merge import Taxonomy
from vouch.stages.ingest import Params

VIDEOS = [f"video{v:02}_{n:03}" for v in range(12) for n in range(4)]
NOTHING = {"task": None, "groups": (), "strata": (), "ignore": ()}


def proposed(tree, **fields):
    return propose("cones", tree, Asked(**{**NOTHING, **fields}), PRESETS)


def checked(proposal, tree):
    """What the import says of the folder, read from its files with the proposed descriptor."""
    taxonomy = Taxonomy(proposal.classes, proposal.group_keys, proposal.strata)
    return importing.check("cones", tree, proposal.descriptor, taxonomy).manifest


def test_a_proposal_is_what_the_import_takes(tmp_path):
    rows = [{"file": f"images/{n}.jpg", "video": n[:7], "light": "day" if n[6] in "01234" else "dusk"} for n in VIDEOS]
    tree = planted(tmp_path, {**yolo(VIDEOS), "manifest.csv": manifest(rows)})
    found = proposed(tree, strata=["light"])
    assert (found.task, found.classes, found.group_keys) == ("detect", ("cone", "cube"), ("video",))
    samples = checked(found, tree).samples
    assert samples["group_video"].nunique() == 12
    assert set(samples["stratum_light"]) == {"day", "dusk"}
    assert found.coverage == {"min_components": 6, "min_samples": 10, "min_count": 12}  # half of 12, of 20, of 24
    written = {"classes": list(found.classes), "group_keys": list(found.group_keys), "strata": found.strata}
    assert Params.model_validate_json(json.dumps(written)).taxonomy().classes == found.classes
    assert sum(found.fractions.values()) == pytest.approx(1)
    assert found.policy == {}
    assert {what for what, _ in found.assumed} >= {"format yolo", "task detect", "2 classes", "groups: key `video`"}
    assert any(one.startswith("val_test has ") for one in found.warnings)


def test_sessions_by_time_reach_the_import_by_a_lent_manifest(tmp_path):
    names = [f"20250616_12{minute:02}{second:02}" for minute in range(10) for second in (0, 20)]
    tree = planted(tmp_path / "photographs", yolo(names))
    found = proposed(tree)
    path = tmp_path / "anywhere.csv"
    path.write_text(found.manifest, encoding="utf-8")
    assert found.descriptor.manifest == FILE
    assert checked(found, lent(tree, path)).samples["group_session"].nunique() == 10


def test_a_classifier_without_groups_needs_the_word_none(tmp_path):
    tree = planted(tmp_path, in_classes({"cat": 40, "dog": 60}))
    with pytest.raises(ManifestError, match="--group none"):
        proposed(tree)
    found = proposed(tree, groups=["none"])
    assert (found.task, found.group_keys, found.descriptor.groups) == ("classify", ("sample",), {})
    assert set(found.policy) == {"alpha", "positive", "steps"}
    assert checked(found, tree).samples["group_sample"].nunique() == 100
    assert "certify" in found.warnings[-1]  # 15 photographs in val_calib


def test_everything_that_is_wrong_is_listed_at_once(tmp_path):
    files = {**yolo(VIDEOS), "images/lone.jpg": GREY, "images/video00_000.jpg": b"no picture"}
    files |= {"labels/video01_000.txt": "9 .5 .5 .1 .1\n"}
    asked = Asked(task="classify", groups=["a=b=c"], strata=["light"], ignore=())
    with pytest.raises(ManifestError) as refused:
        propose("-x", planted(tmp_path, files), asked, PRESETS)
    assert {problem.where for problem in refused.value.problems} == {
        "NAME",
        "--task",
        "--group or --strata",
        "the source",  # no manifest for the stratum
        "the labels",
        "labels/video01_000.txt:1",
        "images/video00_000.jpg",
    }


def test_a_wrong_name_is_told_with_a_folder_that_cannot_be_read(tmp_path):
    with pytest.raises(ManifestError) as refused:
        propose("../x", planted(tmp_path, {"a.txt": ""}), Asked(**NOTHING), PRESETS)
    assert {problem.where for problem in refused.value.problems} == {"NAME", str(tmp_path)}


def test_keys_that_chain_all_photographs_are_refused(tmp_path):
    rows = [{"file": f"images/{n}.jpg", "car": i // 4, "driver": (i + 2) // 4 % 12} for i, n in enumerate(VIDEOS)]
    tree = planted(tmp_path, {**yolo(VIDEOS), "manifest.csv": manifest(rows)})
    with pytest.raises(ManifestError, match="1, once keys that share a photograph are joined"):
        proposed(tree, groups=["car=column:car", "driver=column:driver"])


def test_the_authors_split_is_named_and_not_used(tmp_path):
    files = {"data.yaml": "names: [a, b]\n"}
    for i, name in enumerate(VIDEOS):
        part = "train" if i % 4 or i < 8 else "valid"
        files |= {f"images/{part}/{name}.jpg": GREY, f"labels/{part}/{name}.txt": f"{i % 2} .5 .5 .5 .5\n"}
    found = proposed(planted(tmp_path, files))
    said = dict(found.assumed)["the authors' split (folder level 2) is not used"]
    assert said == "10 of the 12 groups of `sequence` lie in more than one of its parts: its scores flatter"


@pytest.mark.parametrize(
    ("strays", "said"),
    [
        (0, "none of the 12 groups of `sequence` lies in more than one of its parts, so it can be kept"),
        (1, "1 of the 12 groups of `sequence` lies in more than one of its parts: its scores flatter"),
    ],
)
def test_a_split_of_the_authors_that_cuts_no_group_is_not_said_to_flatter(tmp_path, strays, said):
    files = {"data.yaml": "names: [a, b]\n"}
    for i, name in enumerate(VIDEOS):  # four of each video
        part = "train" if strays <= i < 32 else "valid"
        files |= {f"images/{part}/{name}.jpg": GREY, f"labels/{part}/{name}.txt": f"{i % 2} .5 .5 .5 .5\n"}
    found = proposed(planted(tmp_path, files))
    assert dict(found.assumed)["the authors' split (folder level 2) is not used"] == said


def test_a_group_that_holds_much_and_a_class_without_labels_are_warned_of(tmp_path):
    names = [f"a{n:02}_{m}" for n in range(4) for m in range(3)] + [f"big_{n:02}" for n in range(20)]
    names = [name.replace("_", "x_") for name in names]
    found = proposed(planted(tmp_path, {**yolo(names), "data.yaml": "names: [cone, cube, lamp]\n"}))
    assert found.classes == ("cone", "cube")
    assert found.warnings[0].startswith("group 'bigx' of `sequence` holds 62% of all photographs")
    assert "no label names lamp: left out of the classes" in found.warnings
