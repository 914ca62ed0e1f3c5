"""`vouch evaluate-counts`: how right anybody's counts of products are, from two JSON files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vouch import io, params
from vouch.commands.known import alike
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.documents import JSON_CHARACTERS, read_text
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.evaluation.counting import Judging, Paired, judged, paired
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.strata import ALL, CLASS, every_stratum, strata_masks
from vouch.presets import SYSTEM
from vouch.sources.counts import read_counts

SHOWN = 20  # products of the table, the worst first; --json has them all
FIGURES = 3  # of a line of a stratum or product, for a terminal of 80 characters
MICRO = "count_mae_micro"  # of one product the same as count_mae
Metrics = Mapping[str, Mapping[str, Mapping[str, Any]]]


def evaluate_counts(
    predictions: Annotated[Path, typer.Option(help="JSON of what was counted, or of the objects found.")],
    ground_truth: Annotated[Path, typer.Option(help="JSON of what is there, in the same form.")],
    group_key: Annotated[
        str | None, typer.Option(help="Key of the ground truth's `groups`: what fails together, say store.")
    ] = None,
    min_confidence: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Count only objects with at least so much confidence.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write every figure with its interval as JSON.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Judge counts of products on photographs: error, exact counts, bias and gaps, with intervals by group.

    src/vouch/sources/counts.schema.yaml states the form of both files; what `vouch predict SYSTEM --json` wrote is
    read too. A pair is a product on a photograph where it is there or was counted; where both are 0 nothing was
    counted, and no figure has it in its denominator.

    Raises
    ------
    VouchError
        When a file is absent or not of its form, one side lacks a photograph, or the output may not be written.
    """
    refuse_outputs(
        [] if json is None else [Output("--json", json, (".json",))], [predictions, ground_truth], overwrite=overwrite
    )
    asked = params.load(Judging, "evaluate_counts", path=params.preset_file(SYSTEM))
    missing = [path for path in (predictions, ground_truth) if not path.exists()]
    refuse_any(DataError, (Problem(str(path), "a JSON file", "no such file", alike(path)) for path in missing))
    if predictions.samefile(ground_truth):
        got, remedy = f"{predictions} twice", "name what was counted, and what is there"
        raise DataError([Problem("--predictions, --ground-truth", "two files", got, remedy)])
    said, true = (
        read_counts(
            read_text(path, str(path), max_bytes=JSON_CHARACTERS),
            str(path),
            is_truth=path is ground_truth,
            min_confidence=min_confidence,
        )
        for path in (predictions, ground_truth)
    )
    sides = paired(said, true, group_key=group_key)
    found = judged(sides.counts, asked)
    if json is not None:
        io.write_json(json, _facts(sides, group_key) | {"metrics": found})
    _print(sides, found, group_key, asked.level)


def _facts(sides: Paired, group_key: str | None) -> dict[str, Any]:
    counts = sides.counts
    pairs = (counts["n_true"] > 0) | (counts["n_pred"] > 0)
    return {
        "group_key": group_key,
        "photographs": counts["sample_id"].nunique(),
        "groups": counts["group"].nunique(),
        "pairs": int(pairs.sum()),
        "products": counts["class"][pairs].nunique(),
        "objects_true": int(counts["n_true"].sum()),
        "objects_counted": int(counts["n_pred"].sum()),
        "counted_as_unknown": list(sides.unlisted),
        "never_true": list(sides.unseen),
    }


def _print(sides: Paired, found: Metrics, group_key: str | None, level: float) -> None:
    console = Console()
    console.print(_overall(found, level))
    for name, strata in (("stratum", _strata(found)), (CLASS, _products(found))):
        if strata:
            console.print(_by(name, strata[:SHOWN], found, sides.counts))
            if len(strata) > SHOWN:
                console.print(f"... and {len(strata) - SHOWN} more: --json has them", soft_wrap=True)
    for sentence in _said(sides, _facts(sides, group_key)):
        console.print(escape(sentence), highlight=False, soft_wrap=True)


def _overall(found: Metrics, level: float) -> Table:
    columns = ("", "value", f"{100 * level:g} % interval", "of")
    table = Table(*columns, title="counts of products", box=SIMPLE_HEAD, padding=0)
    for name, strata in found.items():
        cell = strata[ALL]
        support = f"{so_many(cell['n_rows'], 'pair')} in {so_many(cell['n_groups'], 'group')}"
        few = " (too few for a word)" if cell["few_groups"] else ""
        table.add_row(METRICS[name].title, _number(cell["value"]), _ends(cell), support + few)
    return table


def _strata(found: Metrics) -> list[str]:
    cells = next(iter(found.values()))
    return [stratum for stratum in cells if stratum != ALL and not stratum.startswith(f"{CLASS}=")]


def _products(found: Metrics) -> list[str]:
    """Return the products' strata, the largest value of the first metric first."""
    cells = next(iter(found.values()))
    known = [stratum for stratum in cells if stratum.startswith(f"{CLASS}=") and cells[stratum]["n_rows"]]
    return sorted(known, key=lambda stratum: (-cells[stratum]["value"], stratum))


def _by(name: str, strata: Sequence[str], found: Metrics, counts: pd.DataFrame) -> Table:
    """Return a line a stratum: how many there are and were counted, and some figures, the first with its interval."""
    first, *others = [metric for metric in found if metric != MICRO][:FIGURES]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("product" if name == CLASS else name)
    for title in ("there", "counted", *(METRICS[metric].title for metric in (first, *others))):
        table.add_column(title, no_wrap=True)
    masks = strata_masks(counts, every_stratum(counts))
    for stratum in strata:
        there, counted = (str(counts.loc[masks[stratum], column].sum()) for column in ("n_true", "n_pred"))
        values = (_number(found[metric][stratum]["value"]) for metric in others)
        cell = found[first][stratum]
        led = f"{_number(cell['value'])} {_ends(cell)}"
        table.add_row(escape(stratum.removeprefix(f"{CLASS}=")), there, counted, led, *values)
    return table


def _said(sides: Paired, facts: Mapping[str, Any]) -> Iterator[str]:
    photographs, objects = so_many(facts["photographs"], "photograph"), so_many(facts["objects_true"], "object")
    yield f"{photographs}, {objects} there, {facts['objects_counted']} counted, {so_many(facts['products'], 'product')}"
    yield "a pair: a product on a photograph where it is there or was counted; pairs of 0 and 0 are left out"
    if facts["group_key"] is None:
        yield (
            "groups: every photograph is its own, so intervals are too narrow where photographs of one store or visit "
            "fail together; --group-key names what they share"
        )
    else:
        yield f"groups: by {facts['group_key']}"
    if sides.unlisted:
        yield f"counted as unknown, for the predictions do not list them: {', '.join(sides.unlisted)}"
    if sides.unseen:
        yield f"counted, and on no photograph of the ground truth: {', '.join(sides.unseen)}"
    if not facts["pairs"]:
        yield "no product is there and none was counted: there is nothing to judge"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _ends(cell: Mapping[str, Any]) -> str:
    return "" if cell["low"] is None else f"[{cell['low']:.3f}, {cell['high']:.3f}]"
