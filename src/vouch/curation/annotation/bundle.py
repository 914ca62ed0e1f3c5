"""A folder of photographs for a person to label: the forms that annotation tools read, each filled with what is known.

Label Studio (tasks.json, config.xml), COCO with scores (annotations.json, which CVAT reads too) and YOLO (labels/,
data.yaml) of a detector; Label Studio and a CSV (labels.csv) of a model with one class for each photograph. What the
model accepts is filled in. On negatives nothing is: a person is not to be led to say what a row says is not there.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from xml.sax.saxutils import quoteattr

from vouch.curation.benchmark import csv_text
from vouch.curation.retraining.answers import Said
from vouch.tasks import ByTask, Task

FORMAT = 1
MANIFEST = "manifest.json"
LOCAL = "/data/local-files/?d="  # where Label Studio serves files of its document root from
DIGITS = 6


@dataclass(frozen=True)
class Page:
    """A photograph of the bundle, what a row says of it, and what the model says."""

    image: str  # path in the bundle: images/...
    sha256: str  # of the file
    photograph: str  # where it came from
    row_id: str
    name: str  # class that a row asks for, '' where nobody knows
    negative: bool
    width: int  # pixels of the upright picture
    height: int
    groups: Mapping[str, str]
    strata: Mapping[str, str]
    source: str
    license: str
    said: tuple[Said, ...]  # of classes of the job


@dataclass(frozen=True)
class Job:
    """What is to be labelled, for whom."""

    model: str
    dataset: str
    task: Task
    classes: tuple[str, ...]
    linked: bool
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class _Form:
    """What is asked of a person for a model of one task, in which controls of Label Studio and which other files."""

    results: Callable[[Page], list[dict[str, object]]]  # what is filled in, as Label Studio has it
    control: str
    item: str  # of the control, one for each class
    files: Callable[[Job], dict[str, str]]
    asked: str
    exported: str


def texts(job: Job) -> dict[str, str]:
    """Return every file of the bundle but the photographs, by its path; the same job gives the same bytes."""
    form = FORMS[job.task]
    shared = {
        MANIFEST: _dumps(_manifest(job)),
        "instructions.md": _instructions(job, form),
        "tasks.json": _dumps([_task(job, page, form) for page in job.pages]),
        "config.xml": _config(job, form),
    }
    return shared | form.files(job)


def _manifest(job: Job) -> dict[str, object]:
    pages = [{key: value for key, value in asdict(page).items() if key != "said"} for page in job.pages]
    head = {"format": FORMAT, "model": job.model, "dataset": job.dataset, "task": job.task, "linked": job.linked}
    return head | {"classes": list(job.classes), "photographs": pages}


def _boxes(page: Page) -> list[tuple[Said, tuple[float, float, float, float]]]:
    """Return the accepted boxes of a page, within the picture; none of a negative."""
    found = []
    for said in () if page.negative else page.said:
        if said.box_xyxy is not None and said.accepted:
            x1, y1, x2, y2 = said.box_xyxy
            box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(page.width)), min(y2, float(page.height)))
            if box[2] > box[0] and box[3] > box[1]:
                found.append((said, box))
    return found


def _task(job: Job, page: Page, form: _Form) -> dict[str, object]:
    """Return one of Label Studio's tasks; its data manager sorts by the score of a prediction."""
    data = {"image": LOCAL + page.image, "sha256": page.sha256, "row_id": page.row_id, "asked": page.name}
    results = form.results(page)
    scores = [float(str(one["score"])) for one in results]
    predictions = [{"model_version": job.model, "score": min(scores), "result": results}] if results else []
    stated = {**page.strata, **data, "negative": page.negative}  # a stratum may bear one of these names
    return {"data": stated, "predictions": predictions}


def _rectangles(page: Page) -> list[dict[str, object]]:
    size = {"original_width": page.width, "original_height": page.height, "image_rotation": 0}
    results: list[dict[str, object]] = []
    for place, (said, (x1, y1, x2, y2)) in enumerate(_boxes(page)):
        percent = {
            "x": round(100 * x1 / page.width, DIGITS),
            "y": round(100 * y1 / page.height, DIGITS),
            "width": round(100 * (x2 - x1) / page.width, DIGITS),
            "height": round(100 * (y2 - y1) / page.height, DIGITS),
        }
        value = percent | {"rotation": 0, "rectanglelabels": [said.name]}
        named = {"id": f"box{place}", "from_name": "label", "to_name": "image", "type": "rectanglelabels"}
        results.append({**named, **size, "value": value, "score": round(said.confidence, DIGITS)})
    return results


def _answer(page: Page) -> Said | None:
    """Return the accepted class of a photograph; None of a negative."""
    accepted = (said for said in page.said if said.name and said.accepted and not page.negative)
    return next(accepted, None)


def _choices(page: Page) -> list[dict[str, object]]:
    said = _answer(page)
    if said is None:
        return []
    named = {"id": "choice", "from_name": "label", "to_name": "image", "type": "choices"}
    return [{**named, "value": {"choices": [said.name]}, "score": round(said.confidence, DIGITS)}]


