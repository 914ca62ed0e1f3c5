"""Run `dvc repro` for a person: how far it is, then every verdict, the page to open, what took long and what git sees.

`make repro` and `make repro MODEL=M`, of a model or a system, end here. The work is DVC's own: this reads what it
prints. What each stage took last time on this machine is kept in .dvc/tmp, and is no input of anything.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from vouch import io, paths
from vouch.commands.check_params import check_params
from vouch.commands.dvc_busy import MET, dvc, refusal
from vouch.errors import WorkspaceError, exiting
from vouch.evaluation.gates.judging import objections
from vouch.params import read_params
from vouch.release.verdict import any_verdict
from vouch.road_of_systems import PARTS

SECONDS = Path(".dvc/tmp/vouch/stage_seconds.json")
LINE = re.compile(r"Running stage '(?P<ran>[^']+)':|Stage '(?P<kept>[^']+)' (didn't change, skipping|is cached)")
UPDATE = re.compile(r"\r(?:\x1b\[K)?")  # where a progress line is written over
SLOWEST = 5
LAST_OF_SYSTEMS = ("report_system", "bundle_system")
HEADLINES = (  # of metrics/M/summary.json
    *("recall", "precision", "map50", "accuracy", "ece", "fnr_on_exits", "coverage"),
    *("top1", "unknown_false_accept_rate", "count_mae", "exact_count_rate"),
)
CHANGES = {  # files that a rebuild may change, by their beginning
    "dvc.lock": "hashes of what was built, and of what it was built from",
    "metrics/": "figures and verdicts (`dvc metrics diff` shows them side by side)",
    "splits/": "the split that each group keeps for good",
}


def rebuild(model: str = "") -> int:
    """Build everything, or what one model or system needs; print where it ends, and return DVC's exit status.

    Raises
    ------
    ParamsError
        Listing what is wrong in params.yaml, or a MODEL that is none; then nothing runs.
    WorkspaceError
        When another DVC is at work in this checkout, or its cache lacks imported photographs or a promoted bundle.
    """
    check_params(model)
    _bring_back()
    targets = targets_of(model, read_params()["pipeline"]["systems"]) if model else []
    before = _last_time()
    seconds: dict[str, float] = {}
    met: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        command = ["dvc", "repro", *targets]
        unbuffered = os.environ | {"PYTHONUNBUFFERED": "1"}  # or DVC's lines come after those of the stage they name
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=unbuffered) as running:
            assert running.stdout is not None
            planned = pool.submit(stages, targets)
            output = _noted(lines(running.stdout), met)
            for line in told(output, planned.result, before, seconds, clock=time.monotonic):
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
        status = running.returncode
    if seconds:
        io.write_json(SECONDS, before | {name: round(spent, 1) for name, spent in seconds.items()})
    if met:
        raise WorkspaceError([refusal(" ".join(command), " ".join(met), "repeat")])
    _close(Console(), status, seconds)
    return status


def targets_of(name: str, systems: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the stages that a model or a system ends in: its page and bundle, of a system those of its models before.

    >>> targets_of("m", {})
    ['report@m', 'bundle@m']
    """
    if name not in systems:
        return [f"report@{name}", f"bundle@{name}"]
    models = dict.fromkeys(systems[name][part] for part in PARTS)
    return [one for model in models for one in targets_of(model, {})] + [f"{last}@{name}" for last in LAST_OF_SYSTEMS]


def _noted(output: Iterable[str], met: list[str]) -> Iterator[str]:
    """Yield the lines; note those by which DVC says that another one is at work."""
    for line in output:
        if MET.search(line):
            met.append(line)
        yield line


def stages(targets: Sequence[str]) -> list[str]:
    """Return the stages that `dvc repro` looks at, in its order; none where DVC cannot say, as it says itself why."""
    from dvc.exceptions import DvcException  # half a second that the build need not wait
    from dvc.repo import Repo
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    try:
        with Repo() as repo:
            graph = get_active_graph(repo.index.graph)
            return [stage.addressing for stage in plan_repro(graph, collect_stages(repo, targets) if targets else None)]
    except DvcException:
        return []


