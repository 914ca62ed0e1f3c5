"""The command line: what a person decides. What a change of data or parameters decides is `dvc repro`."""

import typer

from vouch.commands.compare import compare
from vouch.commands.data import import_, manifest_export
from vouch.commands.deploy import deploy
from vouch.commands.drift import drift
from vouch.commands.gate import gate
from vouch.commands.predict import predict
from vouch.commands.release import promote
from vouch.errors import exiting

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
manifest = typer.Typer(no_args_is_help=True, help="A data set's manifest, in the form that others read.")
app.command("import", help="Make a folder of labelled photographs a source of DATASET, tracked by DVC.")(import_)
app.add_typer(manifest, name="manifest")
manifest.command("export")(manifest_export)
app.command()(predict)
app.command()(gate)
app.command()(compare)
app.command()(promote)
app.command()(deploy)
app.command()(drift)


def main() -> None:
    """Run a command; a refusal prints its problems and exits 1."""
    with exiting():
        app()
