"""The ground that every case starts from: a workspace of two models and one data set, built by the stages themselves.

Nothing is trained: the two networks are those of tests/deployment/bundles.py. DVC is not the subject here and would
take seconds a case: a package in its place answers `dvc add`, and says that nothing is stale.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from ruamel.yaml import YAML

from deployment import bundles
from hostile import labels
from vouch.params import read_section

ROOT = Path(__file__).parents[2]
MODELS = {"driver": "detect", "roadwork": "classify"}
SESSIONS = 24
STAND_IN = {
    "__init__.py": "",
    "__main__.py": """
import json
import sys
from hashlib import md5
from pathlib import Path
cache = Path(".dvc/cache").absolute()
if sys.argv[1:] == ["cache", "dir"]:
    sys.exit(print(cache))
place = Path(sys.argv[-1])
files = sorted(path for path in place.rglob("*") if path.is_file())
listing = [{"md5": md5(path.read_bytes()).hexdigest(), "relpath": path.relative_to(place).as_posix()} for path in files]
content = json.dumps(listing).encode()
digest = md5(content).hexdigest() + ".dir"
(cache / "files/md5" / digest[:2]).mkdir(parents=True, exist_ok=True)
(cache / "files/md5" / digest[:2] / digest[2:]).write_bytes(content)
text = f"outs:\\n- md5: {digest}\\n  nfiles: {len(files)}\\n  hash: md5\\n  path: {place.name}\\n"
place.with_name(f"{place.name}.dvc").write_text(text)
""",
    "exceptions.py": """
class DvcException(Exception):
    pass
""",
    "repo/__init__.py": """
from contextlib import nullcontext
from types import SimpleNamespace
def Repo():
    return nullcontext(SimpleNamespace(lock=nullcontext(), index=SimpleNamespace(graph=None)))
""",
    "repo/reproduce.py": """
def get_active_graph(graph):
    return graph
def collect_stages(repo, targets):
    return []
def plan_repro(graph, stages):
    return []
""",
}
RULE = {"source": "data", "metric": "quarantined_fraction", "limit": 0.5, "bound": "value"}
GATE: dict[str, Any] = {
    "required": {},
    "rules": {"quarantine": RULE},
    "waivers": {},
    "summary": [],
}
DRIFT = {"level": 0.5, "permutations": 19, "least_photographs": 10, "sample": 100, "folds": 2}  # quickly
ABSENT = {"render", "train_detector", "train_classifier", "quantize"}


def parameters() -> dict[str, Any]:
    """Return the repository's params.yaml, cut down to what the doors read."""
    content: dict[str, Any] = json.loads(_parameters())
    return content


@cache
def _parameters() -> str:
    """As JSON, which is parsed in a hundredth of the time."""
    content = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    pipeline = content["pipeline"] | {"datasets": ["driver"], "rendered": ["driver"]}
    pipeline |= {"quantized": {}, "embedders": {}, "galleries": {}, "systems": {}}
    for road in ("models", "detectors", "fine_tuned", "trained", "unpromoted"):
        pipeline[road] = {name: entry for name, entry in content["pipeline"][road].items() if name in MODELS}
    for road in ("models", "fine_tuned", "trained", "unpromoted"):
        pipeline[road] |= {"roadwork": pipeline[road]["roadwork"] | {"dataset": "driver"}}
    dataset = {
        name: effective("datasets", "driver", name) for name in content["datasets"]["driver"] if name not in ABSENT
    }
    dataset["render"] = {"seed": 1}
    dataset["curate"] = effective("datasets", "driver", "curate")
    dataset["ingest"] = {"classes": list(labels.CLASSES), "group_keys": ["session"], "strata": {"light": ["day"]}}
    dataset["scan"] = {"max_megapixels": 4.0}
    dataset["validate"]["severity"] |= dict.fromkeys(
        ("blank", "exact_duplicate", "near_duplicate", "few_groups"), "warn"
    )
    dataset["validate"]["coverage"] |= {"min_components": 4, "min_samples": 1, "min_count": 1, "of_classes": []}
    models = {
        name: {
            "gate": GATE,
            "drift": effective("models", name, "drift") | DRIFT,
            "evaluate": {key: effective("models", name, "evaluate")[key] for key in ("level", "seed")},
        }
        for name in MODELS
    }
    return json.dumps({"pipeline": pipeline, "datasets": {"driver": dataset}, "models": models})


def effective(*keys: str) -> Any:
    """Return a section of the repository's parameters, laid over its preset: the ground has no presets."""
    return read_section(*keys, path=ROOT / "params.yaml").content


