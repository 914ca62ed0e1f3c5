"""A verdict is whole, agrees with itself, and holds for what it judged alone."""

import json
import os

import pytest

from release import judged
from vouch import io, paths
from vouch.errors import BundleError, WorkspaceError
from vouch.release.verdict import FILES, judged_files, open_verdict, refuse_others

GATE = paths.metrics("m", "gate")
RULE = "recall[stream=rear]"


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    judged.make(tmp_path)
    return tmp_path


def change(*keys, value):
    content = io.read_json(GATE)
    section = content
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    GATE.write_text(json.dumps(content))


def refusal():
    with pytest.raises(WorkspaceError) as refused:
        open_verdict("m")
    assert "run `dvc repro gate@m`" in str(refused.value)
    return str(refused.value)


def test_a_verdict_that_agrees_with_itself_is_returned_as_it_stands():
    assert open_verdict("m") == io.read_json(GATE)


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (("passed",), False, "passed is false, and yet the rules say otherwise"),
        (("rules",), {}, "passed is true, and yet the rules say otherwise"),
        (("rules",), {RULE: judged.rule(severity="warn")}, "passed is true, and yet the rules say otherwise"),
        (("rules", RULE), judged.rule(passed=False), "passed is true, and yet the rules say otherwise"),
        (("rules", RULE, "passed"), False, "a rule that failed has a reason"),
        (("rules", RULE, "reason"), "too low", "a rule that failed has a reason"),
        (("rules", RULE, "observed"), 0.94, "passed, and yet 0.94 is not >= 0.95"),
        (("rules", RULE, "observed"), None, "passed, and yet None is not >= 0.95"),
        (("rules", RULE, "observed"), float("nan"), "a finite number"),
        (("rules", RULE, "kind"), "sanity check", "a rule that reads low is a bound"),
        (("rules", RULE, "limit"), float("-inf"), "a finite number"),
        (("rules", RULE, "limit"), "0.95", "a valid number"),
        (("rules", RULE, "limit"), 10**400, "a finite number"),
        (("rules", RULE, "n_groups"), 10**400, "whole numbers end at 4294967295"),
        (("rules", RULE, "n_groups"), -1, "greater than or equal to 0"),
        (("rules", RULE, "waived_until"), "2030-01-01", "a waiver has a day and a reason"),
        (("rules", RULE, "waived_until"), "soon", "valid date"),
        (("rules", RULE, "severity"), "maybe", "'block' or 'warn'"),
        (("rules", RULE, "note"), "", "a known key, got an unknown one"),
        (("rules", RULE), [], "object"),
        (("rules",), None, "an object, got None"),
        (("passed",), 1, "valid boolean"),
        (("note",), "", "a known key, got an unknown one"),
        (("judged",), {}, "judged.files: expected a value, got nothing"),
        (("judged", "files"), {}, "files are calibrator.json"),
        (("judged", "files", "policy.json"), "0" * 63, "pattern"),
        (("judged", "predictions", "baseline"), None, "valid string"),
    ],
)
def test_a_verdict_that_is_not_of_its_form_or_contradicts_itself_is_refused_by_name(keys, value, said):
    change(*keys, value=value)
    assert said in refusal()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"\xff\xfe{}", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b'{"passed": ' + b"1" * 5_000 + b"}", "JSON"),
        (b"<<<<<<< HEAD\n", "JSON"),
    ],
)
def test_what_is_no_json_is_refused_by_name(content, said):
    GATE.write_bytes(content)
    assert said in refusal()


def test_a_rule_that_stands_twice_is_refused_by_name():
    name = json.dumps(RULE)
    failed = f'"rules": {{{name}: {json.dumps(judged.rule(passed=False))}, '
    GATE.write_text(GATE.read_text().replace('"rules": {', failed))
    assert f"{RULE} twice" in refusal()


def test_no_file_a_folder_and_a_pipe_are_refused_by_name():
    GATE.unlink()
    assert "expected a file, got none" in refusal()
    GATE.mkdir()
    assert "expected a file, got another thing" in refusal()
    GATE.rmdir()
    os.mkfifo(GATE)
    assert "expected a file, got another thing" in refusal()


@pytest.mark.parametrize("name", FILES)
def test_a_verdict_about_another_file_names_it_and_both_hashes(workspace, name):
    verdict, bundle = open_verdict("m"), paths.model("m", "bundle")
    refuse_others(judged_files(verdict, bundle), remedy="-")
    before = io.sha256(bundle / name)
    (bundle / name).write_bytes(b"another")
    with pytest.raises(BundleError) as refused:
        refuse_others(judged_files(verdict, bundle), remedy="build it", error=BundleError)
    assert f"{bundle / name}: expected the file that the gate judged, sha256 {before}" in str(refused.value)
    assert f"got {io.sha256(bundle / name)}; build it" in str(refused.value)
    (bundle / name).unlink()
    with pytest.raises(BundleError, match="got none"):
        refuse_others(judged_files(verdict, bundle), remedy="build it", error=BundleError)
