"""Hostile bundles: a sound one with something changed, and a manifest that agrees with every file again."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from hostile.values import noisy, pick, spoiled

MANIFEST = "manifest.json"
SOUND = "as it should be"
Change = Callable[[np.random.Generator, Path], str]  # changes a bundle's folder; "!" begins what no bundle may be


def refit(folder: Path) -> None:
    """Make the manifest agree with the files."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        entry |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def manifest_changed(rng: np.random.Generator, folder: Path) -> str:
    """Break the manifest's closed form."""
    path = folder / MANIFEST
    content = json.loads(path.read_text())
    changes: dict[str, Callable[[], Any]] = {
        "no name": lambda: content.pop("name"),
        "no version": lambda: content.pop("version"),
        "misspelt name": lambda: content.update(nmae=content.pop("name")),
        "misspelt version": lambda: content.update(vresion=content.pop("version")),
        "a list as name": lambda: content.update(name=["m"]),
        "a list as version": lambda: content.update(version=["0.1.0"]),
        "an unknown key": lambda: content.update(extra=1),
        "an unknown key of a file": lambda: content["files"]["labels.json"].update(extra=1),
        "a path for a name": lambda: content.update(name="../x"),
        "an empty name": lambda: content.update(name=""),
        "bytes as a float": lambda: content["files"]["labels.json"].update(
            bytes=float(content["files"]["labels.json"]["bytes"])
        ),
        "a list as kind": lambda: content.update(kind=["trained"]),
        "another task": lambda: content.update(task="classify" if content["task"] == "detect" else "detect"),
        "a task that nobody knows": lambda: content.update(task="segment"),
        "files as a list": lambda: content.update(files=list(content["files"])),
    }
    how = pick(rng, tuple(changes))
    changes[how]()
    path.write_text(json.dumps(content))
    return f"!manifest with {how}"


def manifest_text(rng: np.random.Generator, folder: Path) -> str:
    """Spoil the manifest's text."""
    path = folder / MANIFEST
    text = path.read_text()
    texts = {
        "trailing bytes": text + pick(rng, ("x", "{}", "\0", "]")),
        "a duplicate key": text.replace("{", '{"name": "other", ', 1),
        "deep nesting": '{"files": ' + "[" * 5000 + "]" * 5000 + "}",
        "nothing": "",
        "another type": pick(rng, ("[]", "null", "1", '"x"')),
    }
    how = pick(rng, tuple(texts))
    path.write_text(texts[how])
    return f"!manifest with {how}"


def folder_changed(rng: np.random.Generator, folder: Path) -> str:
    """Put into the folder what the manifest does not name, or replace a file by what is none."""
    file = folder / pick(rng, ("labels.json", MANIFEST, "model.onnx"))
    changes: dict[str, Callable[[], Any]] = {
        "an empty folder": lambda: (folder / "d").mkdir(),
        "a link to a folder": lambda: (folder / "d").symlink_to("/etc"),
        "a link to nothing": lambda: (folder / "d").symlink_to("gone"),
        "a FIFO": lambda: os.mkfifo(folder / "d"),
        "a hidden file": lambda: (folder / ".labels.json.4711.part").write_text("{}"),
        "a file in a folder": lambda: ((folder / "d").mkdir(), (folder / "d/x").write_text("x")),
        f"{file.name} as a link": lambda: (file.rename(folder.parent / "out"), file.symlink_to("../out")),
        f"{file.name} as a FIFO": lambda: (file.unlink(), os.mkfifo(file)),
        f"{file.name} as a folder": lambda: (file.unlink(), file.mkdir()),
        f"no {file.name}": file.unlink,
        "a name that is no UTF-8": lambda: (folder / "d\udcff").write_text("x"),
    }
    how = pick(rng, tuple(changes))
    changes[how]()
    return f"!{how}"


def bytes_changed(rng: np.random.Generator, folder: Path) -> str:
    """Change a file's bytes, and nothing else."""
    path = pick(rng, sorted(folder.iterdir()))
    before = path.read_bytes()
    path.write_bytes(noisy(rng, before))
    same = path.read_bytes() == before or path.name == MANIFEST
    return f"{'' if same else '!'}{path.name}: bytes"


