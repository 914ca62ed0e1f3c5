"""How often does a default model or system pass its gate: trainings with other seeds, judged on fresh renders too.

    PYTHONPATH=src python bench/trials.py FOLDER --models driver roadwork roadwork_int8 --trainings 5 --renders 3

Every training has a clone of this checkout's last commit under FOLDER, with another seed of the training and the same
data; every fresh render is the same data set drawn from another seed, split anew, whose val_test judges each trained
model through the stages that judge at home. Finished trainings and renders are kept and taken up again, so a run that
was stopped goes on. It prints one row for each model and training, and how many of all verdicts passed.

The clones share this checkout's DVC cache, so that what is built is not built again, and nothing else of it.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
TRAINED = ("train_detector", "train_classifier", "train_embedder")  # sections that hold a training's seed
PIPELINE = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))["pipeline"]
COMMITTED = 1  # seed of the committed models, whose sections stay as they are: DVC has their trainings
JUDGING = {  # stages from a trained model to its verdict
    "models": ("predict_candidate", "predict_baseline", "evaluate", "compare", "gate"),
    "systems": ("compose", "compose_baseline", "evaluate_counts", "compare_counts", "gate_system"),
}
SHOWN = ("test", "counts")  # sources of rules; "[" stands in the name of one that binds a single stratum
FIRST_FRESH = 101  # seeds of fresh renders; starting weights were trained on 1001 to 1007


def done(folder, *words):
    """Run a command in `folder` and return what it printed; its own words when it fails."""
    found = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.exit(f"{' '.join(words)} in {folder}:\n{found.stdout[-2000:]}{found.stderr[-4000:]}")
    return found.stdout


def clone(folder, change):
    """Clone the last commit and let `change` edit its parameters; DVC's cache is this checkout's."""
    done(ROOT, "git", "clone", "--quiet", str(ROOT), str(folder))
    done(folder, "dvc", "config", "--local", "cache.dir", done(ROOT, "dvc", "cache", "dir").strip())
    done(folder, "dvc", "checkout", "--quiet")
    yaml, path = YAML(), folder / "params.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"))
    change(content)
    yaml.dump(content, path)


def finished(folder, make):
    """Return `folder`, made by `make` unless an earlier run finished it."""
    mark = folder / ".finished"
    if not mark.exists():
        shutil.rmtree(folder, ignore_errors=True)
        make()
        mark.touch()
    return folder


def training(folder, seed, models):
    """Train every model from another seed, on the same data, up to its verdict."""

    def make():
        def change(content):
            for section in content["models"].values():
                for name in TRAINED:
                    if name in section and seed != COMMITTED:
                        section[name]["seed"] = seed

        clone(folder, change)
        done(folder, "dvc", "repro", "--quiet", *[f"{verb}@{model}" for model in models for verb in verbs(model)])

    return finished(folder, make)


def fresh(folder, seed, datasets):
    """Draw the data sets from another seed and split them anew."""

    def make():
        def change(content):
            for dataset in datasets:
                content["datasets"][dataset]["render"]["seed"] = seed

        clone(folder, change)
        for dataset in datasets:
            (folder / f"splits/{dataset}.lock.csv").unlink()
        done(folder, "dvc", "repro", "--quiet", *[f"split@{dataset}" for dataset in datasets])

    return finished(folder, make)


def verbs(model):
    """Name the stages that end in a verdict and a bundle, of a model or a system."""
    return ("gate_system", "bundle_system") if model in PIPELINE["systems"] else ("gate", "bundle")


def lend(trained, render):
    """Put the models and bundles of a training into a render."""
    for part in ("models", "registry"):
        shutil.copytree(trained / part, render / part, dirs_exist_ok=True, copy_function=replaced)


def replaced(source, target):
    """Copy over a file that may be a link into DVC's cache, as the source may be too."""
    Path(target).unlink(missing_ok=True)
    return shutil.copyfile(source, target)


def judged(render, trained, model):
    """Judge a trained model or system on the val_test of a fresh render, by the stages that judge at home."""
    lend(trained, render)
    if model in PIPELINE["models"]:
        shutil.copyfile(trained / f"metrics/{model}/export.json", render / f"metrics/{model}/export.json")
    for verb in JUDGING["systems" if model in PIPELINE["systems"] else "models"]:
        done(render, "dvc", "repro", "--quiet", "--single-item", "--force", f"{verb}@{model}")
    return verdict(render, model)


def verdict(folder, model):
    """Return the gate's verdict of one model."""
    return json.loads((folder / f"metrics/{model}/gate.json").read_text(encoding="utf-8"))


def row(model, seed, where, found):
    """Print one verdict as a row: what failed, and what every rule on val_test and its counts saw as a whole."""
    failed = [f"{name} {one['observed']}" for name, one in found["rules"].items() if not one["passed"]]
    figures = [
        f"{name} {one['observed']:.3f}"
        for name, one in found["rules"].items()
        if one["source"] in SHOWN and "[" not in name and one["observed"] is not None
    ]
    word = "passed" if found["passed"] else "FAILED"
    print(f"| {model} | {seed} | {where} | {word} | {'; '.join(failed)} | {'; '.join(figures)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--trainings", type=int, required=True)
    parser.add_argument("--renders", type=int, required=True)
    arguments = parser.parse_args()
    entries = PIPELINE["models"] | PIPELINE["systems"]
    datasets = sorted({entries[model]["dataset"] for model in arguments.models})
    print("| model | seed | judged on | verdict | failed | bounds |\n|---|---|---|---|---|---|")
    passed = {model: [] for model in arguments.models}
    for seed in range(1, arguments.trainings + 1):
        trained = training(arguments.folder / f"training_{seed}", seed, arguments.models)
        for model in arguments.models:
            found = verdict(trained, model)
            passed[model].append(found["passed"])
            row(model, seed, "val_test", found)
        for number in range(FIRST_FRESH, FIRST_FRESH + arguments.renders):
            render = fresh(arguments.folder / f"render_{number}", number, datasets)
            for model in arguments.models:
                found = judged(render, trained, model)
                passed[model].append(found["passed"])
                row(model, seed, f"render {number}", found)
    for model, verdicts in passed.items():
        print(f"\n{model}: {sum(verdicts)} of {len(verdicts)} passed")


if __name__ == "__main__":
    main()
