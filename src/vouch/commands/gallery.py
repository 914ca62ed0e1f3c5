"""`vouch gallery`: a person adds a product to what an embedder knows, or takes one out; nothing is trained again.

What is written is data/gallery/M/additions.csv, in git, and the photographs beside it, which DVC keeps. The table is
written last: a command that is ended before has changed nothing that counts, and may be given again.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from vouch import io, paths
from vouch.commands.dvc_busy import dvc
from vouch.commands.known import classes_of, listed_photographs
from vouch.errors import DataError, ParamsError, Problem, refuse_any, so_many
from vouch.names import closest, respelled, shown
from vouch.params import read_params
from vouch.retrieval.additions import PHOTOGRAPHS, Addition, read_additions, to_text
from vouch.retrieval.gallery import name_problems
from vouch.sources.vocabulary import is_formula
from vouch.tables import UNKNOWN, products_of
from vouch.vision.images.formats import SUFFIXES
from vouch.vision.images.source import File, read_images

Model = Annotated[str, typer.Argument(help="Model of params.yaml that identifies products, say sku.")]
Product = Annotated[str, typer.Argument(help="Name of the product.")]
HASH_LENGTH = 16  # hexadecimal digits of a photograph's name: 2^32 photographs before two may share one


def add(
    model: Model,
    product: Product,
    photographs: Annotated[list[Path], typer.Argument(help="Photographs of it alone, or folders of them.")],
) -> None:
    """Let MODEL know a product by photographs of it, each of which shows it alone and whole.

    Raises
    ------
    DataError
        When the product is known already, its name is none, that of what nobody knows or differs from another's, known
        or of the data set, in case or outer spaces alone; or a photograph cannot be read, was added as another product,
        or is one of an earlier addition that is not here.
    """
    additions, known = _read(model)
    problems = [*name_problems([*known, product]), *_nameless(product), *_respelled(model, product, known)]
    if product in known:
        remedy = f"`vouch gallery remove {model} {product}` first, or name another"
        problems.append(Problem(shown(product), "a product that the gallery does not know", "a known one", remedy))
    listed = listed_photographs(photographs)
    decoded = read_images(File(path) for path in listed)
    problems += [problem for one in decoded if isinstance(one, DataError) for problem in one.problems]
    refuse_any(DataError, problems)
    folder = paths.additions(model).parent / PHOTOGRAPHS
    hashed = _hashed(listed)
    kept = {digest: folder / f"{digest[:HASH_LENGTH]}{_suffix(path)}" for path, digest in hashed}
    refuse_any(DataError, [*_shared(model, product, hashed, additions), *_absent(additions, kept.values())])
    for path, digest in hashed:
        io.write_bytes(kept[digest], path.read_bytes())
    dvc("add", str(folder), remedy="fix the cause, then give the command again: what is written is kept")
    _write(model, [*additions, Addition(product, tuple((path, digest) for digest, path in kept.items()))])
    typer.echo(f"{product}: {so_many(len(kept), 'photograph')}")
    _next(model)


def remove(model: Model, product: Product) -> None:
    """Take a product out of what MODEL knows; its photographs stay.

    Raises
    ------
    DataError
        When the product is not known.
    """
    additions, known = _read(model)
    if product not in known:
        problem = Problem(shown(product), "a product that the gallery knows", "none of them", closest(product, known))
        raise DataError([problem])
    _write(model, [*additions, Addition(product, ())])
    typer.echo(f"{product}: taken out")
    _next(model)


def list_(model: Model) -> None:
    """Say which products MODEL knows, and by how many photographs those that were added."""
    additions, known = _read(model)
    added = {one.product: len(one.photographs) for one in additions}
    for product in sorted(known):
        count = added.get(product, 0)
        typer.echo(f"{product}: " + (f"added, {so_many(count, 'photograph')}" if count else "of train"))
    typer.echo(f"{so_many(len(known), 'product')} in all")


def _read(model: str) -> tuple[list[Addition], set[str]]:
    """Return what was added and taken out so far, and what is known after it.

    Raises
    ------
    ParamsError
        When the model has no gallery, or shares another's additions.
    DataError
        When the table of additions or labels.json is not of its form.
    WorkspaceError
        When the products of train are not there yet.
    """
    having = _galleries()
    if model not in having:
        remedy = closest(model, having) if having else "name a model that identifies products"
        raise ParamsError([Problem("MODEL", "one of pipeline.galleries", model, remedy)])
    shared = having[model]["judged_as"]
    if shared != model:
        expected = f"{shared}, as which {model} is judged: both know the same products"
        raise ParamsError([Problem("MODEL", expected, model, f"name {shared}; galleries of both follow")])
    additions = read_additions(paths.additions(model))
    labels = paths.model(model, "labels.json")
    if not labels.exists():
        problem = Problem(str(labels), "the products of train", "no file", f"run `dvc repro export@{model}`")
        raise DataError([problem])
    known = set(classes_of(labels))
    for one in additions:
        known = known - {one.product} if one.removed else known | {one.product}
    return additions, known


def _nameless(product: str) -> Iterator[Problem]:
    """Yield what the table of additions, or a system that counts the product, would refuse."""
    if product.strip().casefold() == UNKNOWN:
        remedy = "give it another name: a system counts what is no known product as such"
        yield Problem(shown(product), f"a product not called {UNKNOWN}", "one called so", remedy)
    elif product != product.strip():
        yield Problem(shown(product), "a name without outer spaces", "one with some", f"say {product.strip()}")
    elif is_formula(product):
        yield Problem(shown(product), "a name that no spreadsheet calculates", "a formula", "begin with a letter")


def _respelled(model: str, product: str, known: Collection[str]) -> Iterator[Problem]:
    """Yield products that the data set writes otherwise: their crops would be unknown ones, their name a wrong one."""
    dataset = _galleries()[model]["dataset"]
    tables = {name: paths.manifest(dataset, name) for name in ("boxes", "samples")}
    if product in known or not all(path.is_file() for path in tables.values()):
        return
    stated = products_of(io.read_table(tables["boxes"])), io.read_table(tables["samples"])["label"]
    labelled = {name for column in stated for name in column.dropna()}
    for name in sorted(labelled - {product, *known}):
        if respelled([name, product]):
            expected, remedy = f"a product as the data set {dataset} writes it", f"say {name}, or name another"
            yield Problem(shown(product), expected, f"{shown(name)} there, written otherwise", remedy)


def _shared(model: str, product: str, hashed: list[tuple[Path, str]], additions: list[Addition]) -> Iterator[Problem]:
    """Yield photographs by which another product is known: whatever looks like them would be called by either name."""
    owners = {one.product: {digest for _, digest in one.photographs} for one in additions}  # a product's last one holds
    for path, digest in hashed:
        for other, digests in owners.items():
            if digest in digests:
                expected, got = f"a photograph of {shown(product)} alone", f"one that was added as {shown(other)} too"
                remedy = f"give another, or `vouch gallery remove {model} {other}` first"
                yield Problem(str(path), expected, got, remedy)


def _absent(additions: list[Addition], brought: Collection[Path]) -> Iterator[Problem]:
    """Yield photographs of earlier additions that are not here as they were: DVC would forget them."""
    earlier = dict(photograph for one in additions for photograph in one.photographs)
    for path, digest in earlier.items():
        got = io.sha256(path) if path.is_file() else "no file"
        if got != digest and path not in brought:
            remedy = f"run `dvc checkout {path.parent}.dvc`, or `dvc pull` it from a remote"
            yield Problem(str(path), f"sha256 {digest}", got, remedy)


def _suffix(path: Path) -> str:
    """Return the ending of a photograph's name; of any other none, for the table of additions might not hold it."""
    return path.suffix.lower() if path.suffix.lower() in SUFFIXES else ""


def _hashed(listed: list[Path]) -> list[tuple[Path, str]]:
    return [(path, io.sha256(path)) for path in listed]


def _write(model: str, additions: list[Addition]) -> None:
    io.write_text(paths.additions(model), to_text(additions))


def _next(model: str) -> None:
    """Say what is to be built again: of the model, of its variants, and of systems that any of them names crops for."""
    models = [model, *sorted(name for name, one in _galleries().items() if one["judged_as"] == model != name)]
    systems = [
        name for name, one in read_params()["pipeline"].get("systems", {}).items() if one["identifier"] in models
    ]
    built = [f"bundle@{name} report@{name}" for name in models]
    built += [f"bundle_system@{name} report_system@{name}" for name in systems]
    table = paths.additions(model)
    typer.echo(f"next: dvc repro {' '.join(built)} && git add {table.parent} dvc.lock metrics")


def _galleries() -> Mapping[str, Any]:
    """Return pipeline.galleries."""
    found: Mapping[str, Any] = read_params()["pipeline"]["galleries"]
    return found