def json_changed(rng: np.random.Generator, folder: Path) -> str:
    """Change a value of a file, with hashes that fit."""
    path = pick(rng, sorted(one for one in folder.glob("*.json") if one.name != MANIFEST))
    text, told = spoiled(rng, json.loads(path.read_text()))
    if rng.random() < 0.1:
        path.write_bytes(pick(rng, (b"\xff\xfe{}", b"", b"\xef\xbb\xbf{}", b'{"a": "\xff"}', b"{}")))
        told = "its bytes"
    else:
        path.write_text(text)
    refit(folder)
    return f"{path.name}: {told}"


def content_changed(rng: np.random.Generator, folder: Path) -> str:
    """Change what one part says so that it does not fit another, with hashes that fit."""
    changes = _wrong(folder, json.loads((folder / "labels.json").read_text())["classes"])
    how = pick(rng, tuple(changes))
    name, path, value = changes[how]
    content = json.loads((folder / name).read_text())
    holder = content
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    (folder / name).write_text(json.dumps(content))
    refit(folder)
    return f"!{how}"


def _wrong(folder: Path, classes: list[str]) -> dict[str, tuple[str, tuple[str, ...], Any]]:
    """What contradicts the rest of a bundle: the file, where in it, and the value."""
    wrong: dict[str, tuple[str, tuple[str, ...], Any]] = {
        "duplicate labels": ("labels.json", ("classes",), [classes[0]] * len(classes)),
        "too few labels": ("labels.json", ("classes",), classes[:1]),
        "too many labels": ("labels.json", ("classes",), [*classes, "more"]),
        "no labels": ("labels.json", ("classes",), []),
        "labels that are numbers": ("labels.json", ("classes",), [1, 2]),
        "an empty label": ("labels.json", ("classes",), ["", classes[1]]),
        "another task": ("preprocess.json", ("task",), "classify" if _detects(folder) else "detect"),
        "another canvas": ("preprocess.json", ("size_px",), 64),
        "a huge canvas": ("preprocess.json", ("size_px",), 10**6),
        "a sample that is too short": ("sample.json", ("output",), [0.0]),
        "a sample of text": ("sample.json", ("output",), ["x"] * 256),
    }
    if _detects(folder):
        return wrong | {
            "limit -1": ("postprocess.json", ("limit",), -1),
            "limit 1e9": ("postprocess.json", ("limit",), 1.5),
            "floor NaN": ("postprocess.json", ("floor",), float("nan")),
            "floor 2": ("postprocess.json", ("floor",), 2.0),
            "max_iou -1": ("postprocess.json", ("max_iou",), -1.0),
            "calibrator floor NaN": ("calibrator.json", ("floor",), float("nan")),
            "calibrator of an unknown class": ("calibrator.json", ("classes",), {"zebra": {"method": "identity"}}),
            "threshold of an unknown class": ("policy.json", ("thresholds",), {"zebra": 0.5}),
            "a huge slope": ("calibrator.json", ("global", "slope"), 10**400),
        }
    return wrong | {
        "shuffled labels": ("labels.json", ("classes",), classes[::-1]),
        "positive zebra": ("policy.json", ("positive",), "zebra"),
        "shuffled classes of the calibrator": ("calibrator.json", ("classes",), classes[::-1]),
        "weights of another shape": ("calibrator.json", ("map", "weights"), [[1.0]]),
        "NaN weights": ("calibrator.json", ("map", "weights"), [[float("nan"), 0.0], [0.0, 1.0]]),
        "a huge weight": ("calibrator.json", ("map", "weights"), [[10**400, 0.0], [0.0, 1.0]]),
        "a detector's policy": ("policy.json", ("kind",), "operating_point"),
    }


def _detects(folder: Path) -> bool:
    return (folder / "postprocess.json").exists()


def parts_exchanged(rng: np.random.Generator, folder: Path) -> str:
    """Put one part of the other model's bundle in the place of this one's."""
    other = folder.with_name("other")
    name = pick(rng, ("policy.json", "calibrator.json", "preprocess.json", "model.onnx", "sample.json"))
    (folder / name).write_bytes((other / name).read_bytes())
    refit(folder)
    return f"!{name} of a model of the other task"


