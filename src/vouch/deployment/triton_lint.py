"""What keeps Triton from serving a model repository, found without Triton: `vouch deploy --lint FOLDER`.

The rules are those of Triton's ValidateModelConfig, ensemble validation and ONNX Runtime backend.
"""

from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from vouch.deployment.triton_ensemble import ensemble_problems
from vouch.deployment.triton_schema import checked
from vouch.deployment.triton_tensors import ANY, Config, fits, onnx_tensor, spelled, tensors
from vouch.deployment.triton_text import parse
from vouch.errors import BundleError, Problem, refuse_any

CONFIG = "config.pbtxt"
FILES = {  # what a version folder holds for each backend; an ensemble's may be empty
    "onnxruntime": ("model.onnx",),
    "python": ("model.py",),
    "tensorrt": ("model.plan",),
    "openvino": ("model.xml", "model.bin"),
    "ensemble": (),
}
PLATFORMS = {"onnxruntime_onnx": "onnxruntime", "tensorrt_plan": "tensorrt", "ensemble": "ensemble"}


def refuse_repository(folder: Path) -> None:
    """Return when Triton could serve every model in a folder.

    Raises
    ------
    BundleError
        Listing every problem of every model.
    """
    problems: list[Problem] = []
    configs: dict[str, Config] = {}
    models = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not models:
        got = "none" if folder.is_dir() else "a file" if folder.exists() else "nothing there"
        problems.append(Problem(str(folder), "a folder with a folder for each model", got, "name a model repository"))
    for model in models:
        config, found = _read(model)
        configs[model.name] = config
        problems += [*found, *_model_problems(model, config)] if config else found
    for name, config in configs.items():
        problems += ensemble_problems(name, config, configs)
    refuse_any(BundleError, problems)


def _read(model: Path) -> tuple[Config, list[Problem]]:
    where = f"{model.name}/{CONFIG}"
    if not (model / CONFIG).is_file():
        return {}, [Problem(where, "a file", "nothing", "add it, or remove the folder")]
    try:
        return checked(parse((model / CONFIG).read_text(encoding="utf-8"), where), where)
    except UnicodeDecodeError as error:
        return {}, [Problem(where, "UTF-8 text", str(error), "write it again")]
    except BundleError as error:
        return {}, list(error.problems)


def _model_problems(model: Path, config: Config) -> Iterator[Problem]:
    where = f"{model.name}/{CONFIG}"
    if config.get("name", model.name) != model.name:
        yield Problem(f"{where}: name", model.name, config["name"], "name the model as its folder")
    backend = _backend(config)
    if backend not in FILES:
        yield Problem(f"{where}: backend", f"one of {', '.join(FILES)}", backend or "nothing", "name the backend")
    elif config.get("backend") and config.get("platform") in PLATFORMS and PLATFORMS[config["platform"]] != backend:
        yield Problem(f"{where}: platform", f"one of {backend}", config["platform"], "keep backend alone")
    yield from _version_problems(model, config, FILES.get(backend, ()))
    yield from _batch_problems(where, config)
    yield from _tensor_problems(model, config)
    yield from _file_problems(model, config)
    yield from _instance_problems(where, config)


def _backend(config: Config) -> str:
    return str(config.get("backend") or PLATFORMS.get(config.get("platform", ""), config.get("platform", "")))


def _versions(model: Path) -> list[int]:
    return sorted(int(path.name) for path in model.iterdir() if path.is_dir() and path.name.isdecimal())


def _served(model: Path, config: Config) -> list[int]:
    """Return the versions that the policy serves, whether they are there or not."""
    policy, there = config.get("version_policy", {}), [version for version in _versions(model) if version > 0]
    if "specific" in policy:
        return list(policy["specific"].get("versions", []))
    return there if "all" in policy else there[-policy.get("latest", {}).get("num_versions", 1) :]


def _version_problems(model: Path, config: Config, files: tuple[str, ...]) -> Iterator[Problem]:
    served = _served(model, config)
    if not served:
        yield Problem(f"{model.name}/", "a folder named by a version from 1", "none", "put the model into 1/")
    if len(files) == 1:
        files = (config.get("default_model_filename", files[0]),)
    for version in served:
        if version not in _versions(model):
            yield Problem(f"{model.name}/{version}/", "a folder", "nothing", "add it, or change version_policy")
            continue
        for file in files:
            if not (model / str(version) / file).is_file():
                yield Problem(f"{model.name}/{version}/{file}", "a file", "nothing", "add it")


