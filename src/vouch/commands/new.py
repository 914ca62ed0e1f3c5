"""`vouch new NAME PATH`: a folder of labelled photographs becomes a data set and a model, without an editor.

Everything is read, proposed and checked before anything is written. Then params.yaml is replaced as a whole, and the
photographs are imported as `vouch import` does it. A kill in between leaves the sections without photographs; the same
command finds its own sections again and goes on.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.markup import escape

from vouch import io, paths
from vouch.commands import importing
from vouch.commands.data import RULES
from vouch.commands.params_edit import with_entry, with_item
from vouch.errors import ManifestError, ParamsError, Problem, WorkspaceError, refuse_any
from vouch.names import wrong_names
from vouch.params import PARAMS, parse_params, read_params, read_presets
from vouch.proposal import sessions
from vouch.proposal.findings import Asked
from vouch.proposal.parameters import Entry, entries
from vouch.proposal.proposal import Proposal, propose
from vouch.proposal.survey import tree_at, tree_with
from vouch.retrieval.additions import to_text
from vouch.road_agreement import check_pipeline
from vouch.sources.merge import Taxonomy
from vouch.sources.tree import Tree
from vouch.sources.vocabulary import is_formula
from vouch.tasks import Task

LISTED = ("pipeline", "datasets")
YAML_1_1 = frozenset({"yes", "no", "on", "off", "true", "false", "null", "~"})  # read as truth values, or nothing


@dataclass(frozen=True)
class Written:
    """params.yaml with a data set and a model in it; whether it was so before."""

    text: str
    added: Sequence[Entry]
    was_there: bool


def new(
    name: Annotated[str, typer.Argument(help="Name of the data set and of the model.")],
    path: Annotated[Path, typer.Argument(help="Folder of labelled photographs, or a COCO, CSV or JSONL file.")],
    task: Annotated[
        str | None,
        typer.Option(help=f"{' | '.join(get_args(Task))}: where both are labelled, or to identify products."),
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help=f"What must not straddle splits: {RULES}; `none`: nothing is shared.")
    ] = None,
    strata: Annotated[list[str] | None, typer.Option(help="Stratum to judge by, written like --group.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column of the manifest to leave out.")] = None,
    split: Annotated[
        str, typer.Option(help=f"The authors' split, to be kept: {RULES.replace('KEY=', '')}; or the column NAME.")
    ] = "",
    images: Annotated[str | None, typer.Option(help="Folder that COCO or VOC file names start from.")] = None,
    unlabelled: Annotated[str, typer.Option(help="Photographs without a label are: negative | refuse.")] = "refuse",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be assumed and written, no more.")] = False,
) -> None:
    """Look into a folder of labelled photographs, write its data set and model into params.yaml, and import it.

    Raises
    ------
    VouchError
        Listing everything that stands against it; nothing is written then.
    """
    refuse_any(ParamsError, wrong_names([("NAME", name)]))
    tree, images = (tree_at(path), None) if images is None else tree_with(path, images)
    by = {"groups": group or [], "strata": strata or [], "ignore": ignore or []}
    presets = read_presets()
    proposal = propose(name, tree, Asked(task, **by, unlabelled=unlabelled, split=split, images=images), presets)
    refuse_any(ManifestError, _misread(proposal.classes))
    written = _written(proposal, presets)
    with tempfile.TemporaryDirectory() as folder:
        lent = _lent(tree, proposal, Path(folder))
        taxonomy = Taxonomy(proposal.classes, proposal.group_keys, dict(proposal.strata))
        checked = importing.check(name, lent, proposal.descriptor, taxonomy)
        console = Console()
        _say(console, proposal)
        if dry_run:
            console.print("params.yaml would get:", *_shown(written.added), sep="\n", highlight=False, markup=False)
            return
        if not written.was_there:
            io.write_text(PARAMS, written.text)
            typer.echo(f"params.yaml: the data set and model {name} are in it; `vouch params {name}` shows what holds")
        galleries = _galleries(proposal)
        importing.add(name, checked, typer.echo)
    typer.echo(f"for git: {', '.join(map(str, [PARAMS, *galleries]))} and {importing.tracked(name)}")
    typer.echo(f"now build it:\n  make repro MODEL={name}")


def _galleries(proposal: Proposal) -> list[Path]:
    """Write the table of products added to an embedder, where there is none; return it, and nothing of other tasks."""
    if proposal.task != "identify":
        return []
    table = paths.additions(proposal.name)
    if not table.exists():
        io.write_text(table, to_text([]))  # a stage depends on it; `vouch gallery add` writes into it
    return [table]


def _misread(classes: Sequence[str]) -> Iterator[Problem]:
    """Refuse what other programs would read as something else: params.yaml, or a CSV of predictions or reviews."""
    for name in classes:
        if is_formula(name):
            expected = "names that no spreadsheet calculates"
            yield Problem("the classes", expected, name, "give it another name in the labels, without that beginning")
        if name.lower() in YAML_1_1:
            remedy = "give it another name in the labels, say `no_" + name + "`"
            yield Problem("the classes", "names that no reader of YAML takes for true, false or nothing", name, remedy)


def _written(proposal: Proposal, presets: Mapping[str, Any]) -> Written:
    """Return params.yaml with the proposal in it.

    Raises
    ------
    ParamsError, WorkspaceError
        When something of this name is there, other than what a killed run of the same command left.
    """
    text, content = PARAMS.read_text(encoding="utf-8"), read_params()
    added = entries(proposal, presets)
    known = {keys: _at(content, keys) for keys, _ in added}
    left = all(known[keys] == entry for keys, entry in added) and proposal.name in _at(content, LISTED)
    if left and importing.unfinished(proposal.name):
        return Written(text, added, was_there=True)
    there = [".".join(keys) for keys in known if known[keys] is not None]
    refuse_any(WorkspaceError, _taken(proposal.name, there, stopped=_stopped(proposal.name, content)))
    text = with_item(text, LISTED, proposal.name)
    for keys, entry in added:
        text = with_entry(text, keys, entry)
    check_pipeline(parse_params(text, str(PARAMS)), str(PARAMS))
    return Written(text, added, was_there=False)


def _stopped(name: str, content: Mapping[str, Any]) -> bool:
    """Say whether params.yaml has a data set of photographs that no import brought in: a killed run left it."""
    listed, rendered = _at(content, LISTED) or (), _at(content, ("pipeline", "rendered")) or ()
    return name in listed and name not in rendered and importing.unfinished(name)


def _taken(name: str, sections: Sequence[str], *, stopped: bool) -> Iterator[Problem]:
    remedy = f"choose another name; `vouch import {name} PATH` adds photographs to a data set that exists"
    if stopped:
        remedy = f"`vouch new {name}` was stopped: as it was called then it finishes; to begin anew, delete this"
        sections = [".".join((*LISTED, name)), *sections]
    for section in sections:
        yield Problem(f"{PARAMS}: {section}", "nothing of this name yet", "one", remedy)
    written = (paths.source(name), importing.tracked(name), paths.split_lock(name), paths.model(name))
    for path in (*written, paths.additions(name).parent):
        if path.exists() or path.is_symlink():
            yield Problem(str(path), "nothing of this name yet", "one", remedy)


def _at(content: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _lent(tree: Tree, proposal: Proposal, folder: Path) -> Tree:
    """Return the folder with the side manifest that a proposal brings along, if it does."""
    if not proposal.manifest:
        return tree
    path = folder / sessions.FILE
    path.write_text(proposal.manifest, encoding="utf-8")
    return sessions.lent(tree, path)


def _say(console: Console, proposal: Proposal) -> None:
    for what, why in proposal.assumed:
        console.print(f"[bold]{escape(what)}[/bold]: {escape(why)}", highlight=False)
    for warning in proposal.warnings:
        console.print(f"[yellow]beware:[/yellow] {escape(warning)}", highlight=False)


def _shown(added: Sequence[Entry]) -> Iterator[str]:
    """Yield each entry as it would stand in params.yaml."""
    for keys, entry in added:
        *parents, name = keys
        text = with_entry(f"{'.'.join(parents)}: {{}}\n", (".".join(parents), name), entry)
        yield text.rstrip("\n")
