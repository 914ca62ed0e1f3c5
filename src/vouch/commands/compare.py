"""`vouch compare`: candidate against baseline, or two revisions of one model, with significance, as a table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from vouch import params, paths
from vouch.commands.comparison_markdown import markdown
from vouch.errors import Problem, WorkspaceError, refuse_any, so_many
from vouch.evaluation.gates.metrics_files import Comparison, at_least_p, family, read
from vouch.evaluation.metrics.definitions.metric import OVERALL
from vouch.evaluation.metrics.strata import ALL

if TYPE_CHECKING:  # comparing anew takes numpy, pandas and scipy, which reading a file does not
    from vouch.commands.compare_revisions import Compared

# of the overall verdict
MISSING = dict.fromkeys(("delta", "low", "high", "candidate", "baseline", "p_holm", "least_p_holm"))
WORDS = {"few_groups": "too few groups"}
SHOWS = "the smallest true difference that these groups would show with 80 %; none: too few groups, or equal sides"
ALONE = dict.fromkeys(("--candidate", "--md", "--enforce"), "name a revision to compare with") | {
    "--enforce": "name a revision to compare with; for metrics/NAME/comparison.json a rule of the gate decides"
}


def compare(
    model_or_system: Annotated[str, typer.Argument(help="Model or system of params.yaml.")],
    baseline: Annotated[
        str | None, typer.Option(help="Compare with itself at this revision of git or experiment of DVC.")
    ] = None,
    candidate: Annotated[str | None, typer.Option(help="With --baseline: this revision, not the checkout.")] = None,
    md: Annotated[bool, typer.Option("--md", help="With --baseline: print Markdown, for a pull request.")] = False,
    enforce: Annotated[
        bool, typer.Option("--enforce", help="With --baseline: exit 1 on a loss, or no proof that there is none.")
    ] = False,
) -> None:
    """Show metrics/NAME/comparison.json: what changed since the baseline, on the same val_test.

    With --baseline REV: this checkout against that revision, compared anew on the samples and labels that both have,
    for the whole, each class and each stratum. Nothing is written. With --enforce it exits 1 where any difference is
    worse, or one of the whole is neither better nor not worse.

    Raises
    ------
    WorkspaceError
        When the comparison has not run, or its file is not of its form; with --baseline, when a revision, its model or
        its predictions are not there; when another option stands without --baseline.
    DataError
        When two revisions share no sample or label.
    """
    is_system = bool(_baselines(model_or_system)[1:])
    if baseline is not None:
        _between(model_or_system, baseline, candidate, is_system=is_system, md=md, enforce=enforce)
        return
    given = {"--candidate": candidate is not None, "--md": md, "--enforce": enforce}
    alone = [Problem(name, "--baseline beside it", "none", ALONE[name]) for name, is_given in given.items() if is_given]
    refuse_any(WorkspaceError, alone)
    _recorded(model_or_system, "compare_counts" if is_system else "compare")


def _recorded(name: str, stage: str) -> None:
    comparison = read(paths.metrics(name, "comparison"), Comparison, remedy=f"run `dvc repro {stage}@{name}`")
    _show(comparison, f"{name} against {' and '.join(_baselines(name))}")


def _between(name: str, baseline: str, candidate: str | None, *, is_system: bool, md: bool, enforce: bool) -> None:
    """Show the comparison of two revisions, and exit 1 where that is asked for and something stands against it."""
    from vouch.commands.compare_revisions import Revision, against_candidate, compared_models, compared_systems

    compared = compared_systems if is_system else compared_models
    found = compared(name, Revision("--candidate", candidate), Revision("--baseline", baseline))
    title = f"{name}: {'this checkout' if candidate is None else candidate} against {baseline}"
    verdict = found.differences[OVERALL][ALL]["verdict"]
    against, common = against_candidate(found), _common(found)
    if md:
        corrected = f"p (Holm) is corrected over {so_many(family(found.differences), 'difference')}"
        sentences = [*against, *common, corrected, f"could show: {SHOWS}"]
        typer.echo(markdown(title, WORDS.get(verdict, verdict).replace("_", " "), sentences, found.differences))
    else:
        _show(found.differences, title)
        for sentence in (f"shows: {SHOWS}", *common):
            Console().print(escape(sentence), soft_wrap=True, highlight=False)
        for line in against:
            Console().print(f"[red]stands against the candidate:[/red] {escape(line)}", soft_wrap=True)
    if enforce and against:
        raise typer.Exit(1)


def _common(found: "Compared") -> list[str]:
    """Say on how much a comparison of two revisions stands, what was left out of it, and which loss does not matter."""
    ground, margins = found.ground, ", ".join(f"{metric} {margin:g}" for metric, margin in found.margins.items())
    count, labels = ground.samples, ground.labels
    said = [
        f"compared: {so_many(count['compared'], 'sample')} of val_test in {so_many(ground.n_groups, 'group')}; the "
        f"candidate has {count['candidate']}, the baseline {count['baseline']}, both {count['shared']}"
    ]
    if count["without_labels"]:
        said.append(f"left out: {so_many(count['without_labels'], 'sample')} of a label that one side lacks")
    if count["relabelled"]:
        said.append(f"left out: {so_many(count['relabelled'], 'sample')} that the two sides label otherwise")
    said.append(f"labels of both: {len(labels['shared'])}")
    said += [f"labels of the {side} alone: {', '.join(labels[side])}" for side in paths.SIDES if labels[side]]
    return [*said, f"a loss within the least effect does not matter: {margins}"]


def _show(comparison: Mapping[str, Mapping[str, Any]], title: str) -> None:
    named = (Column(name, overflow="fold") for name in ("metric", "stratum"))
    columns: tuple[Column | str, ...] = (*named, "baseline", "candidate", "difference", "p (Holm)", "verdict")
    table = Table(*columns, title=title, box=SIMPLE_HEAD, padding=0)
    for metric, strata in sorted(comparison.items()):
        for stratum, found in strata.items():
            entry = MISSING | found
            sides = (_side(entry, name) for name in ("baseline", "candidate"))
            p = _number(entry["p_holm"]) + ("\n(least)" if at_least_p(entry) else "")
            table.add_row(escape(metric), escape(stratum), *sides, _spread(entry), p, _verdict(entry))
    console = Console()
    console.print(table)
    console.print(f"p (Holm) is corrected over the {family(comparison)} differences of this table that have one.")
    console.print("chance: what a perfectly calibrated model with these confidences would show.", soft_wrap=True)
    console.print("least: with these groups and so many differences, p (Holm) cannot be lower.", soft_wrap=True)


def _verdict(entry: Mapping[str, Any]) -> str:
    """Return the word, and below it what could have been shown, where that is known."""
    word = WORDS.get(entry["verdict"], entry["verdict"])
    return f"{word}\nshows {_number(entry['detectable'])}" if "detectable" in entry else word


def _baselines(name: str) -> list[str]:
    """Return the bundle that a model is compared with, of a system those of both its models."""
    systems = params.read_value("pipeline").get("systems", {})
    if name in systems:
        return [str(one) for one in systems[name]["baselines"].values()]
    return [str(params.read_value("pipeline", "models", name, "baseline"))]


def _side(entry: Mapping[str, Any], name: str) -> str:
    chance = entry.get(f"{name}_by_chance")
    return _number(entry[name]) + ("" if chance is None else f"\nchance {chance:.3f}")


def _spread(entry: Mapping[str, Any]) -> str:
    if entry["delta"] is None:
        return "none"
    return f"{entry['delta']:+.3f}\n[{_number(entry['low'], '+')}, {_number(entry['high'], '+')}]"


def _number(value: float | None, sign: str = "") -> str:
    return "none" if value is None else f"{value:{sign}.3f}"
