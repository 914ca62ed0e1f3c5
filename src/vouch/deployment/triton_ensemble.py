"""What keeps an ensemble from running: steps that are not there, tensors that nobody makes or that do not fit."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from vouch.deployment.triton_tensors import Config, Tensor, joins, spelled, tensors
from vouch.errors import Problem


def ensemble_problems(name: str, config: Config, configs: dict[str, Config]) -> Iterator[Problem]:
    """List what is wrong with the ensemble `name`, given the configurations of every model of the repository."""
    where = f"{name}/config.pbtxt"
    is_ensemble = config.get("platform") == "ensemble"
    if is_ensemble != ("ensemble_scheduling" in config):
        expected = 'platform: "ensemble" and ensemble_scheduling'
        yield Problem(where, expected, "one without the other", "add the other")
    if not is_ensemble:
        return
    for key in {"instance_group", "optimization", "model_warmup"} & config.keys():
        yield Problem(f"{where}: {key}", "none in an ensemble", "one", "set it in the models of its steps")
    steps = config.get("ensemble_scheduling", {}).get("step", [])
    if not steps:
        yield Problem(f"{where}: ensemble_scheduling", "a step", "none", "add the steps")
    known = [step for step in steps if configs.get(step.get("model_name", ""))]
    for step in steps:
        yield from _step_problems(where, step, config, configs)
    yield from _flow_problems(where, config, known, configs)


def _step_problems(where: str, step: Config, config: Config, configs: dict[str, Config]) -> Iterator[Problem]:
    name = step.get("model_name", "")
    place = f"{where}: step {name or '?'}"
    if name not in configs:
        yield Problem(place, f"a model of this repository: {', '.join(configs)}", name or "nothing", "name one")
        return
    model = configs[name]
    if not model:  # its own problems are listed
        return
    for side in ("input", "output"):
        mapped, there = step.get(f"{side}_map", {}), tensors(model, side)
        for tensor in mapped.keys() - there.keys():
            yield Problem(f"{place}: {side}_map", f"one of {sorted(there)}", tensor, f"name an {side} of {name}")
        optional = {one.get("name") for one in model.get(side, []) if side == "output" or one.get("optional")}
        for tensor in there.keys() - mapped.keys() - optional:
            yield Problem(f"{place}: {side}_map", f"an entry for {tensor}", "none", "map every input")
        if not mapped:
            yield Problem(f"{place}: {side}_map", "an entry", "none", "map a tensor")
    version, policy = step.get("model_version", 0), model.get("version_policy", {})
    pinned = policy.get("specific", {}).get("versions", [])
    if version != -1 and (version < 1 or ("specific" in policy and version not in pinned)):
        expected = f"-1 or one of {pinned}" if pinned else "-1 or a version from 1"
        yield Problem(f"{place}: model_version", expected, str(version), "name a version that is served")
    largest, own = config.get("max_batch_size", 0), model.get("max_batch_size", 0)
    if largest > own:
        yield Problem(
            f"{place}: max_batch_size", f"{largest} or more, as the ensemble's", str(own), "lower or raise one"
        )


def _flow_problems(where: str, config: Config, steps: list[Any], configs: dict[str, Config]) -> Iterator[Problem]:
    made = _made(config, steps, configs)
    for twice in {name for name, count in Counter(name for _, name, _ in made).items() if count > 1}:
        makers = " and ".join(sorted(maker for maker, name, _ in made if name == twice))
        yield Problem(f"{where}: tensor {twice}", "made once", f"made by {makers}", "rename one")
    there = {name: tensor for _, name, tensor in made}
    taken = [(step["model_name"], *pair) for step in steps for pair in _taken(step, configs)]
    taken += [("the ensemble's output", name, tensor) for name, tensor in tensors(config, "output").items()]
    for taker, name, tensor in taken:
        if name not in there:
            yield Problem(f"{where}: tensor {name}", f"made by a step, for {taker}", "made by none", "map it")
        elif not joins(there[name], tensor):
            expected = f"{spelled(tensor)}, for {taker}"
            yield Problem(f"{where}: tensor {name}", expected, spelled(there[name]), "change data_type or dims")
    for name in there.keys() - {name for _, name, _ in taken}:  # Triton refuses an ensemble that makes one for nobody
        yield Problem(f"{where}: tensor {name}", "a step or an output that takes it", "none", "leave it unmapped")
    yield from _circle_problems(where, set(tensors(config, "input")), steps, set(there))


def _made(config: Config, steps: list[Any], configs: dict[str, Config]) -> list[tuple[str, str, Tensor]]:
    """Return who makes which tensor of the ensemble: its inputs, and what the steps put out."""
    made = [("the ensemble's input", name, tensor) for name, tensor in tensors(config, "input").items()]
    for step in steps:
        there = tensors(configs[step["model_name"]], "output")
        pairs = step.get("output_map", {}).items()
        made += [(step["model_name"], name, there[own]) for own, name in pairs if own in there]
    return made


def _taken(step: Any, configs: dict[str, Config]) -> list[tuple[str, Tensor]]:
    there = tensors(configs[step["model_name"]], "input")
    return [(name, there[own]) for own, name in step.get("input_map", {}).items() if own in there]


def _circle_problems(where: str, ready: set[str], steps: list[Any], there: set[str]) -> Iterator[Problem]:
    """Name the steps that wait for each other: all that they take is made, but never first."""
    waiting = [step for step in steps if set(step.get("input_map", {}).values()) <= there]
    while True:
        able = [step for step in waiting if set(step.get("input_map", {}).values()) <= ready]
        if not able:
            break
        waiting = [step for step in waiting if step not in able]
        ready |= {name for step in able for name in step.get("output_map", {}).values()}
    missing = {name for step in steps if step not in waiting for name in step.get("output_map", {}).values()} - ready
    if waiting and not missing:
        names = ", ".join(step["model_name"] for step in waiting)
        yield Problem(f"{where}: steps", "an order to run them in", f"a circle of {names}", "break the circle")
