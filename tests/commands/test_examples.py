"""Every command's help shows examples, and every example runs, in a workspace that the stages have built."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import labelling
from hostile import ground, labels, pool
from vouch import io
from vouch.cli import app
from vouch.commands.examples import EXAMPLES
from vouch.curation.taxonomy.pack import read_pack
from vouch.curation.taxonomy.taxonomy import build as build_taxonomy
from vouch.stages import split

ROOT = Path(__file__).parents[2]
PARSED = {  # what no small workspace has
    "vouch compare driver --baseline main --md --enforce": "a branch of git with predictions in DVC's cache",
    "vouch plan driver": "the rows of a whole evaluation",
    "vouch deploy driver served/openvino --to openvino --photographs photographs": "the packages of OpenVINO",
}
MAIN = "import sys; from vouch.cli import main; sys.argv[0] = 'vouch'; main()"


def commands(group, name=""):
    """Yield the whole name of every command."""
    for below in group.registered_groups:
        yield from commands(below.typer_instance, f"{name}{below.name} ")
    for command in group.registered_commands:
        yield f"{name}{command.name}"


def shown(name):
    """Return the examples that the help of a command shows."""
    help_ = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).output
    lines = [line.strip() for line in help_.partition("Examples:")[2].splitlines()]
    return [line for line in lines if line]


def test_every_command_shows_its_own_examples_and_no_errors_of_a_program():
    assert set(commands(app)) == EXAMPLES.keys()
    for name, examples in EXAMPLES.items():
        assert tuple(shown(name)) == examples
        assert all(example.startswith(f"vouch {name} ") for example in examples)
        assert "Raises" not in CliRunner().invoke(app, [*name.split(), "--help"]).output


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The ground of tests/hostile: two models, one data set, and a stand-in for DVC."""
    folder = tmp_path_factory.mktemp("examples")
    pool.build(folder)
    return folder


