"""A workspace whose detector is to be trained again: eight labelled sessions, and photographs that nobody labelled."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from ruamel.yaml import YAML
from typer.testing import CliRunner

from deployment.bundles import OPERATING_POINT, SCALAR
from pipelines import of_one_detector
from vouch import io
from vouch.cli import app
from vouch.quality import images
from vouch.stages import ingest

ROOT = Path(__file__).parents[1]
CLASSES = ("can", "jar")
SPLITS = {"train": (0, 1, 2, 3), "val_select": (4, 5), "val_calib": (6,), "val_test": (7,)}
ANSWERS = "image,class_pred,score,confidence,accept,x1,y1,x2,y2\n"
CHOSEN = "photograph,sha256,row_id,class,negative,stratum_light,group_session,source,license\n"
HEADER = "row_id,class,negative,stratum_light,photograph,url,source,license,status,group_session,note\n"


def picture(seed):
    """A photograph that no other seed gives or resembles."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


def boxed(name):
    """What is on a photograph of the data set: one object."""
    return {"boxes": [{"class": name, "x1": 10, "y1": 10, "x2": 60, "y2": 50}]}


def build(roads=None, *, classes=CLASSES, labelled=boxed):
    """Build it in the working directory: data set d, and the model m of `roads`, by default a detector."""
    shutil.copytree(ROOT / "presets", "presets", dirs_exist_ok=True)
    pipeline = roads or of_one_detector()
    params = {
        "pipeline": pipeline,
        "datasets": {
            "d": {
                "ingest": {"classes": list(classes), "group_keys": ["session"], "strata": {"light": ["day", "night"]}},
                "scan": {"max_megapixels": 1.0},
            }
        },
        "models": {name: {} for name in pipeline["models"]},
        "systems": {name: {} for name in pipeline["systems"]},
    }
    Path("params.yaml").write_text(json.dumps(params))
    _sources(classes, labelled)
    _model(classes)


def photographs(folder, seeds):
    """Write photographs that nobody labelled; return their paths."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        picture(seed).save(Path(folder, f"p{seed}.png"))
    return [f"{folder}/p{seed}.png" for seed in seeds]


def labelled_whole(name):
    """What is on a photograph of a data set of classes of whole photographs."""
    return {"label": name}


def tracked():
    """Let the data set be one that was imported: DVC has it, and it is no longer drawn."""
    params = json.loads(Path("params.yaml").read_text())
    params["pipeline"]["rendered"] = []
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(params, Path("params.yaml"))  # in blocks, as an import edits it
    Path(".gitignore").write_text("/data/*/?*\n!/data/sources/?*.dvc\n")
    for words in (("init", "--quiet", "--no-scm"), ("add", "--quiet", "data/sources/d")):
        subprocess.run([sys.executable, "-m", "dvc", *words], check=True)


def curate(*words):
    """Run a command of the group; return what it says, whatever its exit code."""
    result = CliRunner().invoke(app, ["curate", *words], env={"COLUMNS": "160"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def bundled(rows):
    """Bundle photographs by seed, with their cells from `negative` on; Ann exports what the bundle says as COCO."""
    shutil.rmtree("out", ignore_errors=True)
    names = photographs("new", rows)
    lines = [f"{name},{io.sha256(Path(name))},,jar,{said},,\n" for name, said in zip(names, rows.values(), strict=True)]
    Path("chosen.csv").write_text(CHOSEN + "".join(lines))
    Path("answers.csv").write_text(ANSWERS + "".join(f"{name},jar,.5,.7,True,5,5,40,40\n" for name in names))
    curate("bundle", "chosen.csv", "--model", "m", "-o", "out", "--scores", "answers.csv")
    Path("out/reviews").mkdir()
    shutil.copyfile("out/annotations.json", "out/reviews/ann.json")


def _sources(classes, labelled):
    root = Path("data/sources/d/mine")
    root.mkdir(parents=True)
    lines = []
    for number in range(8):
        picture(number).save(root / f"s{number}.png")
        strata, groups = {"light": ("day", "night")[number % 2]}, {"session": f"s{number}"}
        line = {"image": f"s{number}.png", "width": 160, "height": 120, **labelled(classes[number % 2])}
        lines.append(json.dumps(line | {"groups": groups, "strata": strata}))
    (root / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    (root / "source.json").write_text(json.dumps({"name": "mine", "format": "jsonl", "unlabelled": "refuse"}))
    ingest.run("d")
    samples = io.read_table(Path("data/manifests/d/samples.parquet"))
    records = images.scan([Path(one) for one in samples["image"]], max_megapixels=1.0, workers=1)
    io.write_table(Path("data/quality/d/scan.parquet"), images.tabulate(list(samples["sample_id"]), list(records)))
    for split, members in SPLITS.items():
        names = [f"mine/s{number}.png" for number in members]
        groups = [f"session=s{number}" for number in members]
        io.write_table(Path(f"data/splits/d/{split}.csv"), pd.DataFrame({"sample_id": names, "group": groups}))


def _model(classes):
    io.write_json(Path("models/m/labels.json"), {"classes": list(classes)})
    io.write_json(Path("models/m/calibrator.json"), SCALAR)
    io.write_json(Path("models/m/policy.json"), OPERATING_POINT | {"thresholds": dict.fromkeys(CLASSES, 0.5)})
    io.write_table(Path("data/predictions/m/candidate/val_select.parquet"), val_select())


def val_select():
    """Six of six cans are found, and of six jars one, and one below its threshold; one alarm is false."""
    rows = [("can", "can", 0.9, True)] * 6 + [("jar", None, 0.0, False)] * 4
    rows += [("jar", "jar", 0.9, True), ("jar", "jar", 0.05, True), (None, "can", 0.6, False)]
    table = pd.DataFrame(rows, columns=["class_true", "class_pred", "score", "correct"])
    stated = {"sample_id": "mine/s4.png", "group": [f"g{place}" for place in range(len(rows))]}
    return table.assign(**stated, stratum_light=["day", "night"] * 6 + ["day"]).astype(
        {"class_true": "str", "class_pred": "str"}
    )