def _config(job: Job, form: _Form) -> str:
    """Return Label Studio's interface; `category` keeps the numbers of classes in its YOLO, which sorts them else."""
    lines = [f'    <{form.item} value={quoteattr(name)} category="{place}"/>' for place, name in enumerate(job.classes)]
    body = [f'  <{form.control} name="label" toName="image">', *lines, f"  </{form.control}>"]
    return "\n".join(["<View>", '  <Image name="image" value="$image"/>', *body, "</View>", ""])


def _detect(job: Job) -> dict[str, str]:
    ids = {name: place for place, name in enumerate(job.classes)}
    yolo = {"data.yaml": "names:\n" + "".join(f"  {place}: {json.dumps(name)}\n" for name, place in ids.items())}
    for page in job.pages:
        lines = [_yolo(ids[said.name], box, page) for said, box in _boxes(page)]
        yolo[page.image.replace("images/", "labels/", 1).rpartition(".")[0] + ".txt"] = "".join(lines)
    return yolo | {"annotations.json": _dumps(_coco(job, ids))}


def _yolo(identity: int, box: tuple[float, float, float, float], page: Page) -> str:
    x1, y1, x2, y2 = box
    numbers = ((x1 + x2) / 2 / page.width, (y1 + y2) / 2 / page.height, (x2 - x1) / page.width, (y2 - y1) / page.height)
    return f"{identity} {' '.join(f'{number:.{DIGITS}f}' for number in numbers)}\n"


def _coco(job: Job, ids: Mapping[str, int]) -> dict[str, object]:
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, page in enumerate(job.pages, start=1):
        images.append({"id": number, "file_name": page.image, "width": page.width, "height": page.height})
        for said, (x1, y1, x2, y2) in _boxes(page):
            bbox = [round(value, DIGITS) for value in (x1, y1, x2 - x1, y2 - y1)]
            known = {"id": len(annotations) + 1, "image_id": number, "category_id": ids[said.name] + 1}
            area = {"bbox": bbox, "area": round(bbox[2] * bbox[3], DIGITS), "iscrowd": 0, "segmentation": []}
            annotations.append(known | area | {"score": round(said.confidence, DIGITS)})
    categories = [{"id": place + 1, "name": name} for name, place in ids.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def _whole(job: Job) -> dict[str, str]:
    """Return a CSV to be completed: what is accepted is a label already, what else the model says stands beside it."""
    lines = [["image", "label", "said", "confidence"], *map(_line, job.pages)]
    return {"labels.csv": "".join(",".join(map(csv_text.quoted, line)) + "\n" for line in lines)}


def _line(page: Page) -> list[str]:
    answer, said = _answer(page), next(iter(page.said), None)
    stated = ["", ""] if said is None else [said.name, f"{said.confidence:.{DIGITS}f}"]
    return [page.image, "" if answer is None else answer.name, *stated]


_WHOLE = _Form(
    _choices, "Choices", "Choice", _whole, "",
    "NAME.json (Label Studio's JSON), NAME.csv with the columns image and label (labels.csv, completed), or a folder\n"
    "NAME with a folder for each class, and in it the photographs that show it (CVAT's ImageNet).",
)  # fmt: skip
FORMS: ByTask[_Form] = ByTask(
    detect=_Form(
        _rectangles, "RectangleLabels", "Label", _detect,
        "Draw a box around every object of these classes, close to its edges, also where it is partly hidden:",
        "NAME.json (Label Studio's JSON, or COCO), or a folder NAME of YOLO's .txt files.",
    ),
    classify=replace(_WHOLE, asked="Give each photograph one of these classes, a negative none where none fits:"),
    identify=replace(_WHOLE, asked="Give each photograph the product that it shows, a negative none where none fits:"),
)  # fmt: skip


def _instructions(job: Job, form: _Form) -> str:
    negatives = sum(page.negative for page in job.pages)
    classes = "\n".join(f"- {name}" for name in job.classes)
    return (
        f"# {len(job.pages)} photographs for {job.dataset}\n\n{form.asked}\n\n{classes}\n\n"
        f"What `{job.model}` accepts is filled in, with its confidence:\n"
        "correct it, remove what is wrong, add the rest.\n"
        f"{negatives} of the photographs are negatives (`negative` in tasks.json): nothing of the class is there.\n"
        f"Export what you labelled into reviews/, under your name:\n{form.exported}\n"
        "Do not rename, edit or replace a photograph: each is known by the sha256 in manifest.json.\n"
    )


def _dumps(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n"


def page_names(hashes: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """Return the path of each photograph in the bundle: its place in the choice, the beginning of its hash."""
    pairs = zip(hashes, suffixes, strict=True)
    return [f"images/{place:05d}_{digest[:12]}{suffix}" for place, (digest, suffix) in enumerate(pairs, start=1)]
