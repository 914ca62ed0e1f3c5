"""The command line: what a person decides. What a change of data or parameters decides is `dvc repro`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

import typer

from vouch.commands.add import add_sections
from vouch.commands.check import check
from vouch.commands.compare import compare
from vouch.commands.curate import COMMANDS as CURATE
from vouch.commands.data import import_, manifest_export
from vouch.commands.deploy import deploy
from vouch.commands.drift import drift
from vouch.commands.dvc_busy import at_work
from vouch.commands.evaluate_counts import evaluate_counts
from vouch.commands.examples import epilog, help_of
from vouch.commands.fingerprint import data_fingerprint
from vouch.commands.gallery import add, list_, remove
from vouch.commands.gate import gate
from vouch.commands.known import KINDS, refuse_unknown
from vouch.commands.new import new
from vouch.commands.params import params
from vouch.commands.plan import plan
from vouch.commands.predict import predict
from vouch.commands.release import promote
from vouch.commands.review_labels import review_labels
from vouch.commands.split_lock import split_check, split_show
from vouch.commands.splitting import assign
from vouch.errors import ParamsError, Problem, VouchError, exiting, refuse_any
from vouch.names import wrong_names
from vouch.params import PARAMS
from vouch.road_agreement import check_workspace


def checked(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that refuses wrong and unknown names, and wrong roads of params.yaml, before it does anything.

    Where there is no params.yaml a command that reads none, as `vouch predict --bundle`, does its work.
    """

    @wraps(command)
    def run(**given: Any) -> None:
        named = {name: given[name] for name in KINDS if given.get(name) is not None}
        refuse_any(ParamsError, wrong_names((name.upper(), word) for name, word in named.items()))
        if PARAMS.exists():
            check_workspace()
        if PARAMS.exists() and given.get("bundle") is None:  # a bundle of elsewhere may be of any model
            refuse_unknown(named)
        try:
            command(**given)
        except VouchError:
            if busy := " and ".join(at_work()):
                note = "what it writes is absent or old until it is done"
                typer.echo(f"vouch: {busy} is at work in this checkout: {note}", err=True)
            raise

    return run


def offered(group: typer.Typer, name: str, command: Callable[..., None], *, panel: str | None = None) -> None:
    """Add a command to a group, with its help and examples; `name` has the group's own name before it."""
    word = name.rpartition(" ")[2]
    group.command(word, help=help_of(command), epilog=epilog(name), rich_help_panel=panel)(checked(command))


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
manifest = typer.Typer(no_args_is_help=True, help="A data set's manifest, in the form that others read.")
data = typer.Typer(no_args_is_help=True, help="What a data set holds, and what changed in it.")
split = typer.Typer(no_args_is_help=True, help="Which group belongs to which split, for good.")
gallery = typer.Typer(no_args_is_help=True, help="The products that an embedder knows, without training.")
curate = typer.Typer(
    no_args_is_help=True,
    help="From a municipal list of items to a benchmark with known holes, and photographs that fill them.",
)
DATA, VERDICT, ANSWERS, RELEASE = "Bring photographs", "Read a verdict", "Answer and watch", "Release"
offered(app, "new", new, panel=DATA)
offered(app, "add", add_sections, panel=DATA)
offered(app, "import", import_, panel=DATA)
app.add_typer(manifest, name="manifest", rich_help_panel=DATA)
offered(manifest, "manifest export", manifest_export)
app.add_typer(data, name="data", rich_help_panel=DATA)
offered(data, "data fingerprint", data_fingerprint)
app.add_typer(split, name="split", rich_help_panel=DATA)
offered(split, "split show", split_show)
offered(split, "split check", split_check)
offered(split, "split assign", assign)
offered(app, "review-labels", review_labels, panel=DATA)
app.add_typer(gallery, name="gallery", rich_help_panel=DATA)
offered(gallery, "gallery add", add)
offered(gallery, "gallery remove", remove)
offered(gallery, "gallery list", list_)
app.add_typer(curate, name="curate", rich_help_panel=DATA)
for word, curating in CURATE.items():
    offered(curate, f"curate {word}", curating)
offered(app, "params", params, panel=DATA)
offered(app, "check", check, panel=VERDICT)
offered(app, "gate", gate, panel=VERDICT)
offered(app, "plan", plan, panel=VERDICT)
offered(app, "compare", compare, panel=VERDICT)
offered(app, "evaluate-counts", evaluate_counts, panel=VERDICT)
offered(app, "predict", predict, panel=ANSWERS)
offered(app, "drift", drift, panel=ANSWERS)
offered(app, "promote", promote, panel=RELEASE)
offered(app, "deploy", deploy, panel=RELEASE)


def empty(words: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem for each word of a command line that is empty: as a path it would be the folder one stands in.

    `vouch predict driver "$NEW"` would answer for every photograph below it where NEW has no value.
    """
    before = "vouch"
    for word in words:
        option, sign, value = word.partition("=")
        if not word or (option.startswith("--") and sign and not value):
            where = option if word else f"the word behind {before}"
            yield Problem(where, "a word", "an empty one", "leave it out, or give the shell's variable a value")
        before = word


def main() -> None:
    """Run a command; a refusal prints its problems and exits 1."""
    with exiting():
        refuse_any(ParamsError, empty(sys.argv[1:]))
        app()
