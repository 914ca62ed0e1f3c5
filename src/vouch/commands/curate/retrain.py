"""`vouch curate retrain`: which photographs a person should label next, for a model that is to be trained again."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column
from rich.table import Table as Grid

from vouch import io, params, paths
from vouch.calibration.apply.calibrator import calibrated
from vouch.commands.curate import stated
from vouch.commands.curate.held_out import held_out
from vouch.commands.curate.params import gain, max_megapixels, near
from vouch.commands.curate.reading import label_map_for, labels_of, need, taxonomy_of
from vouch.commands.curate.stated import Groups, Strata
from vouch.commands.curate.whole import refuse_crops
from vouch.commands.known import classes_of, listed_photographs
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.commands.unheeded import unheeded
from vouch.curation.benchmark.row_labels import items_of
from vouch.curation.benchmark.rows import Rows, read_rows
from vouch.curation.retraining.answers import Answers, read_answers
from vouch.curation.retraining.choosing import choose
from vouch.curation.retraining.chosen import encoded_choice
from vouch.curation.retraining.review_queue import read_queue
from vouch.curation.retraining.unlabelled import Gain, Unlabelled, looks_of, of_files, of_queue, of_rows, pool_of
from vouch.curation.retraining.weakness import Share, of_classes, of_strata
from vouch.curation.taxonomy.words import folded
from vouch.errors import DataError, Problem, WorkspaceError, refuse_any, so_many
from vouch.policies.apply.policy import decided
from vouch.quality import images
from vouch.quality.held_out import repeated
from vouch.roads import task_of
from vouch.sources.descriptor import Descriptor
from vouch.splits.contract import read_predictions
from vouch.tasks import ByTask


def retrain(
    candidates: Annotated[
        Path, typer.Argument(metavar="ROWS|FOLDER", help="Table of a benchmark (.csv), or a folder of photographs.")
    ],
    model: Annotated[str, typer.Option(help="Model that is to be trained again; it has predicted val_select.")],
    scores: Annotated[Path, typer.Option(help="What the model says of them: CSV of `vouch predict M ... --csv`.")],
    most: Annotated[int, typer.Option(min=1, help="So many labels that a person can give.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New table (.csv) of the photographs chosen.")],
    taxonomy: Annotated[
        Path | None, typer.Option(help="Taxonomy of the rows' classes; without it they are the model's own words.")
    ] = None,
    label_map: Annotated[Path | None, typer.Option(help="Of --taxonomy: label map of --map-output.")] = None,
    group: Groups = None,
    strata: Strata = None,
    overwrite: Overwrite = False,
) -> None:
    """Choose what to label next: open answers, weak classes, missed strata, and no photograph like another.

    Candidates are rows that are suggested or resolved, or the photographs of a folder, and the model's review queue.
    Left out is what the data set shows already. Weakness is judged on val_select; val_test is not read.

    Raises
    ------
    VouchError
        Listing everything that is wrong with the files; then nothing is written.
    """
    read = [path for path in (candidates, scores, taxonomy, label_map) if path is not None]
    refuse_outputs([Output("--output", output, (".csv",))], [*read, paths.model(model)], overwrite=overwrite)
    need(read)
    dataset = str(params.read_value("pipeline", "models", model, "dataset"))
    refuse_crops(model, dataset)
    unused = _unused(candidates, taxonomy, label_map)
    refuse_any(WorkspaceError, [*_stated_twice(candidates, [*(group or []), *(strata or [])]), *unused])
    rules = stated.rules(dataset, group or [], strata or [])
    asked, answers = gain(dataset), read_answers(scores)
    rows = _hits(model)
    shares = {"level": asked.level, "correlation": asked.correlation}
    classes, values = of_classes(rows, **shares), of_strata(rows, **shares)
    found = _found(candidates, answers, rules, lambda table: _labels(table, model, taxonomy, label_map))
    found += of_queue(read_queue(paths.review_queue(model)))
    fresh, scan, gone = _fresh(found, dataset)
    refuse_any(DataError, _nothing_new(fresh, gone, candidates))
    pool, terms = pool_of(fresh, looks_of(list(scan["thumbnail"])), classes, values, asked, most=most)
    chosen = choose(pool, terms, most=most, rng=np.random.default_rng(asked.seed))
    picked = [fresh[index] for index in chosen.index]
    io.write_bytes(output, encoded_choice(output, picked, list(scan["file_sha256"].iloc[chosen.index]), chosen.gain))
    _show(classes, fresh, picked)
    _say(asked, gone)
    typer.echo(f"{output}: {len(picked)} of {so_many(len(fresh), 'photograph')} to be labelled")


def _hits(model: str) -> pd.DataFrame:
    """Return the candidate's rows on val_select, with `hit`: right, and of a detector above its threshold too."""
    needed = [paths.predictions(model, "candidate", "val_select"), *(_part(model, one) for one in PARTS)]
    missing = [path for path in needed if not path.is_file()]
    remedy = f"run `dvc repro decide@{model}`"
    refuse_any(WorkspaceError, (Problem(str(path), "what the model said", "no file", remedy) for path in missing))
    calibrator, policy = (io.read_json(_part(model, one)) for one in PARTS)
    rows = calibrated(calibrator, read_predictions(model, "candidate", "val_select", purpose="choose_labels"))
    if not STANDS[task_of(model)]:
        return rows.assign(hit=rows["correct"].astype(bool))
    return rows.assign(hit=rows["correct"].astype(bool) & decided(policy, rows)["accept"].astype(bool))


