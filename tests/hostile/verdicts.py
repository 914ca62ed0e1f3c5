"""The door of verdicts: gate.json, the rules, and a bundle that is not the one that was judged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hostile import bundles, ground
from hostile.contract import Attempt
from hostile.entering import staged, typed, workspace
from hostile.values import DOCUMENTS, JSON, noisy, pick, spoiled
from vouch.stages import gate

SOUND = "nothing changed"
VERDICT = Path("metrics/driver/gate.json")
WRITES = ("here/registry", "here/metrics/driver", "here/.dvc/cache")
LIMITS = (".nan", ".inf", "-.inf", "1e400", "x", "null", "[]", "'0.5'", "1" + "0" * 400)
SCORES = ("1e308", "-1", "0", "0.5", "null", "NaN", "1e400", "1" + "0" * 400, "true")
Told = tuple[str, bool]  # what was done, and whether a release may still be said to be free


def _released(change: Callable[[np.random.Generator], Told], rng: np.random.Generator, folder: Path) -> Attempt:
    """Something of what the verdict says or judged has changed; the model is to be released."""
    workspace(folder)
    told, free = change(rng)
    command = pick(rng, (("promote", "driver"), ("gate", "driver", "--enforce"), ("gate", "driver")))
    if not free:
        command = pick(rng, (("promote", "driver"), ("gate", "driver", "--enforce")))
    rewritten = (*WRITES, "here/params.yaml") if command[0] == "promote" else ()
    right = lambda _: "" if free else f"{' '.join(command)} lets it pass"  # noqa: E731
    return Attempt(
        f"{told}, then {' '.join(command)}", lambda: typed(*command), right, rewritten=rewritten, sound=told == SOUND
    )


def _nothing(rng: np.random.Generator) -> Told:
    return SOUND, True


def _text(rng: np.random.Generator) -> Told:
    text = VERDICT.read_bytes()
    texts = (*(one.encode() for one in (*JSON, *DOCUMENTS)), b"\xff\xfe", b'{"passed": "\xff"}', noisy(rng, text))
    changed = pick(rng, texts)
    VERDICT.write_bytes(changed)
    return f"gate.json is {changed[:40]!r}", changed == text


def _value(rng: np.random.Generator) -> Told:
    text, told = spoiled(rng, json.loads(VERDICT.read_text()))
    VERDICT.write_text(text)
    return f"gate.json: {told}", True  # a reason or a limit may change without harm; a traceback may not come of it


def _no_rules(rng: np.random.Generator) -> Told:
    content = json.loads(VERDICT.read_text())
    how = pick(
        rng, ("no rules", "no rules and nothing else", "rules that are a list", "passed, and a rule that failed")
    )
    content["rules"] = {} if how.startswith("no") else [] if how.endswith("list") else content["rules"]
    if how == "passed, and a rule that failed":
        next(iter(content["rules"].values()))["passed"] = False
    VERDICT.write_text(json.dumps({"passed": True, "rules": {}} if "nothing else" in how else content))
    return f"gate.json with {how}", False


def _other_bundle(rng: np.random.Generator) -> Told:
    """Decide otherwise after the verdict: the bundle checks, and is not the one that was judged."""
    bundle = Path("models/driver/bundle")
    name, key, value = pick(
        rng, (("policy.json", "thresholds", {"clear": 0.9, "works": 0.9}), ("calibrator.json", "floor", 0.1))
    )
    for path in (bundle / name, bundle.parent / name):
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}, indent=2, sort_keys=True) + "\n")
    bundles.refit(bundle)
    return f"another {name} in the bundle", False


def _judged(rng: np.random.Generator, folder: Path) -> Attempt:
    """The rules or the evidence are odd; the stage gate judges."""
    workspace(folder)
    rule = ground.GATE["rules"]["quarantine"] | {"limit": "@limit@"}
    content = ground.parameters()
    content["models"]["driver"]["gate"] = ground.GATE | {"rules": {"r": rule}}
    how = pick(rng, ("limit", "rules", "evidence", "evidence", "score"))
    limit = pick(rng, LIMITS) if how == "limit" else "0.5"
    if how == "rules":
        content["models"]["driver"]["gate"] = ground.GATE | {"rules": {}}
    Path("params.yaml").write_text(json.dumps(content).replace('"@limit@"', limit))
    told = f"{how} {limit}"
    if how in ("evidence", "score"):
        path = Path("metrics/driver") / pick(rng, ("data.json", "test.json", "export.json", "comparison.json"))
        text, told = spoiled(rng, json.loads(path.read_text()))
        if how == "score":
            path = Path("metrics/driver/data.json")
            found = {"metrics": {"quarantined_fraction": {"all": {"value": "@", "n_groups": 9, "n_rows": 9}}}}
            text = json.dumps(found).replace('"@"', value := pick(rng, SCORES))
            told = f"a value of {value[:20]}"
        path.write_text(text)
        told = f"{path.name}: {told}"
    words = ground.gate_words("driver")
    return Attempt(told, lambda: staged(gate, *words), lambda _: _fault(), rewritten=("here/metrics", "here/.dvc"))


def _fault() -> str:
    verdict: dict[str, Any] = json.loads(VERDICT.read_text())
    if verdict["passed"] and not verdict["rules"]:
        return "passed without a rule"
    if not verdict["passed"]:
        return ""
    kept = (isinstance(one["observed"], int | float) and one["observed"] <= 0.5 for one in verdict["rules"].values())
    return "" if all(kept) else f"passed with {verdict['rules']}"


def _kind(change: Callable[[np.random.Generator], Told]) -> Callable[[np.random.Generator, Path], Attempt]:
    return lambda rng, folder: _released(change, rng, folder)


KINDS = {
    "text": _kind(_text),
    "values": _kind(_value),
    "no rules": _kind(_no_rules),
    "another bundle": _kind(_other_bundle),
    "judged": _judged,
    "judged again": _judged,
    "nothing": _kind(_nothing),
}
