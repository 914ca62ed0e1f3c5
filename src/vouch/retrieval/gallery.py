"""The gallery: what an embedder compares a crop with, one or several prototypes for each product that it knows.

An embedding becomes comparable in three steps (`transform`): scaled to length 1, whitened (`whitening`) or left as it
is, and scaled to length 1 again. Prototypes have gone the same way, so a dot product is a cosine. A product is added or
removed without training: mean and projection stay as they were built. Serving imports this module, so it needs numpy
and safetensors alone.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vouch.errors import BundleError, DataError, Problem, refuse_any
from vouch.names import closest, respelled, shown
from vouch.retrieval.embeddings import directions
from vouch.retrieval.prototypes import prototypes
from vouch.retrieval.whitening import whitening

Embeddings = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

UNFIT = frozenset({"Cc", "Cs"})  # control characters and halves of one, as in names that sources state
RENAME = "give one of them another name, or both the same"


@dataclass(frozen=True)
class Gallery:
    """The products that an embedder knows.

    Attributes
    ----------
    products
        Their names, sorted; no two differ in case, composition or outer spaces alone.
    prototypes
        float32 of shape (p, d), each of length 1; those of a product stand together, in the order of `products`.
    owner
        int64 of shape (p,): the product of each prototype, an index into `products`.
    mean, projection
        float32 of shapes (e,) and (e, d): of whitening; 0 and the identity without.
    counts
        int64 of shape (products,): the embeddings that each product was made of.
    model_sha256, preprocess_sha256
        Of the network, and of how its photographs are prepared: embeddings of any other mean nothing here.
    """

    products: tuple[str, ...]
    prototypes: Embeddings
    owner: IntArray
    mean: Embeddings
    projection: Embeddings
    counts: IntArray
    model_sha256: str
    preprocess_sha256: str


def build(
    embeddings: npt.ArrayLike,
    products: Sequence[str],
    *,
    prototypes_per_product: int,
    whiten: int | None,
    model_sha256: str,
    preprocess_sha256: str,
    seed: int,
    samples: Sequence[str] = (),
) -> Gallery:
    """Return the gallery of these embeddings, whitened by all of them; of none, one that knows nothing.

    A product's prototypes depend on its own embeddings, their order and the seed, and on other products only through
    the whitening.

    Parameters
    ----------
    embeddings : array, shape (n, e)
    products : sequence of str, length n
        The product of each.
    prototypes_per_product : int
        At least 1: one is the mean, more are up to as many centres of clusters.
    whiten : int or None
        Components of the whitening; None: no whitening.
    samples : sequence of str, length n
        Names of the embeddings, for errors; without, they have numbers.

    Raises
    ------
    DataError
        Naming each embedding that holds NaN or has length 0, each product without a name or with that of another (by
        case or outer spaces too), and each whose embeddings cancel out; or when whitening wants more embeddings.
    """
    unit = directions(embeddings, samples=samples)
    if len(unit) != len(products):
        raise DataError(
            [Problem("products", f"one for each of {len(unit)} embeddings", str(len(products)), "pair them")]
        )
    names = sorted(set(products))
    refuse_any(DataError, name_problems(names))
    empty = _empty(unit, whiten, (model_sha256, preprocess_sha256))
    placed = transform(empty, embeddings, samples=samples)
    of = np.array(products, dtype=object)
    parts = {name: _prototypes(name, placed[of == name], prototypes_per_product, seed) for name in names}
    return _joined(empty, parts, {name: int((of == name).sum()) for name in names})


def transform(gallery: Gallery, embeddings: npt.ArrayLike, *, samples: Sequence[str] = ()) -> Embeddings:
    """Return embeddings as `neighbours.nearest` takes them, float32 of shape (n, d), each of length 1.

    Raises
    ------
    DataError
        Naming every embedding that holds NaN or has no direction; or when they are not as wide as the gallery's.
    """
    unit = directions(embeddings, width=len(gallery.mean), samples=samples)
    placed = (unit - gallery.mean.astype(np.float64)) @ gallery.projection.astype(np.float64)
    return directions(placed, samples=samples).astype(np.float32)


def added(
    gallery: Gallery,
    product: str,
    embeddings: npt.ArrayLike,
    *,
    prototypes_per_product: int,
    seed: int,
    samples: Sequence[str] = (),
) -> Gallery:
    """Return the gallery with one more product, as `build` makes it; the others and the whitening stay as they are.

    Parameters
    ----------
    embeddings : array, shape (n, e), n > 0
        As the network gave them.

    Raises
    ------
    DataError
        When the product is in the gallery (by case too) or has no embedding; and as `build` does.
    """
    problems = name_problems([*gallery.products, product])
    if product in gallery.products:
        problems = [Problem(product, "a product that the gallery lacks", "one of its products", "remove it first")]
    if not len(np.asarray(embeddings)):
        problems.append(Problem(shown(product), "at least one embedding", "none", "give photographs of it"))
    refuse_any(DataError, problems)
    placed = transform(gallery, embeddings, samples=samples)
    parts, counts = _parts(gallery), dict(zip(gallery.products, gallery.counts.tolist(), strict=True))
    parts[product] = _prototypes(product, placed, prototypes_per_product, seed)
    return _joined(gallery, parts, counts | {product: len(placed)})


def removed(gallery: Gallery, product: str) -> Gallery:
    """Return the gallery without a product; without its last one it knows nothing.

    Raises
    ------
    DataError
        When it is not there.
    """
    if product not in gallery.products:
        remedy = closest(product, gallery.products)
        raise DataError([Problem(shown(product), "a product of the gallery", "none of them", remedy)])
    parts, counts = _parts(gallery), dict(zip(gallery.products, gallery.counts.tolist(), strict=True))
    return _joined(gallery, {name: part for name, part in parts.items() if name != product}, counts)


def check(gallery: Gallery, *, model_sha256: str, preprocess_sha256: str) -> None:
    """Return when the gallery was built by this network on photographs prepared this way.

    Raises
    ------
    BundleError
        Naming each hash that differs.
    """
    pairs = {
        "model": (model_sha256, gallery.model_sha256),
        "preprocess": (preprocess_sha256, gallery.preprocess_sha256),
    }
    problems = [
        Problem(f"gallery: {name}_sha256", wanted, found, "build the gallery again")
        for name, (wanted, found) in pairs.items()
        if wanted != found
    ]
    refuse_any(BundleError, problems)


def name_problems(products: Sequence[str]) -> list[Problem]:
    """List every product that has no name, and every pair that differs in case, composition or outer spaces alone."""
    problems = [
        Problem("a product", "a name without control characters", shown(name), "name it")
        for name in products
        if not name.strip() or any(unicodedata.category(one) in UNFIT for one in name)
    ]
    for first, *others in respelled(name for name in products if name.strip()).values():
        expected, got = "a name that no other product has", f"{shown(first)} too"
        problems += [Problem(shown(name), expected, got, RENAME) for name in others]
    return problems


def _empty(unit: npt.NDArray[np.float64], whiten: int | None, hashes: tuple[str, str]) -> Gallery:
    """Return a gallery without products, whitened by these embeddings of length 1, of that model and preprocessing."""
    mean, projection = np.zeros(unit.shape[1]), np.eye(unit.shape[1])
    if whiten is not None and len(unit):
        mean, projection = whitening(unit, whiten)
    return Gallery(
        products=(),
        prototypes=np.zeros((0, projection.shape[1]), dtype=np.float32),
        owner=np.zeros(0, dtype=np.int64),
        mean=mean.astype(np.float32),
        projection=projection.astype(np.float32),
        counts=np.zeros(0, dtype=np.int64),
        model_sha256=hashes[0],
        preprocess_sha256=hashes[1],
    )


def _prototypes(name: str, placed: Embeddings, most: int, seed: int) -> Embeddings:
    """Return a product's prototypes, float32, each of length 1."""
    centres = prototypes(placed.astype(np.float64), most, np.random.default_rng(seed))
    return directions(centres, samples=[f"product {name}: the mean of its embeddings"] * len(centres)).astype(
        np.float32
    )


def _parts(gallery: Gallery) -> dict[str, Embeddings]:
    return {name: gallery.prototypes[gallery.owner == index] for index, name in enumerate(gallery.products)}


def _joined(gallery: Gallery, parts: dict[str, Embeddings], counts: dict[str, int]) -> Gallery:
    """Return the gallery with these products instead of its own."""
    names = sorted(parts)
    sizes = [len(parts[name]) for name in names]
    return replace(
        gallery,
        products=tuple(names),
        prototypes=np.concatenate([gallery.prototypes[:0], *(parts[name] for name in names)]),
        owner=np.repeat(np.arange(len(names), dtype=np.int64), sizes),
        counts=np.array([counts[name] for name in names], dtype=np.int64),
    )
