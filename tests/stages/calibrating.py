"""Run `calibrate` on a toy model's rows, whatever kind they are of, and look at what it wrote."""

from pathlib import Path

import pandas as pd

from vouch import io, paths
from vouch.stages.calibrate import run


def write(rows: pd.DataFrame) -> None:
    io.write_table(paths.predictions("toy", "candidate", "val_select"), rows)


def outputs() -> dict[str, bytes]:
    files = [path for top in ("models", "metrics", "plots") for path in Path(top).rglob("*") if path.is_file()]
    return {path.as_posix(): path.read_bytes() for path in sorted(files)}


def check_that_two_runs_write_the_same(rows: pd.DataFrame) -> None:
    write(rows)
    run("toy")
    first = outputs()
    assert sorted(first) == [
        "metrics/toy/calibration.json",
        "models/toy/calibrator.csv",
        "models/toy/calibrator.json",
        "plots/toy/calibration.csv",
    ]
    run("toy")
    assert outputs() == first
