"""`vouch promote`: a person makes the current bundle the baseline that later candidates are compared with."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vouch import params, paths
from vouch.commands.promotion import is_promoted
from vouch.commands.promotion import promote as promote_bundle
from vouch.commands.staleness import refuse_stale
from vouch.errors import ParamsError, Problem
from vouch.evaluation.gates.judging import objections
from vouch.release.verdict import open_verdict


def promote(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")],
    despite: Annotated[str, typer.Option(help="Promote although the gate failed, for this reason.")] = "",
) -> None:
    """Make models/MODEL/bundle the baseline in registry/MODEL; a failed gate refuses it unless a reason is given.

    The reason is for a verdict that says no. A verdict about something else than this bundle, or one that DVC would
    reach again, is no verdict on it, whatever the reason.

    Raises
    ------
    ParamsError
        When MODEL is compared with something else than its own promotions, as an INT8 variant is with its source.
    WorkspaceError
        When there is no verdict, it contradicts itself, or DVC would run anything again that it or the bundle is made
        of.
    BundleError
        When the bundle does not check, or is not what was judged.
    """
    _refuse_other_baseline(model)
    bundle, registry = paths.model(model, "bundle"), paths.registry(model)
    verdict = open_verdict(model)
    against = objections(verdict, today=datetime.now(UTC).date())
    if against and not despite.strip():
        typer.echo(f"vouch: {model} fails its gate ({'; '.join(against)}); fix it, or say why with --despite", err=True)
        raise typer.Exit(1)
    if not is_promoted(bundle, registry):  # else an earlier run was ended before it was done, and this one ends it
        refuse_stale(model)
    version = promote_bundle(model, bundle, registry, verdict=verdict)
    typer.echo(f"{model} {version} is the baseline now" + (f", despite its gate: {despite}" if against else ""))
    stages = " ".join(f"report@{one} bundle@{one}" for one in _compared_with(registry))
    typer.echo(f"next: dvc repro {stages} && git add params.yaml dvc.lock metrics registry && git commit")


def _compared_with(registry: Path) -> list[str]:
    """Return the models whose baseline is this bundle, by their names in params.yaml."""
    models = params.read_value("pipeline", "models")
    return [name for name, entry in models.items() if Path(str(entry["baseline"])) == registry]


def _refuse_other_baseline(model: str) -> None:
    """Refuse what would have no effect: nothing in the graph would read the promoted bundle."""
    promoted, compared = paths.registry(model), str(params.read_value("pipeline", "models", model, "baseline"))
    if Path(compared) == promoted:
        return
    remedy = (
        f"`vouch gate {model} --enforce` says whether it may be released; to compare it with its own promotions from"
        f" now on, write `baseline: {promoted}` and promote again"
    )
    where, expected = f"params.yaml: pipeline.models.{model}.baseline", f"{promoted}, which promotion writes"
    raise ParamsError([Problem(where, expected, compared, remedy)])