PARTS = ("calibrator", "policy")
STANDS = ByTask(detect=True, classify=False, identify=False)  # a detection below the threshold finds nothing


def _part(model: str, name: str) -> Path:
    return paths.model(model, f"{name}.json")


def _stated_twice(candidates: Path, rules: Sequence[str]) -> Iterator[Problem]:
    if rules and not candidates.is_dir():
        expected, remedy = "a folder of candidates", "a table states them in columns group_KEY and stratum_KEY"
        yield Problem("--group or --strata", expected, str(candidates), remedy)


def _unused(candidates: Path, taxonomy: Path | None, label_map: Path | None) -> Iterator[Problem]:
    """Yield the options about classes of rows that change nothing: a folder has no rows, a map goes with a taxonomy."""
    if candidates.is_dir():
        given = {"--taxonomy": taxonomy, "--label-map": label_map}
        yield from unheeded(given, "a table of candidates", f"the folder {candidates}")
    elif taxonomy is None:
        yield from unheeded({"--label-map": label_map}, "--taxonomy beside it", "none", "name the taxonomy of the rows")


def _found(
    candidates: Path, answers: Answers, rules: Descriptor, labels: Callable[[Rows], dict[str, str]]
) -> list[Unlabelled]:
    if candidates.is_dir():
        return stated.stated(candidates, of_files(listed_photographs([candidates]), answers), rules)
    rows = read_rows(candidates)
    return of_rows(rows, answers, labels(rows))


def _labels(rows: Rows, model: str, taxonomy: Path | None, label_map: Path | None) -> dict[str, str]:
    """Return the model's class for the classes of rows that it has one for."""
    words = rows.column("class")
    if taxonomy is None:
        own = {folded(name): name for name in classes_of(labels_of(model))}
        return {word: own[folded(word)] for word in sorted(set(words)) if folded(word) in own}
    items = taxonomy_of(taxonomy)
    said = label_map_for(items, model, label_map).items
    meant = dict(zip(words, items_of(rows, items), strict=True))  # by its id, or any of its words
    found = ((word, said[item.id].label) for word, item in meant.items() if item.id in said)
    return {word: label for word, label in found if label is not None}


def _fresh(found: Sequence[Unlabelled], dataset: str) -> tuple[list[Unlabelled], pd.DataFrame, Counter[str]]:
    """Return the photographs that are at hand, usable and new to the data set, once each; their scan; why others go."""
    held = held_out(dataset)
    ours = [one for one in found if Path(one.photograph).is_file() and held.split_of(one.groups) is None]
    gone = Counter({"no photograph at hand": sum(not Path(one.photograph).is_file() for one in found)})
    gone["of a group in a validation split"] = len(found) - len(ours) - gone.total()
    scan = _scan(ours, dataset)
    usable = scan[scan["sha256"] != ""]
    gone["cannot be used"] = len(scan) - len(usable)
    once = usable[~usable["sha256"].duplicated()]
    gone["the pixels of an earlier one"] = len(usable) - len(once)
    bits, correlation = near(dataset)
    known = repeated(once.reset_index(drop=True), held.scan, radius_bits=bits, min_correlation=correlation)
    left = once[~once["sample_id"].isin([problem.where for problem in known])]
    gone["in the data set already, or nearly"] = len(once) - len(left)
    kept = [ours[place] for place in left.index]
    hashes = [io.sha256(Path(one.photograph)) for one in kept]
    return kept, left.assign(file_sha256=hashes).reset_index(drop=True), gone


def _nothing_new(fresh: Sequence[Unlabelled], gone: Counter[str], candidates: Path) -> Iterator[Problem]:
    if not fresh:
        got = ", ".join(f"{why}: {count}" for why, count in gone.items() if count) or "no photograph"
        yield Problem(str(candidates), "a photograph that could be labelled", got, "add photographs of other places")


def _scan(ours: Sequence[Unlabelled], dataset: str) -> pd.DataFrame:
    most, workers = max_megapixels(dataset), len(os.sched_getaffinity(0))
    records = images.scan([Path(one.photograph) for one in ours], max_megapixels=most, workers=workers)
    return images.tabulate([f"{place:09d}" for place in range(len(ours))], list(records))


def _show(classes: Mapping[str, Share], fresh: Sequence[Unlabelled], picked: Sequence[Unlabelled]) -> None:
    columns = ("on val_select", "missed", "lower end", "candidates", "chosen")
    grid = Grid("class", *(Column(name, justify="right") for name in columns), box=SIMPLE_HEAD)
    offered, taken = (Counter(one.kind for one in some) for some in (fresh, picked))
    for kind in sorted({*((name, False) for name in classes), *offered}):
        name, negative = kind
        share = None if negative else classes.get(name)
        known = ("-", "-", "-") if share is None else (str(share.truths), str(share.missed), f"{share.low:.2f}")
        called = f"{name} (negative)" if negative else name or "nothing said"
        grid.add_row(escape(called), *known, str(offered[kind]), str(taken[kind]))
    Console().print(grid)


def _say(asked: Gain, gone: Counter[str]) -> None:
    for why, count in gone.items():
        if count:
            typer.echo(f"left out, {why}: {count}")
    typer.echo(f"lower end: of recall, of the interval with level {asked.level}")
