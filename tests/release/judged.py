"""A model that was judged: its files, its bundle, predictions of both sides, and the verdict on them."""

import shutil
import warnings

from dvc.repo import Repo

from deployment.bundles import build
from vouch import io, paths
from vouch.release.verdict import FILES, judged_now

GRAPH = """
stages:
  decide:
    foreach: {m: {}}
    do:
      cmd: echo decided
      deps:
        - asked.txt
      outs:
        - models/m/policy.json:
            cache: false
  gate:
    foreach: {m: {}}
    do:
      cmd: echo judged
      deps:
        - models/m/policy.json
        - data/predictions/m/candidate/val_test.parquet
      outs:
        - metrics/m/gate.json:
            cache: false
  bundle:
    foreach: {m: {}}
    do:
      cmd: echo bundled
      deps:
        - models/m/policy.json
      outs:
        - models/m/bundle
"""


def rule(*, passed=True, severity="block", waived_until=None, **changes):
    return {
        "passed": passed,
        "metric": "recall",
        "source": "test",
        "stratum": "stream=rear",
        "kind": "bound",
        "bound": "low",
        "op": ">=",
        "limit": 0.95,
        "observed": 0.96 if passed else None,
        "expected_by_chance": None,
        "n_groups": 30,
        "severity": severity,
        "reason": "" if passed else "no evidence at all",
        "equal_passes": None,
        "resolved_margin": None,
        "waived_until": waived_until,
        "waiver_reason": "camera is replaced" if waived_until else None,
    } | changes


def power(rules):
    of_rule = {"truth": 0.97, "compliant": 0.4, "again": 0.9}
    rules = {name: dict(of_rule) for name in rules}
    return {"beyond": 0.02, "compliant": 0.4, "passes": 0.9, "underpowered": True, "by_rule": rules}


def make(root, one=None):
    """Write everything of model `m` below `root`, which is the working directory, and the verdict on one rule."""
    build(root / paths.model("m", "bundle"), "classify")
    for name in FILES:
        shutil.copy(root / paths.model("m", "bundle") / name, root / paths.model("m", name))
    for side in paths.SIDES:
        io.write_text(root / paths.predictions("m", side, "val_test"), f"rows of the {side}")
    write_verdict(root, one or rule())


def write_verdict(root, one):
    held = one["severity"] == "block" and (one["passed"] or one["waived_until"] is not None)
    verdict = {"passed": held, "rules": {"recall[stream=rear]": one}, "judged": judged_now("m", "labels.json")}
    verdict |= {"power": power(verdict["rules"])}
    io.write_json(root / paths.metrics("m", "gate"), verdict)


def track(root):
    """Put what `make` wrote under DVC, recorded as it is."""
    (root / "asked.txt").write_text("a policy")
    (root / "dvc.yaml").write_text(GRAPH)
    with warnings.catch_warnings(action="ignore"), Repo.init(str(root), no_scm=True) as repo:  # its own deprecations
        repo.commit(force=True)
