"""How often would a fresh val_calib certify a model's exits? Policies fitted on whole groups drawn from fresh renders.

    PYTHONPATH=src python bench/certificates.py FOLDER --models roadwork roadwork_int8 --draws 200

FOLDER holds the trainings and the renders of `bench/trials.py`. Each training predicts the val_test of every render;
its groups together are drawn from, with replacement, until as many rows as the committed val_calib has are together.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from trials import ROOT, done, lend
from vouch import io
from vouch.calibration.apply.calibrator import calibrated
from vouch.params import check, read_params
from vouch.policies.fit.fitted import fit_policy
from vouch.stages import decide


def predicted(render, trained, model, dataset):
    """Return what a training says of the val_test of a render."""
    lend(trained, render)
    done(render, "dvc", "repro", "--quiet", "--single-item", "--force", f"predict_candidate@{model}")
    rows = io.read_table(render / f"data/predictions/{model}/candidate/val_test.parquet")
    return rows.assign(group=[f"{render.name}/{group}" for group in rows["group"]])


def drawn(rows, n_rows, rng):
    """Draw whole groups with replacement; one that comes twice is two groups of its own samples."""
    members = list(rows.groupby("group").indices.values())
    parts, count = [], 0
    while count < n_rows:
        part = rows.iloc[members[rng.integers(len(members))]]
        name = f"draw {len(parts)}"
        parts.append(part.assign(group=name, sample_id=name + "/" + part["sample_id"]))
        count += len(part)
    return pd.concat(parts, ignore_index=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--draws", type=int, required=True)
    arguments = parser.parse_args()
    params = read_params(ROOT / "params.yaml")
    renders, trainings = (sorted(arguments.folder.glob(f"{name}_*")) for name in ("render", "training"))
    if not renders or not trainings:
        sys.exit(f"{arguments.folder}: expected the folders of bench/trials.py, got none; run it first")
    print("| model | training | certified | misses in a thousand answered, all renders |\n|---|---|---|---|")
    for model in arguments.models:
        dataset = params["pipeline"]["models"][model]["dataset"]
        asked = check(decide.Params, params["models"][model]["decide"], f"models.{model}.decide").root
        for trained in trainings:
            found = pd.concat([predicted(render, trained, model, dataset) for render in renders], ignore_index=True)
            rows = calibrated(io.read_json(trained / f"models/{model}/calibrator.json"), found)
            n_rows = len(io.read_table(trained / f"data/predictions/{model}/candidate/val_calib.parquet"))
            rng = np.random.default_rng(1)
            feasible = [fit_policy(drawn(rows, n_rows, rng), asked)["feasible"] for _ in range(arguments.draws)]
            top = rows.nlargest(round(asked.xi * len(rows)), "confidence")
            answered = top[top["class_true"] == asked.positive]
            missed = 1000 * (answered["class_pred"] != asked.positive).mean()
            print(f"| {model} | {trained.name} | {np.mean(feasible):.2f} | {missed:.1f} |", flush=True)


if __name__ == "__main__":
    main()
