"""The photographs in ../shared/realdata, where that folder exists."""

from pathlib import Path

import pytest

from made_folders import PRESETS
from vouch.commands import importing
from vouch.errors import ManifestError
from vouch.proposal.findings import Asked
from vouch.proposal.groups import find_groups
from vouch.proposal.proposal import propose
from vouch.proposal.survey import survey, tree_at
from vouch.sources.merge import Taxonomy

REAL = Path(__file__).parents[2].parent / "shared/realdata"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no real photographs beside this checkout")
NOTHING = {"task": None, "strata": (), "ignore": ()}


@pytest.mark.parametrize(
    ("name", "asked", "form", "n_classes", "key", "n_groups", "cut"),
    [
        ("cones_cubes", (), "yolo", 2, "group", 6, "6 of the 6"),
        ("waste_scenes", (), "yolo", 7, "group", 26, "22 of the 26"),  # as its README counts
        ("trashnet", ("none",), "imagefolder", 6, "sample", 2527, "nobody knows"),
        ("grocery_packages", ("none",), "imagefolder", 31, "sample", 1745, "nobody knows"),
    ],
)
def test_each_set_is_proposed_as_a_person_would_have_written_it(name, asked, form, n_classes, key, n_groups, cut):
    tree = tree_at(REAL / name)
    found = propose(name, tree, Asked(groups=asked, **NOTHING), PRESETS)
    assert (found.descriptor.format, len(found.classes), found.group_keys) == (form, n_classes, (key,))
    assert found.strata == {}
    taxonomy = Taxonomy(found.classes, found.group_keys, found.strata)
    samples = importing.check(name, tree, found.descriptor, taxonomy).manifest.samples
    assert samples[f"group_{key}"].nunique() == n_groups
    (said,) = (why for what, why in found.assumed if what.startswith("the authors' split"))
    assert said.startswith(cut)
    assert 0 < found.network.minutes <= 15


@pytest.mark.parametrize("name", ["trashnet", "grocery_packages"])
def test_sets_without_groups_are_refused_with_what_would_leak(name):
    with pytest.raises(ManifestError) as refused:
        propose(name, tree_at(REAL / name), Asked(groups=(), **NOTHING), PRESETS)
    (problem,) = refused.value.problems
    assert "one object from other sides" in problem.remedy
    assert "split (names of splits" in problem.got
    assert "(the class again)" in problem.got


@pytest.mark.parametrize(("name", "key", "n_groups"), [("cones_cubes", "sequence", 6), ("waste_scenes", "session", 29)])
def test_without_their_manifest_names_tell_videos_and_sessions(name, key, n_groups):
    tree = tree_at(REAL / name)
    bare = type(tree)(tree.root, tree.files - {"manifest.csv"})
    groups = find_groups(survey(bare, task=None, ignore=()), ())
    assert {one: len(set(values)) for one, values in groups.values.items()} == {key: n_groups}