def write_params(content: dict[str, Any]) -> None:
    """Write params.yaml as DVC does."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(content, Path("params.yaml"))


def without_dvc(folder: Path) -> None:
    """Let this process, and those that it starts, find the stand-in for DVC."""
    os.environ["PYTHONPATH"] = str(folder / "stand_in")
    sys.path.insert(0, str(folder / "stand_in"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "dvc"]:
        del sys.modules[name]


def build(folder: Path) -> None:
    """Build the ground; it is copied for each case."""
    from vouch.release.inference import answer  # in the process that builds alone
    from vouch.release.opening import open_bundle
    from vouch.stages import ingest, scan, split, validate
    from vouch.vision.images.source import files

    for name, text in STAND_IN.items():
        labels.write(folder / "stand_in/dvc" / name, text.encode())
    (folder / "ground/.dvc").mkdir(parents=True)
    os.chdir(folder / "ground")
    Path(".dvc/config").touch()
    write_params(parameters())
    for name, task in MODELS.items():
        _model(name, task)
    _source(Path("data/sources/driver/mine"))
    for stage in (ingest, scan, validate, split):
        stage.run("driver")
    whole = Path("data/manifests/driver/samples.parquet")
    rows = pd.read_parquet(whole)["sample_id"].map(lambda name: f"{name},{name}\n")
    Path("data/splits/driver/val_calib.csv").write_text("sample_id,group\n" + "".join(rows))  # enough for `vouch drift`
    photographs(Path("new"))
    photographs_of_mine = files(sorted(Path("data/sources/driver/mine").glob("*.png")))
    seen = answer(open_bundle(Path("models/driver/bundle")), photographs_of_mine).rows
    predicted = Path("data/predictions/driver/candidate/val_calib.parquet")
    predicted.parent.mkdir(parents=True)
    seen.rename(columns={"image": "sample_id"}).assign(group=seen["image"]).to_parquet(predicted)
    for name in MODELS:
        (Path("metrics") / name).mkdir(parents=True, exist_ok=True)
        for file in ("export", "test", "comparison", "calibration"):
            Path(f"metrics/{name}/{file}.json").write_text("{}\n")
        for side in ("candidate", "baseline"):
            labels.write(Path(f"data/predictions/{name}/{side}/val_test.parquet"), side.encode())
        groups = Path(f"plots/{name}/test/groups.parquet")
        groups.parent.mkdir(parents=True)
        pd.DataFrame(dict.fromkeys(("metric", "stratum", "group", "rows", "hits"), ())).to_parquet(groups)
        verdict(name)


def verdict(name: str) -> None:
    """Let the stage gate write the verdict of a model."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-m", "vouch.stages.gate", *gate_words(name)], check=True, env=environment)


@cache
def gate_words(model: str) -> tuple[str, ...]:
    """Return the words of the stage gate as dvc.yaml has them."""
    graph = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    words = {"${key}": model, "${item.dataset}": "driver", "${item.evidence}": "test", "${item.names}": "labels.json"}
    return tuple(words.get(word, word) for word in shlex.split(graph["stages"]["gate"]["do"]["cmd"])[1:])


def _model(name: str, task: str) -> None:
    folder = Path("models") / name / "bundle"
    folder.parent.mkdir(parents=True)
    bundles.build(folder, task)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"name": name}, indent=2, sort_keys=True) + "\n")
    folder.with_suffix(".onnx").unlink()
    for file in folder.iterdir():  # what the stages before `bundle` leave
        shutil.copyfile(file, folder.parent / file.name)
    (folder.parent / "manifest.json").unlink()


def _source(root: Path) -> None:
    held = labels.photos(np.random.default_rng(1), SESSIONS)
    held = [labels.replace(one, name=f"s{index}_0.png") for index, one in enumerate(held)]
    labels.plant(root, "jsonl", held, "refuse")
    rules = {"groups": {"session": {"pattern": "^(s[0-9]+)_"}}, "strata": {"light": {"value": "day"}}}
    content = {"name": root.name, "format": "jsonl", "unlabelled": "refuse", **rules}
    (root / "source.json").write_text(json.dumps(content))


def photographs(folder: Path) -> None:
    """Write photographs that a model has not seen."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    for index, suffix in enumerate(("jpg", "png", "jpg")):
        Image.fromarray(rng.integers(0, 255, (40, 50, 3), np.uint8)).save(folder / f"p{index}.{suffix}")