def _batch_problems(where: str, config: Config) -> Iterator[Problem]:
    largest = config.get("max_batch_size", 0)
    if largest < 0:
        yield Problem(f"{where}: max_batch_size", "a number from 0", str(largest), "raise it")
    batching = config.get("dynamic_batching", {})
    if "dynamic_batching" in config and largest == 0:
        yield Problem(f"{where}: dynamic_batching", "max_batch_size of 1 or more", "0", "raise it")
    for size in batching.get("preferred_batch_size", []):
        if not 0 < size <= largest:
            place = f"{where}: preferred_batch_size"
            yield Problem(place, f"sizes from 1 to max_batch_size {largest}", str(size), "change one of the two")
    if batching.get("max_queue_delay_microseconds", 0) < 0:
        got = str(batching["max_queue_delay_microseconds"])
        yield Problem(f"{where}: max_queue_delay_microseconds", "a number from 0", got, "raise it")


def _tensor_problems(model: Path, config: Config) -> Iterator[Problem]:
    where = f"{model.name}/{CONFIG}"
    for side in ("input", "output"):
        names = Counter(tensor.get("name", "") for tensor in config.get(side, []))
        if not names and _backend(config) != "onnxruntime":  # whose files say it themselves
            yield Problem(f"{where}: {side}", "a tensor", "none", "add it")
        for name in {name for name, count in names.items() if count > 1}:
            yield Problem(f"{where}: {side} {name}", "each name once", f"{names[name]} times", "rename them")
        for tensor in config.get(side, []):
            yield from _one_tensor_problems(model, f"{where}: {side} {tensor.get('name', '?')}", tensor)


def _one_tensor_problems(model: Path, where: str, tensor: Config) -> Iterator[Problem]:
    for key in {"name", "data_type", "dims"} - tensor.keys():
        yield Problem(where, f"a {key}", "nothing", "add it")
    if any(size < 1 and size != ANY for size in tensor.get("dims", [])):
        yield Problem(where, "dims of 1 or more, or -1", str(tensor["dims"]), "leave the batch out of dims")
    shape, dims = tensor.get("reshape", {}).get("shape", []), tensor.get("dims", [])
    if "reshape" in tensor and ANY not in shape + dims and prod(shape) != prod(dims):
        yield Problem(f"{where}: reshape", f"as many values as dims {dims}", str(shape), "change one of the two")
    label = tensor.get("label_filename")
    if label and not (model / label).is_file():
        yield Problem(f"{model.name}/{label}", "a file of labels", "nothing", "add it")


def _file_problems(model: Path, config: Config) -> Iterator[Problem]:
    """Compare with what the ONNX file of each served version says."""
    if _backend(config) != "onnxruntime":
        return
    for version in sorted(set(_served(model, config)) & set(_versions(model))):
        file = model / str(version) / config.get("default_model_filename", "model.onnx")
        if file.is_file():
            yield from _onnx_problems(file, f"{model.name}/{version}/{file.name}", f"{model.name}/{CONFIG}", config)


def _onnx_problems(file: Path, name: str, where: str, config: Config) -> Iterator[Problem]:
    try:
        graph = onnx.load(file, load_external_data=False).graph
    except (DecodeError, OSError) as error:
        yield Problem(name, "an ONNX model", repr(error), "copy it again")
        return
    weights = {tensor.name for tensor in graph.initializer}
    sides = {"input": [one for one in graph.input if one.name not in weights], "output": graph.output}
    for side, infos in sides.items():
        theirs, ours = {info.name: onnx_tensor(info) for info in infos}, tensors(config, side, reshaped=True)
        remedy = f"name them as {name} does"
        for tensor in ours.keys() - theirs.keys():
            yield Problem(f"{where}: {side}", f"one of {sorted(theirs)}", tensor, remedy)
        if side == "input" and config.get(side):  # an output need not be served
            for tensor in theirs.keys() - ours.keys():
                yield Problem(f"{where}: {side}", tensor, "nothing", remedy)
        for tensor in ours.keys() & theirs.keys():
            if not fits(theirs[tensor], ours[tensor]):
                expected = f"{spelled(theirs[tensor])}, as {name} says"
                yield Problem(f"{where}: {side} {tensor}", expected, spelled(ours[tensor]), "change data_type or dims")


def _instance_problems(where: str, config: Config) -> Iterator[Problem]:
    for group in config.get("instance_group", []):
        if group.get("count", 1) < 1:
            yield Problem(f"{where}: instance_group", "a count of 1 or more", str(group["count"]), "raise it")
        if group.get("gpus") and group.get("kind") in ("KIND_CPU", "KIND_MODEL"):
            yield Problem(
                f"{where}: instance_group", f"no gpus with {group['kind']}", str(group["gpus"]), "remove them"
            )
