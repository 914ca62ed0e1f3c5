import json

import pytest

from vouch import io
from vouch.errors import BundleError
from vouch.release.bundle import MANIFEST, verify, write_bundle

POLICY = (
    {"kind": "operating_point", "feasible": True, "guarantee": "none", "thresholds": {"a": 0.5}}
    | {key: None for key in ("alpha", "delta", "objective", "evidence", "infeasible")}
    | {"intraclass_correlation": 0.0}
)
CALIBRATOR = {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}}


def contents(**changes):
    files = {"labels.json": {"classes": ["a"]}, "calibrator.json": CALIBRATOR, "policy.json": POLICY} | changes
    return {name: io.dumps(content).encode() for name, content in files.items()}


@pytest.fixture
def bundle(tmp_path):
    write_bundle(tmp_path / "bundle", "m", "0.1.0", "detect", "trivial", contents())
    return tmp_path / "bundle"


def test_a_bundle_checks_and_names_every_file(bundle):
    manifest = verify(bundle)
    assert (manifest["name"], manifest["version"]) == ("m", "0.1.0")
    assert manifest["files"]["policy.json"]["sha256"] == io.sha256(bundle / "policy.json")
    assert {entry["role"] for entry in manifest["files"].values()} == {"labels", "calibrator", "policy"}


def test_the_same_files_make_the_same_bundle(tmp_path):
    for name in ("1", "2"):
        write_bundle(tmp_path / name, "m", "0.1.0", "detect", "trivial", contents())
    assert (tmp_path / "1" / MANIFEST).read_bytes() == (tmp_path / "2" / MANIFEST).read_bytes()


def change_byte(bundle):
    (bundle / "labels.json").write_bytes(b" " + (bundle / "labels.json").read_bytes()[1:])


def swap_for_link(bundle):
    (bundle / "labels.json").rename(bundle.parent / "labels.json")
    (bundle / "labels.json").symlink_to(bundle.parent / "labels.json")


def forge_role(bundle):
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["files"]["labels.json"]["role"] = "policy"
    (bundle / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "spoil",
    [
        change_byte,
        swap_for_link,
        forge_role,
        lambda bundle: (bundle / "policy.json").unlink(),
        lambda bundle: (bundle / "extra.json").write_text("{}"),
        lambda bundle: (bundle / "policy2.json").write_text(json.dumps(POLICY)),
        lambda bundle: (bundle / MANIFEST).unlink(),
        lambda bundle: (bundle / MANIFEST).write_text("[]"),
        lambda bundle: (bundle / MANIFEST).write_text('{"kind": "pickle", "files": {}}'),
    ],
    ids=["changed", "link", "role", "missing", "extra", "second policy", "no manifest", "list", "unknown kind"],
)
def test_a_spoiled_bundle_is_refused(bundle, spoil):
    spoil(bundle)
    with pytest.raises(BundleError):
        verify(bundle)


@pytest.mark.parametrize(
    "changes",
    [{"policy.json": {**POLICY, "kind": "guess"}}, {"policy.json": [POLICY, POLICY]}, {"other.json": {}}],
    ids=["unknown policy", "two policies", "unknown file"],
)
def test_a_bundle_that_would_not_check_is_never_written(tmp_path, changes):
    with pytest.raises(BundleError):
        write_bundle(tmp_path / "bundle", "m", "0.1.0", "detect", "trivial", contents(**changes))
    assert list(tmp_path.iterdir()) == []
