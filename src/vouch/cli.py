"""The command line: what a person decides. What a change of data or parameters decides is `dvc repro`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from vouch.commands.check import check
from vouch.commands.compare import compare
from vouch.commands.data import import_, manifest_export
from vouch.commands.deploy import deploy
from vouch.commands.drift import drift
from vouch.commands.dvc_busy import at_work
from vouch.commands.gate import gate
from vouch.commands.known import KINDS, refuse_unknown
from vouch.commands.new import new
from vouch.commands.params import params
from vouch.commands.plan import plan
from vouch.commands.predict import predict
from vouch.commands.release import promote
from vouch.commands.review_labels import review_labels
from vouch.commands.splitting import assign
from vouch.errors import ParamsError, VouchError, exiting, refuse_any
from vouch.names import wrong_names
from vouch.params import PARAMS
from vouch.roads import check_workspace


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


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
manifest = typer.Typer(no_args_is_help=True, help="A data set's manifest, in the form that others read.")
manifest.command("export")(checked(manifest_export))
split = typer.Typer(no_args_is_help=True, help="Which group belongs to which split, for good.")
split.command("assign")(checked(assign))
DATA, VERDICT, ANSWERS, RELEASE = "Bring photographs", "Read a verdict", "Answer and watch", "Release"
IMPORT = "Make a folder of labelled photographs a source of DATASET, tracked by DVC."
app.command(rich_help_panel=DATA)(checked(new))
app.command("import", help=IMPORT, rich_help_panel=DATA)(checked(import_))
app.add_typer(manifest, name="manifest", rich_help_panel=DATA)
app.command(rich_help_panel=DATA)(checked(params))
app.add_typer(split, name="split", rich_help_panel=DATA)
app.command(rich_help_panel=VERDICT)(checked(check))
app.command("review-labels", rich_help_panel=DATA)(checked(review_labels))
app.command(rich_help_panel=VERDICT)(checked(gate))
app.command(rich_help_panel=VERDICT)(checked(plan))
app.command(rich_help_panel=VERDICT)(checked(compare))
app.command(rich_help_panel=ANSWERS)(checked(predict))
app.command(rich_help_panel=ANSWERS)(checked(drift))
app.command(rich_help_panel=RELEASE)(checked(promote))
app.command(rich_help_panel=RELEASE)(checked(deploy))


def main() -> None:
    """Run a command; a refusal prints its problems and exits 1."""
    with exiting():
        app()
