"""`vouch promote`: a person makes the current bundle the baseline that later candidates are compared with."""

from pathlib import Path
from typing import Annotated

import typer

from vouch import io, params, paths
from vouch.errors import ParamsError, Problem
from vouch.release.registry import promote as promote_bundle


def promote(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")],
    despite: Annotated[str, typer.Option(help="Promote although the gate failed, for this reason.")] = "",
) -> None:
    """Make models/MODEL/bundle the baseline in registry/MODEL; a failed gate refuses it unless a reason is given.

    Raises
    ------
    ParamsError
        When MODEL is compared with something else than its own promotions, as an INT8 variant is with its source.
    """
    _refuse_other_baseline(model)
    verdict = io.read_json(paths.metrics(model, "gate"))
    if not verdict["passed"] and not despite:
        failed = ", ".join(name for name, rule in verdict["rules"].items() if not rule["passed"])
        typer.echo(f"vouch: {model} fails its gate ({failed}); mend it, or say why with --despite", err=True)
        raise typer.Exit(1)
    version = promote_bundle(model, paths.model(model, "bundle"), paths.registry(model))
    typer.echo(f"{model} {version} is the baseline now" + (f", despite its gate: {despite}" if despite else ""))
    typer.echo("next: dvc repro && git add params.yaml dvc.lock metrics registry && git commit")


def _refuse_other_baseline(model: str) -> None:
    """Refuse what would have no effect: nothing in the graph would read the promoted bundle."""
    promoted, compared = paths.registry(model), Path(params.read_value("pipeline", "models", model, "baseline"))
    if compared == promoted:
        return
    remedy = (
        f"`vouch gate {model} --enforce` says whether it may be released; to compare it with its own promotions from"
        f" now on, write `baseline: {promoted}` and promote again"
    )
    where, expected = f"params.yaml: pipeline.models.{model}.baseline", f"{promoted}, which promotion writes"
    raise ParamsError([Problem(where, expected, str(compared), remedy)])
