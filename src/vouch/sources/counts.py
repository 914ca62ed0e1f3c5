"""Counts of products that files hold, predictions or ground truth; counts.schema.yaml states the fields."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vouch.documents import DocumentError, parse_json
from vouch.errors import Problem
from vouch.names import respelled
from vouch.sources.schema import problems as broken
from vouch.sources.vocabulary import is_fit
from vouch.tables import UNKNOWN

SCHEMA = "counts.schema.yaml"
REMEDY = f"see src/vouch/sources/{SCHEMA}"


@dataclass(frozen=True)
class Photograph:
    """How many of each product are on one photograph, or were said to be; a product that is not named is not there."""

    sample_id: str
    counts: Mapping[str, int]
    groups: Mapping[str, str]
    strata: Mapping[str, str]


@dataclass(frozen=True)
class CountFile:
    """One file, or what is wrong with it; `products` is None where the file does not list what can be named."""

    products: frozenset[str] | None = None
    photographs: tuple[Photograph, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_counts(text: str, where: str, *, is_truth: bool, min_confidence: float | None) -> CountFile:
    """Read a file of counts or of objects; every fault of its form is a problem, and then nothing else is returned.

    What `vouch predict SYSTEM --json` wrote is read too.

    Parameters
    ----------
    is_truth : bool
        Whether it is the ground truth, where objects have a product and no confidence.
    min_confidence : float, optional
        In [0, 1]; in predictions only objects count that have at least so much. None: every object counts.
    """
    try:
        content = parse_json(text, where)
    except DocumentError as error:
        return CountFile(problems=error.problems)
    if isinstance(content, list):
        content = {"photographs": content}
    elif isinstance(content, dict) and "system" in content:
        content = _counted(content)
    problems = broken(content, where, name=SCHEMA)
    if not problems:
        problems = [*_twice(content, where), *_unfit(content, where), *one_spelling(_products(content), where)]
        problems += _unlisted(content, where)
        for item in content["photographs"]:
            problems += _faults(item, f"{where}: {item['sample_id']}", is_truth, min_confidence)
    if problems:
        return CountFile(problems=tuple(problems))
    products = content.get("products")
    photographs = tuple(_photograph(item, min_confidence) for item in content["photographs"])
    return CountFile(None if products is None else frozenset(products), photographs)


def _counted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a system's answer in the form of counts: the name of each photograph, and a box for each object."""
    content = {key: answer[key] for key in ("products", "photographs") if key in answer}
    if isinstance(content.get("photographs"), list):
        content["photographs"] = [_with_boxes(one) for one in content["photographs"]]
    return content


def _with_boxes(said: object) -> object:
    """Return a photograph of an answer with its objects as boxes; what has another form is left to be refused."""
    if not isinstance(said, dict):
        return said
    photograph = {"sample_id": said.get("image")}
    if not isinstance(objects := said.get("objects"), list):
        return photograph
    kept = ("product", "confidence")
    boxes = [{key: one[key] for key in kept if key in one} if isinstance(one, dict) else one for one in objects]
    return photograph | {"boxes": boxes}


def _twice(content: Mapping[str, Any], where: str) -> Iterator[Problem]:
    for key, names in (
        ("sample_id", [item["sample_id"] for item in content["photographs"]]),
        ("products", content.get("products", [])),
    ):
        for name, times in Counter(names).items():
            if times > 1:
                yield Problem(f"{where}: {key} {name}", "every name once", f"it {times} times", "remove all but one")


def _unfit(content: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """Names that would look like another: with outer spaces or characters that do not show."""
    names = {*content.get("products", ()), *(item["sample_id"] for item in content["photographs"])}
    for item in content["photographs"]:
        said = [pair for key in ("groups", "strata") for pair in item.get(key, {}).items()]
        names |= {*_named(item), *(text for pair in said for text in pair)}
    for name in sorted(names):
        if not is_fit(name):
            yield Problem(where, "names without outer spaces or control characters", repr(name), "correct the name")


def one_spelling(names: Iterable[str], where: str) -> Iterator[Problem]:
    """Products that differ by case alone, from the name of no product too: each would be counted beside the other."""
    for shared, same in respelled(sorted({UNKNOWN, *names})).items():
        how = f"write {UNKNOWN!r} for what is no product" if shared == UNKNOWN else "write one product in one way"
        remedy = f"{how}, or call the product otherwise"
        yield Problem(where, "products that differ by more than case", ", ".join(same), remedy)


def _products(content: Mapping[str, Any]) -> set[str]:
    return {*content.get("products", ())}.union(*map(_named, content["photographs"]))


def _named(item: Mapping[str, Any]) -> set[str]:
    return {*item.get("counts", {}), *(box["product"] for box in item.get("boxes", ()) if box["product"] is not None)}


def _faults(item: Mapping[str, Any], where: str, is_truth: bool, min_confidence: float | None) -> Iterator[Problem]:
    """What a photograph says that its form allows and its file does not."""
    if ("counts" in item) == ("boxes" in item):
        got = "both" if "counts" in item else "neither"
        yield Problem(where, "either counts or boxes", got, REMEDY)
    elif "counts" in item and min_confidence is not None and not is_truth:
        yield Problem(
            where, "boxes with a confidence", "counts", "count from some confidence on, or leave the limit out"
        )
    for number, box in enumerate(item.get("boxes", ())):
        place = f"{where}: boxes[{number}]"
        if is_truth and box["product"] is None:
            remedy = f"name it, call it {UNKNOWN!r}, or leave it out of both files"
            yield Problem(place, "a product in the ground truth", "null", remedy)
        if is_truth and "confidence" in box:
            yield Problem(place, "no confidence in the ground truth", "one", "are the two files exchanged?")
        if not is_truth and min_confidence is not None and "confidence" not in box:
            yield Problem(place, "a confidence", "none", "add it, or leave the limit out")


def _unlisted(content: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """Products that a file counts and does not list."""
    if "products" not in content:
        return
    listed = {*content["products"], UNKNOWN}
    for item in content["photographs"]:
        for name in sorted(_named(item) - listed):
            remedy = "add it to `products`, or correct the name"
            yield Problem(f"{where}: {item['sample_id']}", "a product of the file's `products`", name, remedy)


def _photograph(item: Mapping[str, Any], min_confidence: float | None) -> Photograph:
    if "counts" in item:
        counts = {name: int(count) for name, count in item["counts"].items()}
    else:
        kept = [box for box in item["boxes"] if min_confidence is None or box.get("confidence", 1.0) >= min_confidence]
        counts = dict(Counter(box["product"] or UNKNOWN for box in kept))
    return Photograph(item["sample_id"], counts, item.get("groups", {}), item.get("strata", {}))
