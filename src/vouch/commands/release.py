"""`vouch promote`: a person makes the current bundle the baseline that later candidates are compared with."""

from typing import Annotated

import typer

from vouch import io, paths
from vouch.release.registry import promote as promote_bundle


def promote(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")],
    despite: Annotated[str, typer.Option(help="Promote although the gate failed, for this reason.")] = "",
) -> None:
    """Make models/MODEL/bundle the baseline in registry/MODEL; a failed gate refuses it unless a reason is given."""
    verdict = io.read_json(paths.metrics(model, "gate"))
    if not verdict["passed"] and not despite:
        failed = ", ".join(name for name, rule in verdict["rules"].items() if not rule["passed"])
        typer.echo(f"vouch: {model} fails its gate ({failed}); mend it, or say why with --despite", err=True)
        raise typer.Exit(1)
    version = promote_bundle(model, paths.model(model, "bundle"), paths.registry(model))
    typer.echo(f"{model} {version} is the baseline now" + (f", despite its gate: {despite}" if despite else ""))
    typer.echo("next: dvc repro && git add params.yaml dvc.lock metrics registry && git commit")
