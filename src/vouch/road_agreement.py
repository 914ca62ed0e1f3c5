"""That the roads of `pipeline` fit each other, and the sections of params.yaml.

DVC itself looks at none of it, so it is checked before DVC runs anything (`make repro`, `make check`), by every command
of `vouch` and by every stage.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from vouch.errors import ParamsError, Problem, refuse_any
from vouch.names import wrong_names
from vouch.params import PARAMS, check, read_params
from vouch.road_of_systems import misfits
from vouch.roads import CURVES, FROM_START, NAMES, OF_MODELS, TRAINERS, TRAINING, Model, Pipeline, Quantized
from vouch.tasks import Task

SECTIONS = ("datasets", "models", "systems")


def check_workspace(path: Path = PARAMS) -> None:
    """Check the names of params.yaml's sections and, where there is one, its `pipeline`.

    A stage that runs alone, on what dvc.yaml declares and nothing else, has no `pipeline`.

    Raises
    ------
    ParamsError
        Listing every name or path that a shell or file system could take for something else, every unknown or missing
        key, and every entry that no other entry or section belongs to.
    """
    content = read_params(path)
    if "pipeline" in content:
        check_pipeline(content, f"{path}")
    else:
        refuse_any(ParamsError, _misnamed(content, f"{path}"))


def check_pipeline(content: dict[str, Any], where: str) -> Pipeline:
    """Return the roads of whole parameters.

    Raises
    ------
    ParamsError
        As `check_workspace`, and when there is no `pipeline`.
    """
    refuse_any(ParamsError, _misnamed(content, where))
    if "pipeline" not in content:
        raise ParamsError([Problem(where, "a section pipeline", "none", "add it, see the repository's params.yaml")])
    pipeline = check(Pipeline, content["pipeline"], f"{where}: pipeline")
    refuse_any(ParamsError, _loose(pipeline, content, where))
    return pipeline


def _misnamed(content: dict[str, Any], where: str) -> list[Problem]:
    sections = {kind: content.get(kind, {}) for kind in SECTIONS}
    problems = [
        Problem(f"{where}: {kind}", "a mapping", type(section).__name__, "write `name:` and its sections below")
        for kind, section in sections.items()
        if not isinstance(section, dict)
    ]
    named = {kind: section for kind, section in sections.items() if isinstance(section, dict)}
    return problems + wrong_names((f"{where}: {kind}", name) for kind in named for name in named[kind])


def _loose(pipeline: Pipeline, content: dict[str, Any], where: str) -> Iterator[Problem]:
    """Yield what is right by itself and belongs to nothing."""
    yield from _without_a_section(pipeline, content, where)
    yield from _unlisted_datasets(pipeline, where)
    yield from _unlisted_models(pipeline, where)
    yield from _untrained(pipeline, where)
    yield from _cross_validated(pipeline, where)
    yield from _with_galleries(pipeline, where)
    yield from misfits(pipeline.systems, pipeline.models, pipeline.datasets, where)


def _untrained(pipeline: Pipeline, where: str) -> Iterator[Problem]:
    for name, entry in pipeline.models.items():
        place = f"{where}: pipeline.models.{name}"
        homes = [road for road in TRAINING if name in getattr(pipeline, road)]
        if len(homes) == 1:
            yield from _misplaced(entry.task, homes[0], place, exported=name in pipeline.trained)
        else:
            expected = f"the model on one of {', '.join(TRAINING)}"
            yield Problem(place, expected, " and ".join(homes) or "none", "leave it on one of them")
        if not any(entry.trained in getattr(pipeline, road) for road in CURVES):
            expected = f"a model on one of {', '.join(CURVES)}"
            yield Problem(f"{place}.trained", expected, entry.trained, "name the model that was trained")


def _with_galleries(pipeline: Pipeline, where: str) -> Iterator[Problem]:
    for name, entry in pipeline.models.items():
        place = f"{where}: pipeline.models.{name}"
        if entry.names != NAMES[entry.task]:
            yield Problem(
                f"{place}.names", f"{NAMES[entry.task]}, of a model to {entry.task}", entry.names, "correct it"
            )
        if (name in pipeline.galleries) != (entry.task == "identify"):
            got = f"{entry.task}, {'on' if name in pipeline.galleries else 'off'} it"
            yield Problem(place, "on pipeline.galleries if it is to identify, else off it", got, "correct either")
        elif name in pipeline.galleries and pipeline.galleries[name].judged_as != entry.judged_as:
            expected, got = f"{entry.judged_as}, as pipeline.models.{name} has it", pipeline.galleries[name].judged_as
            yield Problem(f"{where}: pipeline.galleries.{name}.judged_as", expected, got, "write the same in both")


def _cross_validated(pipeline: Pipeline, where: str) -> Iterator[Problem]:
    """Yield what cross_validate would train otherwise than the model is, or from what has seen the groups."""
    for name, entry in pipeline.models.items():
        if (entry.evidence == "by_group") != (name in pipeline.by_group):
            expected = "by_group, of a model on pipeline.by_group, or test, of any other"
            yield Problem(f"{where}: pipeline.models.{name}.evidence", expected, entry.evidence, "correct either")
    for name, asked in pipeline.by_group.items():
        place, homes = (
            f"{where}: pipeline.by_group.{name}",
            [home for home in FROM_START if name in getattr(pipeline, home)],
        )
        if not homes:
            remedy = "take it off: what stands still, or is made of another model, is not trained again"
            yield Problem(place, f"a model of {' or '.join(FROM_START)}", "another", remedy)
        for home in homes:
            own = FROM_START[home] | getattr(pipeline, home)[name].model_dump(exclude={"dataset"})
            for key, value in own.items():
                if (got := getattr(asked, key)) != value:
                    yield Problem(f"{place}.{key}", f"{value}, as the model is trained", got, "write the same in both")
        started = PurePosixPath(asked.start).parts[:2]
        if started[:1] == ("models",) and started[-1] in pipeline.models:
            expected = "a start that has seen none of the groups that are held out"
            yield Problem(f"{place}.start", expected, asked.start, "start from elsewhere, or take the model off")
        if name in pipeline.models and pipeline.models[name].judged_as != name:
            expected = f"a model that is judged as itself, {name}"
            yield Problem(place, expected, f"one judged as {pipeline.models[name].judged_as}", "take it off")


def _misplaced(task: Task, home: str, place: str, *, exported: bool) -> Iterator[Problem]:
    if exported != (home in CURVES):
        got = f"one of {home} {'on' if exported else 'off'} it"
        yield Problem(place, f"a model of {', '.join(CURVES)} on trained, and no other", got, "correct either")
    if home not in (*TRAINERS[task], "quantized"):
        expected = f"{task}, so a model of {' or '.join(TRAINERS[task])}"
        yield Problem(f"{place}.task", expected, f"one of {home}", "correct either")


def _without_a_section(pipeline: Pipeline, content: dict[str, Any], where: str) -> Iterator[Problem]:
    for kind in SECTIONS:
        for name in getattr(pipeline, kind):
            if name not in content.get(kind, {}):
                remedy = f"add it, or take {name} off pipeline.{kind}"
                yield Problem(f"{where}: {kind}.{name}", "a section", "nothing", remedy)


def _unlisted_datasets(pipeline: Pipeline, where: str) -> Iterator[Problem]:
    for road in ("datasets", "rendered"):
        names = getattr(pipeline, road)
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Problem(f"{where}: pipeline.{road}", "each data set once", f"{name} twice", "remove one")
    for name in sorted(set(pipeline.rendered) - set(pipeline.datasets)):
        yield _no_dataset(f"{where}: pipeline.rendered", name)


def _unlisted_models(pipeline: Pipeline, where: str) -> Iterator[Problem]:
    for road in ("models", *OF_MODELS):
        for name, entry in getattr(pipeline, road).items():
            place = f"{where}: pipeline.{road}.{name}"
            if entry.dataset not in pipeline.datasets:
                yield _no_dataset(f"{place}.dataset", entry.dataset)
            if name not in pipeline.models:
                yield _no_model(place, name)
            elif entry.dataset != pipeline.models[name].dataset:
                expected = f"the data set of pipeline.models.{name}, {pipeline.models[name].dataset}"
                yield Problem(f"{place}.dataset", expected, entry.dataset, "write the same in both")
    yield from _variants(pipeline, where)
    for name, quantized in pipeline.quantized.items():
        road = f"pipeline.quantized.{name}"
        place, source = f"{where}: {road}.source", pipeline.models.get(quantized.source)
        if source is None:
            yield _no_model(place, quantized.source)
        elif name in pipeline.models:
            yield from _unlike_its_source(quantized, pipeline.models[name], source.task, f"{where}: {road}")


def _unlike_its_source(quantized: Quantized, entry: Model, task: Task, place: str) -> Iterator[Problem]:
    if task != entry.task:
        expected = f"a model of the task {entry.task}"
        yield Problem(f"{place}.source", expected, f"{quantized.source}, of {task}", "correct either")
    if quantized.names != entry.names:
        expected = f"{entry.names}, as pipeline.models has it"
        yield Problem(f"{place}.names", expected, quantized.names, "write the same in both")


def _variants(pipeline: Pipeline, where: str) -> Iterator[Problem]:
    for name, entry in pipeline.models.items():
        place, source = f"{where}: pipeline.models.{name}.judged_as", pipeline.models.get(entry.judged_as)
        if source is None:
            yield _no_model(place, entry.judged_as)
        elif source.judged_as != entry.judged_as:
            expected = f"{name}, or a model that is judged as itself"
            yield Problem(place, expected, f"{entry.judged_as}, judged as {source.judged_as}", "name that one")
        elif (source.dataset, source.task) != (entry.dataset, entry.task):
            expected = f"a model of the task {entry.task} on {entry.dataset}"
            yield Problem(place, expected, f"{entry.judged_as}, {source.task} on {source.dataset}", "correct either")
    for name, trained in pipeline.trained.items():
        if name in pipeline.models and trained.task != pipeline.models[name].task:
            expected = f"the task of pipeline.models.{name}, {pipeline.models[name].task}"
            yield Problem(f"{where}: pipeline.trained.{name}.task", expected, trained.task, "write the same in both")


def _no_dataset(where: str, name: str) -> Problem:
    return Problem(where, "a data set of pipeline.datasets", name, "add it there, or correct it here")


def _no_model(where: str, name: str) -> Problem:
    return Problem(where, "a model of pipeline.models", name, "add it there, or correct it here")