def network_changed(rng: np.random.Generator, folder: Path) -> str:
    """Put a hostile network in the place of the model's, with hashes that fit."""
    path = folder / "model.onnx"
    how = pick(rng, tuple(NETWORKS))
    if how == "noise":
        path.write_bytes(noisy(rng, path.read_bytes()))
    else:
        path.write_bytes(NETWORKS[how]().SerializeToString())
    refit(folder)
    return f"{'' if how == 'noise' else '!'}network with {how}"


def _network(inputs: list[Any], nodes: list[Any], outputs: list[Any]) -> Any:
    graph = helper.make_graph(nodes, "hostile", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _value(name: str, kind: int, *shape: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


IMAGES = ("images", TensorProto.FLOAT, "batch", 3, 32, 32)
OUTPUT = ("output0", TensorProto.FLOAT, "batch", 3)


def _constant(*shape: int) -> list[Any]:
    size = helper.make_tensor("size", TensorProto.INT64, [len(shape)], list(shape))
    return [
        helper.make_node("Constant", [], ["size"], value=size),
        helper.make_node("ConstantOfShape", ["size"], ["output0"]),
    ]


def _pooled(*, extra: tuple[Any, ...] = (), image: tuple[Any, ...] = IMAGES) -> Any:
    nodes = [helper.make_node("GlobalAveragePool", ["images"], ["m"]), helper.make_node("Flatten", ["m"], ["output0"])]
    return _network([_value(*image), *(_value(*one) for one in extra)], nodes, [_value(*OUTPUT)])


def _external() -> Any:
    tensor = TensorProto(name="output0", data_type=TensorProto.FLOAT, dims=[1, 3])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../outside.bin")
    network = _network([_value(*IMAGES)], [], [_value("output0", TensorProto.FLOAT, 1, 3)])
    network.graph.initializer.append(tensor)
    return network


NETWORKS: dict[str, Callable[[], Any]] = {
    "no input": lambda: _network([], _constant(1, 3), [_value(*OUTPUT)]),
    "two inputs": lambda: _pooled(extra=(("more", TensorProto.FLOAT, 1),)),
    "an input of strings": lambda: _network(
        [_value("images", TensorProto.STRING, "batch", 3, 32, 32)],
        [helper.make_node("Identity", ["images"], ["output0"])],
        [_value("output0", TensorProto.STRING, "batch", 3, 32, 32)],
    ),
    "an input of bytes": lambda: _network(
        [_value("images", TensorProto.UINT8, "batch", 3, 32, 32)],
        [helper.make_node("Identity", ["images"], ["output0"])],
        [_value("output0", TensorProto.UINT8, "batch", 3, 32, 32)],
    ),
    "a huge constant": lambda: _network(
        [_value(*IMAGES)], _constant(1, 3, 10**10), [_value("output0", TensorProto.FLOAT, 1, 3, 10**10)]
    ),
    "a large constant": lambda: _network(
        [_value(*IMAGES)], _constant(1, 6, 10**8), [_value("output0", TensorProto.FLOAT, 1, 6, 10**8)]
    ),
    "an answer for another number of photographs": lambda: _network(
        [_value(*IMAGES)], _constant(5, 3), [_value("output0", TensorProto.FLOAT, 5, 3)]
    ),
    "other outputs": lambda: _network(
        [_value(*IMAGES)],
        [helper.make_node("GlobalAveragePool", ["images"], ["output0"])],
        [_value("output0", TensorProto.FLOAT, "batch", 3, 1, 1)],
    ),
    "no output": lambda: _network([_value(*IMAGES)], [], []),
    "a custom operator": lambda: _network(
        [_value(*IMAGES)], [helper.make_node("Run", ["images"], ["output0"], domain="evil")], [_value(*OUTPUT)]
    ),
    "weights elsewhere": _external,
    "a fixed batch": lambda: _pooled(image=("images", TensorProto.FLOAT, 1, 3, 32, 32)),
    "noise": onnx.ModelProto,
}


def unchanged(rng: np.random.Generator, folder: Path) -> str:
    """Change nothing."""
    return SOUND


CHANGES: dict[str, Change] = {
    "manifest": manifest_changed,
    "manifest's text": manifest_text,
    "the folder": folder_changed,
    "bytes": bytes_changed,
    "JSON values": json_changed,
    "more JSON values": json_changed,
    "contradictions": content_changed,
    "parts of another": parts_exchanged,
    "networks": network_changed,
    "nothing": unchanged,
}