def lines(stream: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a stream; of a progress line that is written over and over, its last state."""
    for line in stream:
        yield UPDATE.split(line.decode("utf-8", errors="replace").rstrip("\r\n"))[-1]


def told(
    output: Iterable[str],
    planned: Callable[[], Sequence[str]],
    before: Mapping[str, float],
    seconds: dict[str, float],
    *,
    clock: Callable[[], float],
) -> Iterator[str]:
    """Yield what DVC prints, with a line before each stage that says which of how many it is and how long is left.

    Stages that did not change are counted instead of named one by one.

    Parameters
    ----------
    planned : function
        The names of all stages, in DVC's order.
    before : mapping
        What stages took last time, in seconds.
    seconds : dict
        Takes what each stage took that ran.
    clock : function
        Seconds of a clock that never goes back.
    """
    seen: list[str] = []
    kept, running, since = 0, "", 0.0
    for line in output:
        found = LINE.match(line)
        if found is None:
            if line or running:
                yield line
            continue
        if running:
            seconds[running] = clock() - since
        running, since = found["ran"] or "", clock()
        seen.append(running or found["kept"])
        if not running:
            kept += 1
            continue
        if kept:
            yield f"{kept} {'stage' if kept == 1 else 'stages'} as they were"
            kept = 0
        yield _place(seen, planned(), before)
        yield line
    if running:
        seconds[running] = clock() - since
    if kept:
        yield f"{kept} {'stage' if kept == 1 else 'stages'} as they were"


def _place(seen: Sequence[str], plan: Sequence[str], before: Mapping[str, float]) -> str:
    """Say which of how many stages runs now, and what it and those to come took last time, should all of them run."""
    of = f" of {len(plan)}" if plan else ""
    left = [name for name in plan if name not in seen[:-1]]
    known = sum(before.get(name, 0.0) for name in left)
    told = f", at most {minutes(known)} left by the last run here" if left and all(map(before.get, left)) else ""
    return f"[{len(seen)}{of}] {seen[-1]}{told}"


def minutes(seconds: float) -> str:
    """Say how long that is."""
    return f"{round(seconds)} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _last_time() -> dict[str, float]:
    if not SECONDS.exists():
        return {}
    content: dict[str, float] = io.read_json(SECONDS)
    return content


def _close(console: Console, status: int, seconds: Mapping[str, float]) -> None:
    """Print where the build ended."""
    if status:
        failed = f" in {list(seconds)[-1]}" if seconds else ""
        console.print(
            f"[red]The build stopped{escape(failed)}[/red] (dvc repro: exit {status}); the reason stands above. Once "
            "it is removed the same command goes on where it stopped."
        )
        return
    slowest = sorted(seconds.items(), key=lambda pair: -pair[1])[:SLOWEST]
    if slowest:
        console.print("Longest: " + escape(", ".join(f"{name} {minutes(spent)}" for name, spent in slowest)))
    _verdicts(console)
    console.print("Page of all models: reports/index.html")
    for line in seen_by_git():
        console.print(escape(line))


def _verdicts(console: Console) -> None:
    judged = sorted(path.parent.name for path in Path("metrics").glob("*/gate.json"))
    table = Table(Column("built", overflow="fold"), "verdict", Column("val_test", overflow="fold"), box=SIMPLE_HEAD)
    failed: list[str] = []
    for model in judged:
        against = objections(any_verdict(model), today=datetime.now(UTC).date())
        summary: Mapping[str, Any] = io.read_json(paths.metrics(model, "summary"))
        figures = [f"{name} {summary[name]:.3f}" for name in HEADLINES if summary.get(name) is not None]
        table.add_row(escape(model), "[red]failed[/red]" if against else "[green]passed[/green]", ", ".join(figures))
        failed += [f"{model}: {reason}" for reason in against]
    if judged:
        console.print(table)
    for reason in failed:
        console.print(f"[red]stands against a release:[/red] {escape(reason)}")


def _bring_back() -> None:
    """Let DVC put imported photographs and promoted bundles where they belong; outputs are `dvc repro`'s."""
    records = [*sorted(Path("data/sources").glob("*.dvc")), *sorted(Path("registry").glob("*/bundle.dvc"))]
    if not records:
        return
    remedy = "run `dvc pull` where a remote holds them, or import them again"
    dvc("checkout", *map(str, records), remedy=remedy)


def seen_by_git() -> list[str]:
    """Return what git sees of a build, each kind of file with what it holds; nothing outside a checkout."""
    asked = ["git", "status", "--porcelain", "--untracked-files=all", "--", *CHANGES]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        return []
    changed = [line[3:].strip('"') for line in found.stdout.splitlines()]
    if not changed:
        return ["git status: the build gave what is committed, to the byte"]
    told = [f"  {start}: {what}" for start, what in CHANGES.items() if any(path.startswith(start) for path in changed)]
    return [
        "git status: the build changed",
        *told,
        "  They belong together: look at them, commit them at once.",
    ]


if __name__ == "__main__":
    with exiting():
        sys.exit(rebuild(*sys.argv[1:]))
