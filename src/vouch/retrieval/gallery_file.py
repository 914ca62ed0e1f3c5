"""A gallery as bytes: safetensors and one sorted JSON text in its metadata, the same gallery always the same bytes."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from vouch.documents import DocumentError, decoded, parse_json
from vouch.errors import BundleError, Problem, refuse_any
from vouch.names import shown
from vouch.retrieval.gallery import Gallery, name_problems

KEY = "gallery"  # one entry of metadata: safetensors writes several in any order
TEXTS = ("model_sha256", "preprocess_sha256")
FLOATS, WHOLES = ("mean", "projection", "prototypes"), ("counts", "owner")
REMEDY = "build the gallery again"
UNIT = 1e-4  # a length in float32 is off by 1e-7; whatever is off by more was not written by us
DIGEST = frozenset("0123456789abcdef")

Tensors = dict[str, npt.NDArray[Any]]


def to_bytes(gallery: Gallery) -> bytes:
    """Return a gallery as the content of a .safetensors file."""
    tensors = {name: np.ascontiguousarray(getattr(gallery, name)) for name in (*FLOATS, *WHOLES)}
    said = {"products": list(gallery.products), **{name: getattr(gallery, name) for name in TEXTS}}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    content: bytes = safetensors.numpy.save(tensors, metadata={KEY: text})
    return content


def from_bytes(content: bytes, where: str) -> Gallery:
    """Return the gallery that `to_bytes` wrote.

    Parameters
    ----------
    where : str
        The file, for a refusal.

    Raises
    ------
    BundleError
        When it is no safetensors; or listing each tensor of another name, type or shape, each prototype or projection
        that is not finite or not of length 1, and products that are not sorted, named twice or without prototypes.
    """
    try:
        tensors, said = safetensors.numpy.load(content), _metadata(content, where)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:  # DocumentError is a ValueError
        if isinstance(error, DocumentError):
            raise BundleError(error.problems) from error
        got = str(error).splitlines()[0][:240] if str(error) else type(error).__name__
        raise BundleError([Problem(where, "a gallery in safetensors", got, REMEDY)]) from error
    refuse_any(BundleError, _said_problems(said, where) + _tensor_problems(tensors, where))
    gallery = Gallery(products=tuple(said["products"]), **{name: said[name] for name in TEXTS}, **tensors)
    refuse_any(BundleError, _shape_problems(gallery, where))
    refuse_any(BundleError, _value_problems(gallery, where))
    return gallery


def _metadata(content: bytes, where: str) -> Any:
    """Return what the header says beside the tensors; safetensors itself has read it, so its length is true."""
    header = parse_json(decoded(content[8 : 8 + int.from_bytes(content[:8], "little")], where), where)
    text = (header.get("__metadata__") or {}).get(KEY)  # null, too, is none: safetensors reads it
    return None if text is None else parse_json(text, where)


def _said_problems(said: Any, where: str) -> list[Problem]:
    keys = {"products", *TEXTS}
    if not isinstance(said, dict) or set(said) != keys:
        got = f"the keys {sorted(said)}" if isinstance(said, dict) else shown(said)
        return [Problem(f"{where}: metadata", f"the keys {sorted(keys)}", got[:240], REMEDY)]
    problems = [
        Problem(f"{where}: {name}", "a SHA-256, 64 hexadecimal digits", shown(said[name]), REMEDY)
        for name in TEXTS
        if not isinstance(said[name], str) or len(said[name]) != 64 or not set(said[name]) <= DIGEST
    ]
    names = said["products"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return [*problems, Problem(f"{where}: products", "a list of names", shown(names), REMEDY)]
    if names != sorted(set(names)):
        problems.append(Problem(f"{where}: products", "sorted names, each once", shown(names), REMEDY))
    return problems + [Problem(f"{where}: {one.where}", one.expected, one.got, REMEDY) for one in name_problems(names)]


def _tensor_problems(tensors: Tensors, where: str) -> list[Problem]:
    types = {**dict.fromkeys(FLOATS, "float32"), **dict.fromkeys(WHOLES, "int64")}
    problems = [Problem(where, f"tensor {name}", "nothing", REMEDY) for name in types.keys() - tensors.keys()]
    problems += [Problem(where, "no more tensors", shown(name), REMEDY) for name in tensors.keys() - types.keys()]
    return problems + [
        Problem(f"{where}: {name}", types[name], str(tensors[name].dtype), REMEDY)
        for name in types.keys() & tensors.keys()
        if tensors[name].dtype != types[name]
    ]


def _shape_problems(gallery: Gallery, where: str) -> list[Problem]:
    width = gallery.projection.shape[-1] if gallery.projection.ndim else 0
    depth = len(gallery.mean) if gallery.mean.ndim else 0
    rows = len(gallery.owner) if gallery.owner.ndim else 0
    shapes = {
        "mean": (max(depth, 1),),
        "projection": (max(depth, 1), max(width, 1)),
        "prototypes": (rows, width),
        "owner": (rows,),
        "counts": (len(gallery.products),),
    }
    return [
        Problem(f"{where}: {name}", f"shape {shape}", f"{getattr(gallery, name).shape}", REMEDY)
        for name, shape in shapes.items()
        if getattr(gallery, name).shape != shape
    ]


def _value_problems(gallery: Gallery, where: str) -> list[Problem]:
    problems = [
        Problem(f"{where}: {name}", "finite numbers", "NaN or infinity", REMEDY)
        for name in FLOATS
        if not np.isfinite(getattr(gallery, name)).all()
    ]
    lengths = np.linalg.norm(gallery.prototypes.astype(np.float64), axis=1)
    problems += [
        Problem(f"{where}: prototype {row}", "length 1", f"{lengths[row]:.6g}", REMEDY)
        for row in np.flatnonzero(np.isfinite(lengths) & (np.abs(lengths - 1) > UNIT))
    ]
    expected = np.unique(gallery.owner).tolist() == list(range(len(gallery.products)))
    if not expected or np.any(np.diff(gallery.owner) < 0):
        each = "a prototype or more of each product, in their order"
        problems.append(Problem(f"{where}: owner", each, shown(gallery.owner[:20].tolist()), REMEDY))
    few = np.flatnonzero(gallery.counts < 1)
    return problems + [
        Problem(f"{where}: counts of {shown(gallery.products[row])}", "1 or more", str(gallery.counts[row]), REMEDY)
        for row in few
    ]