def photographs():
    """A photograph, and twelve drives with two each."""
    rng = np.random.default_rng(5)
    names = ["p0.jpg", *(f"drive_{index // 2:02d}/{index}.jpg" for index in range(24))]
    for name in names:
        path = Path("photographs", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(path)


def sessions_of_classes():
    """Photographs in folders of their session and class; nothing was imported yet."""
    shutil.rmtree("data/sources/driver")
    for index in range(8):
        path = Path(f"photographs/s{index}", labels.CLASSES[index % 2], f"{index}.png")
        path.parent.mkdir(parents=True)
        Image.new("RGB", (20, 20), (index * 30, 0, 0)).save(path)


def a_folder_of_classes():
    """Sessions of two classes, and presets."""
    shutil.copytree(ROOT / "presets", "presets")
    sessions_of_classes()


def two_new_groups():
    lock = pd.read_csv("splits/driver.lock.csv")
    lock[~lock["group"].isin(["session=s3", "session=s4"])].to_csv("splits/driver.lock.csv", index=False)


def lists_of_the_lock():
    split.run("driver")  # the ground gives val_calib all photographs


def contradicting_labels():
    subprocess.run([sys.executable, "-m", "dvc", "add", "data/sources/driver"], check=True, env=environment())
    path = Path("data/quality/driver/issues.parquet")
    issues = pd.read_parquet(path)
    row = ("mine/s1_0.png", "contradicting_near", "warn", "looks like mine/s2_0.png")
    pd.concat([issues, pd.DataFrame([row], columns=issues.columns)]).to_parquet(path)


def counted():
    shutil.copytree(ROOT / "presets", "presets")
    counts = [{"sample_id": f"{n}.jpg", "counts": {"cola": n % 4}, "groups": {"store": str(n // 2)}} for n in range(9)]
    for name in ("predictions", "truth"):
        Path(f"{name}.json").write_text(json.dumps(counts))


def compared():
    Path("metrics/driver/comparison.json").write_text('{"overall": {"all": {"verdict": "unknown"}}}')


def real_rules():
    content = ground.parameters()
    for stage in ("train_detector", "calibrate", "decide", "gate"):
        content["models"]["driver"][stage] = ground.effective("models", "driver", stage)
    ground.write_params(json.loads(json.dumps(content, default=str)))


def of_products():
    """A third model, which identifies products, and photographs of a new one."""
    photographs()
    content = ground.parameters()
    entry = {"dataset": "driver", "task": "identify"}
    roads = {
        "models": entry
        | {"names": "gallery.safetensors", "trained": "sku", "judged_as": "sku", "baseline": "registry/sku/bundle"}
        | {"evidence": "test"},
        "embedders": {"dataset": "driver", "start": "models/architectures/none.yaml"},
        "galleries": {"dataset": "driver", "judged_as": "sku"},
        "trained": entry,
    }
    for road, one in roads.items():
        content["pipeline"].setdefault(road, {})["sku"] = one
    content["models"]["sku"] = {}
    ground.write_params(json.loads(json.dumps(content, default=str)))
    for path, text in (
        ("models/sku/labels.json", '{"classes": ["tea_black", "tea_green"]}'),
        ("data/gallery/sku/additions.csv", "product,photograph,sha256\n"),
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def a_benchmark():
    """Four wanted rows, one that holds a url, and a catalogue of two labels, as a folder and as a CSV."""
    shutil.copytree(ROOT / "presets", "presets")
    header = "row_id,class,negative,stratum_light,photograph,url,source,license,status,note\n"
    wanted = [f"r{index},{('can', 'glass')[index % 2]},false,day,,,,,wanted,\n" for index in range(4)]
    held = "r4,can,true,day,,HTTP://Example.org:80/a.jpg,site,CC0-1.0,suggested,ask Ann\n"
    Path("benchmark.csv").write_text("".join([header, *wanted, held]))
    listed, scores = ["file,label,license,upstream_split\n"], ["image,confidence\n"]
    rng = np.random.default_rng(7)
    for index in range(6):
        name = f"{('can', 'glass')[index % 2]}/{index}.png"
        Path("catalogue", name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(Path("catalogue", name))
        listed.append(f"{name},{name.partition('/')[0]},CC0-1.0,train\n")
        scores.append(f"catalogue/{name},{index / 6:.2f}\n")
    Path("catalogue/list.csv").write_text("".join(listed))
    Path("scores.csv").write_text("".join(scores))


def real_parameters():
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    shutil.copytree(ROOT / "presets", "presets")


def a_pack():
    shutil.copytree(ROOT / "presets", "presets")
    shutil.copyfile(ROOT / "examples/curbside/pack.json", "pack.json")
    Path("models/driver/labels.json").write_text('{"classes": ["bottle", "newspaper"]}')


def a_taxonomy():
    """What the commands before wrote, and a table with a labelled row of a photograph that nobody trained on."""
    a_pack()
    photographs()
    pack = read_pack(Path("pack.json").read_text(), "pack.json")
    io.write_json(Path("taxonomy.json"), build_taxonomy(pack, None, "pack.json").model_dump(mode="json"))
    shutil.copyfile(ROOT / "examples/curbside/benchmark.yaml", "benchmark.yaml")
    header = "row_id,class,negative,stratum_light,stratum_rain,photograph,url,source,license,status,group_session"
    row = "r1,newspaper,false,day,dry,photographs/p0.jpg,,ours,CC0-1.0,labelled,"
    Path("rows.csv").write_text(f"{header}\n{row}\n")


def a_scanned_data_set():
    a_taxonomy()
    lists_of_the_lock()


def a_model_to_train_again():
    """What `driver` said of val_select and of photographs, and a table of which two rows are open."""
    shutil.copytree(ROOT / "presets", "presets")
    photographs()
    lists_of_the_lock()
    labelling.val_select().to_parquet("data/predictions/driver/candidate/val_select.parquet")
    names = sorted(path.as_posix() for path in Path("photographs").rglob("*.jpg"))
    lines = [f"{name},jar,.4,.{place + 10},True,5,5,30,30\n" for place, name in enumerate(names)]
    Path("answers.csv").write_text(labelling.ANSWERS + "".join(lines))
    listed = [f"r{place},jar,false,day,{names[place]},,ours,CC0-1.0,suggested,new,\n" for place in (0, 1)]
    Path("rows.csv").write_text(labelling.HEADER + "".join(listed))


def a_choice():
    a_model_to_train_again()
    names = [f"photographs/drive_00/{place}.jpg" for place in (0, 1)]
    lines = [f"{name},{io.sha256(Path(name))},,jar,false,,CC0-1.0\n" for name in names]
    Path("chosen.csv").write_text("photograph,sha256,row_id,class,negative,source,license\n" + "".join(lines))


def a_reviewed_bundle():
    """Two photographs that were labelled as the model says; of the data set's groups none judges them."""
    a_choice()
    words = ["curate", "bundle", "chosen.csv", "--model", "driver", "--scores", "answers.csv", "-o", "to_label"]
    assert CliRunner().invoke(app, words).exit_code == 0
    Path("to_label/reviews").mkdir()
    shutil.copyfile("to_label/annotations.json", "to_label/reviews/ann.json")


def an_imported_data_set():
    a_reviewed_bundle()
    path = Path("params.yaml")
    path.write_text(path.read_text().replace("  rendered:\n  - driver\n", "  rendered: []\n"))
    subprocess.run([sys.executable, "-m", "dvc", "add", "data/sources/driver"], check=True, env=environment())


def an_example():
    Path("examples").mkdir()
    shutil.copyfile(ROOT / "examples/trashnet.params.yaml", "examples/trashnet.params.yaml")


PREPARED = {
    "add": an_example,
    "curate import": an_imported_data_set,
    "curate check": a_reviewed_bundle,
    "curate bundle": a_choice,
    "curate retrain": a_model_to_train_again,
    **dict.fromkeys(("curate suggest", "curate normalize", "curate dedupe"), a_benchmark),
    "curate taxonomy": a_pack,
    **dict.fromkeys(("curate manifest", "curate coverage", "curate resolve"), a_taxonomy),
    "curate holdout": a_scanned_data_set,
    "new": a_folder_of_classes,
    "check": real_rules,
    "params": real_parameters,
    "import": sessions_of_classes,
    **dict.fromkeys(("gallery add", "gallery remove", "gallery list"), of_products),
    **dict.fromkeys(("split show", "split check"), lists_of_the_lock),
    "split assign": two_new_groups,
    "review-labels": contradicting_labels,
    "compare": compared,
    "evaluate-counts": counted,
    "plan": real_rules,
    "predict": photographs,
    "drift": photographs,
}


def environment():
    stand_in = Path.cwd().parents[1] / "stand_in"
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(stand_in), str(ROOT / "src")])}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_a_command_run_one_after_the_other(built, name, monkeypatch):
    here = built / name.replace(" ", "_") / "here"
    shutil.copytree(built / "ground", here, symlinks=True)
    monkeypatch.chdir(here)
    PREPARED.get(name, lambda: None)()
    for example in EXAMPLES[name]:
        words = shlex.split(example)[1:]
        if example in PARSED:
            command = typer.main.get_command(app)
            for word in name.split():
                command = command.commands[word]
            command.make_context(name, words[len(name.split()) :])
            continue
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *words], capture_output=True, text=True, check=False, env=environment()
        )
        allowed = (0, 1) if "--enforce" in words else (0,)
        assert done.returncode in allowed, done.stderr
        assert "vouch: " not in done.stderr, done.stderr
