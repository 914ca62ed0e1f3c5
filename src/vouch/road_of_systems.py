"""pipeline.systems of params.yaml: which detector and which embedder answer together."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from vouch.errors import Problem
from vouch.names import Name, RepositoryPath
from vouch.params import Section
from vouch.tasks import Task

PARTS: dict[str, Task] = {"detector": "detect", "identifier": "identify"}  # of a system, with the task of each


class Baselines(Section):
    """pipeline.systems.S.baselines: what a system is compared with, both together."""

    detector: RepositoryPath
    identifier: RepositoryPath


class System(Section):
    """pipeline.systems.S."""

    dataset: Name  # that its models were built on, and whose val_test judges it
    detector: Name  # model that finds objects
    identifier: Name  # model that says which product each of them is
    baselines: Baselines  # of both models, as pipeline.models has them


class Listed(Protocol):
    """What is asked of a model of pipeline.models."""

    @property
    def dataset(self) -> str:
        """The data set that it was built on."""

    @property
    def task(self) -> Task:
        """What it answers."""

    @property
    def baseline(self) -> str:
        """The bundle that it is compared with."""


def misfits(
    systems: Mapping[str, System], models: Mapping[str, Listed], datasets: tuple[str, ...], where: str
) -> Iterator[Problem]:
    """Yield every system whose models are none, of another task or of another data set, or that is called as a model.

    Parameters
    ----------
    systems, models, datasets
        Of `pipeline`.
    where : str
        The parameter file.
    """
    for name, system in systems.items():
        place = f"{where}: pipeline.systems.{name}"
        if name in models:
            yield Problem(place, "a name that no model has", name, "call it otherwise: both would write models/NAME")
        if system.dataset not in datasets:
            remedy = "add it there, or correct it here"
            yield Problem(f"{place}.dataset", "a data set of pipeline.datasets", system.dataset, remedy)
        for part, task in PARTS.items():
            model = getattr(system, part)
            yield from _misfit(f"{place}.{part}", model, task, system.dataset, models)
            given = getattr(system.baselines, part)
            if model in models and given != models[model].baseline:
                expected = f"the baseline of pipeline.models.{model}, {models[model].baseline}"
                yield Problem(f"{place}.baselines.{part}", expected, given, "write the same in both")


def _misfit(where: str, name: str, task: Task, dataset: str, models: Mapping[str, Listed]) -> Iterator[Problem]:
    model = models.get(name)
    if model is None:
        yield Problem(where, "a model of pipeline.models", name, "add it there, or correct it here")
        return
    if model.task != task:
        yield Problem(where, f"a model to {task}", f"{name}, to {model.task}", "name another")
    if model.dataset != dataset:
        expected = f"a model on {dataset}, as the system"
        remedy = "name one: what another data set trained may have seen these photographs"
        yield Problem(where, expected, f"{name}, on {model.dataset}", remedy)
