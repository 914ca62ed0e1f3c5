"""`vouch split assign`: a person says where a new group goes, before the stage split decides it."""

from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from vouch import io, paths
from vouch.commands.known import chosen
from vouch.errors import LeakageError, ParamsError, Problem, refuse_any
from vouch.params import load
from vouch.splits import lock
from vouch.splits.components import build_graph, find_components, no_clusters
from vouch.splits.stated import against
from vouch.splits.told import told
from vouch.stages import ingest
from vouch.stages.split import Params as SplitParams


class Split(StrEnum):
    """The splits, as options name them."""

    TRAIN = "train"
    VAL_SELECT = "val_select"
    VAL_CALIB = "val_calib"
    VAL_TEST = "val_test"


def assign(
    dataset: Annotated[str, typer.Argument(help="Data set of params.yaml.")],
    groups: Annotated[list[str] | None, typer.Argument(help="New groups as the lock names them, KEY=VALUE.")] = None,
    to: Annotated[str | None, typer.Option(metavar="|".join(Split), help="The split that they are to be in.")] = None,
    source: Annotated[str | None, typer.Option(help="All new groups of this source instead.")] = None,
) -> None:
    """Put new groups of DATASET into a split for good; the other new ones are still placed by `dvc repro`.

    Raises
    ------
    LeakageError
        When a group is locked already, is none, shares photographs with one that is locked elsewhere, or its
        photographs state another split.
    """
    if to is None or bool(groups) == (source is not None):
        got = "no --to" if to is None else "both of the former" if groups else "neither of the former"
        expected = "GROUP ... or --source NAME, and --to SPLIT"
        raise ParamsError([Problem("vouch split assign", expected, got, "say which groups, and where to")])
    split = chosen("--to", to, Split).value
    samples = ingest.read(dataset).samples
    path = paths.split_lock(dataset)
    locked = lock.parse(path.read_bytes(), str(path)) if path.exists() else {}
    wanted = sorted(set(groups or [])) if source is None else _of_source(samples, source, locked)
    graph = build_graph(samples, clusters_of(dataset))
    problems = told(locked, wanted, split, graph)
    nodes = {str(node): place for place, node in enumerate(graph.nodes) if str(node) in set(wanted)}
    meanings = load(SplitParams, "datasets", dataset, "split").stated
    refuse_any(LeakageError, [*problems, *against(samples, find_components(graph), nodes, split, meanings)])
    places = np.full(len(wanted), paths.SPLITS.index(split), dtype=np.int8)
    io.write_table(path, lock.extend(locked, wanted, places, known=np.zeros(len(wanted), dtype=bool)))
    typer.echo(f"{path}: {', '.join(wanted)}: {split}")
    typer.echo(f"next: dvc repro split@{dataset} && git add {path} dvc.lock")


def _of_source(samples: pd.DataFrame, source: str, locked: dict[str, str]) -> list[str]:
    """Return the groups of a source that are not locked.

    Raises
    ------
    ParamsError
        When there is no such source, or none of its groups is new.
    """
    held = samples[samples["source"] == source]
    known = ", ".join(sorted(set(samples["source"])))
    if held.empty:
        raise ParamsError([Problem("--source", f"one of {known}", source, "name one of these")])
    new = [str(node) for node in build_graph(held, no_clusters()).nodes if str(node) not in locked]
    if not new:
        got, remedy = "none: all are locked", "leave them: locked groups never move"
        raise ParamsError([Problem(f"--source {source}", "groups that no split holds yet", got, remedy)])
    return new


def clusters_of(dataset: str) -> pd.DataFrame:
    """Return the near-duplicates that validate has found so far: they tie groups as a common key does."""
    path = paths.quality(dataset, "clusters")
    return io.read_table(path) if path.exists() else no_clusters()
