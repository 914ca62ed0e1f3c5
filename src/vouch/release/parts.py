"""What the files of a bundle say, each checked by itself and against the others; the network is `opening`'s affair."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, assert_never

from vouch.calibration.apply.validity import is_number, validate_calibrator
from vouch.documents import DocumentError, decoded, parse_json
from vouch.errors import BundleError, Problem, VouchError, refuse_any
from vouch.paths import GALLERY
from vouch.policies.apply.kinds import FORMS, score_column
from vouch.policies.apply.policy import validate_policy
from vouch.retrieval.gallery import Gallery
from vouch.retrieval.gallery_file import from_bytes
from vouch.tasks import ByTask, Task
from vouch.vision.boxes import Postprocess, postprocess_from_json
from vouch.vision.preprocess import Preprocess, from_json

SAMPLE_VALUES = 256  # evenly spaced values of the output: enough to see another network, few enough to read
LARGEST_SAMPLE = 3.5e38  # float32 ends there
SHARE_TOLERANCE = 1e-6  # of one share of a prior: they are written with six decimals
CALIBRATORS = ByTask(detect="scalar", classify="multiclass", identify="scalar")  # their kind
REMEDY = "build the bundle again"
T = TypeVar("T")


@dataclass(frozen=True)
class Parts:
    """What a bundle says beside its network; a trivial one has no preprocess, postprocess and sample."""

    classes: tuple[str, ...]
    calibrator: dict[str, Any]
    policy: dict[str, Any]
    preprocess: Preprocess | None
    postprocess: Postprocess | None
    sample: tuple[float, ...] | None
    prior: tuple[float, ...] | None
    gallery: Gallery | None  # of an embedder


def checked_parts(task: Task, files: Mapping[str, bytes], where: str) -> Parts:
    """Return the parts of a bundle of this task.

    Parameters
    ----------
    task : Task
        As the manifest says it.
    files : mapping
        Every file of such a bundle, by name.
    where : str
        The bundle, for a refusal.

    Raises
    ------
    BundleError
        Listing everything that is no JSON, not of its schema, or contradicts another part.
    """
    problems: list[Problem] = []

    def part(name: str, read: Callable[[Any, str], T]) -> T | None:
        if name not in files:
            return None
        try:
            return read(parse_json(decoded(files[name], f"{where}/{name}"), f"{where}/{name}"), f"{where}/{name}")
        except (DocumentError, BundleError) as error:
            problems.extend(error.problems)
            return None

    classes = part("labels.json", _classes)
    calibrator, policy = part("calibrator.json", _calibrator), part("policy.json", _policy)
    preprocess, postprocess = part("preprocess.json", from_json), part("postprocess.json", postprocess_from_json)
    sample, prior = part("sample.json", _sample), part("prior.json", _prior)
    gallery = None
    if GALLERY in files:
        try:
            gallery = from_bytes(files[GALLERY], f"{where}/{GALLERY}")
        except BundleError as error:
            problems.extend(error.problems)
    refuse_any(BundleError, problems)
    assert classes is not None  # every kind has these three, and none is refused
    assert calibrator is not None
    assert policy is not None
    parts = Parts(classes, calibrator, policy, preprocess, postprocess, sample, prior, gallery)
    refuse_any(BundleError, _contradictions(task, parts, where))
    return parts


def _classes(content: Any, where: str) -> tuple[str, ...]:
    names = _only(content, "classes", where)
    named = isinstance(names, list) and all(isinstance(name, str) and name.strip() for name in names)
    if not named or not names or len(set(names)) < len(names):
        raise BundleError([Problem(f"{where}: classes", "different names", repr(names)[:80], REMEDY)])
    return tuple(names)


def _calibrator(content: Any, where: str) -> dict[str, Any]:
    _placed(validate_calibrator, content, where)
    return dict(content)


def _policy(content: Any, where: str) -> dict[str, Any]:
    _placed(validate_policy, content, where)
    return dict(content)


def _placed(validate: Callable[[object], None], content: Any, where: str) -> None:
    """Validate, and say of which bundle the problems are."""
    try:
        validate(content)
    except VouchError as error:
        folder = where.rsplit("/", 1)[0]
        placed = [Problem(f"{folder}/{one.where}", one.expected, one.got, one.remedy) for one in error.problems]
        raise BundleError(placed) from error


def _sample(content: Any, where: str) -> tuple[float, ...]:
    values = _only(content, "output", where)
    numbers = isinstance(values, list) and len(values) == SAMPLE_VALUES
    if not numbers or not all(is_number(value, LARGEST_SAMPLE) for value in values):
        got = f"{len(values)} values" if isinstance(values, list) else repr(values)[:80]
        raise BundleError([Problem(f"{where}: output", f"{SAMPLE_VALUES} finite numbers", got, REMEDY)])
    return tuple(float(value) for value in values)


def _prior(content: Any, where: str) -> tuple[float, ...]:
    shares = _only(content, "prior", where)
    numbers = isinstance(shares, list) and all(is_number(share) and share > 0 for share in shares)
    if not numbers or abs(sum(shares) - 1) > SHARE_TOLERANCE * len(shares):
        expected = "shares above 0 that sum to one"
        raise BundleError([Problem(f"{where}: prior", expected, repr(shares)[:80], REMEDY)])
    return tuple(float(share) for share in shares)


def _only(content: Any, key: str, where: str) -> Any:
    """Return the value of a document with one key."""
    if not isinstance(content, dict) or set(content) != {key}:
        got = f"the keys {sorted(content)}"[:80] if isinstance(content, dict) else repr(content)[:80]
        raise BundleError([Problem(where, f"the key {key} alone", got, REMEDY)])
    return content[key]


def _contradictions(task: Task, parts: Parts, where: str) -> list[Problem]:
    """List what the parts, each of them valid, say against each other."""
    calibrator, policy = parts.calibrator, parts.policy
    classes = parts.classes if parts.gallery is None else parts.gallery.products
    known = f"one of {list(classes)}"[:240]
    against: list[tuple[str, str, object]] = []
    if parts.preprocess is not None and parts.preprocess.task != task:
        against.append(("preprocess.json: task", f"{task}, as the manifest says", parts.preprocess.task))
    if calibrator["kind"] != CALIBRATORS[task]:
        against.append(("calibrator.json: kind", f"{CALIBRATORS[task]}, as goes with {task}", calibrator["kind"]))
    else:
        against += _calibrated_classes(task, calibrator["classes"], classes)
    if FORMS[policy["kind"]].task != task:
        known_kinds = tuple(kind for kind, form in FORMS.items() if form.task == task)
        against.append(("policy.json: kind", f"one of {known_kinds}, as goes with {task}", policy["kind"]))
    named = {key: policy.get(key) or {} for key in ("thresholds", "calibration", "infeasible")}
    for key, said in named.items():
        unknown = said.keys() - {*classes, *(["*"] if key == "infeasible" else [])}
        against += [(f"policy.json: {key}.{name}", known, name) for name in unknown]
    if policy.get("positive") is not None and policy["positive"] not in classes:
        against.append(("policy.json: positive", known, policy["positive"]))
    if score_column(policy) == "gate" and calibrator.get("gate") is None:
        against.append(("calibrator.json: gate", "a map, as the policy decides by the gate", None))
    if parts.prior is not None and len(parts.prior) != len(classes):
        against.append(("prior.json: prior", f"{len(classes)} shares, one per class", len(parts.prior)))
    return [
        Problem(f"{where}/{place}"[:240], expected[:240], str(got)[:80], REMEDY) for place, expected, got in against
    ]


def _calibrated_classes(task: Task, found: Any, classes: tuple[str, ...]) -> list[tuple[str, str, object]]:
    """List what a calibrator of this task says against the labels: it has maps of some classes, or one of them all."""
    match task:
        case "detect" | "identify":
            known = f"one of {list(classes)}"
            return [(f"calibrator.json: classes.{name}", known, name) for name in found if name not in classes]
        case "classify":
            expected = f"{list(classes)}, the order of labels.json"
            return [] if tuple(found) == classes else [("calibrator.json: classes", expected, found)]
        case _:
            assert_never(task)
