"""Export an annotation bundle as Label Studio and CVAT do when a person accepts everything that is filled in.

`make formats` calls it. It runs in the environment of requirements.lock beside it, which has an older pandas and OpenCV
and nothing of Vouch; files are all that passes between them. Label Studio's exports are made by its own converter
(label_studio_sdk.converter), after its own check of interface and predictions; CVAT's by datumaro, which CVAT reads
and writes its formats with.

    export.py BUNDLE OUTPUT     reads   tasks.json and config.xml; annotations.json, or else labels.csv; images/
                                writes  label_studio.json, and of boxes label_studio_coco.json, label_studio_yolo/,
                                        cvat.json (COCO) by way of its own XML; of classes label_studio_csv.csv, cvat/
                                        (ImageNet)
"""

import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import datumaro
from label_studio_sdk.converter import Converter
from label_studio_sdk.label_interface import LabelInterface

NOBODY = 0  # the annotator's number


def main(bundle: Path, output: Path) -> None:
    """Write every export of a bundle into a new folder, unless Label Studio would refuse to import the bundle."""
    if refused := list(refusals(bundle)):
        sys.exit("\n".join(refused))
    output.mkdir()
    with tempfile.TemporaryDirectory() as name:
        boxes = (bundle / "annotations.json").is_file()
        _label_studio(bundle, output, Path(name), boxes=boxes)
        if boxes:
            _cvat_boxes(bundle, output, Path(name))
        else:
            _cvat_classes(bundle, output, Path(name))


def refusals(bundle: Path) -> Iterator[str]:
    """Yield what Label Studio has against the predictions of a bundle; an interface that is none raises."""
    interface = LabelInterface((bundle / "config.xml").read_text(encoding="utf-8"))
    interface.validate()
    for task in _tasks(bundle):
        for prediction in task["predictions"]:
            yield from interface.validate_prediction(prediction, return_errors=True)


def _label_studio(bundle: Path, output: Path, folder: Path, *, boxes: bool) -> None:
    answered = output / "label_studio.json"
    answered.write_text(json.dumps([accepted(*one) for one in enumerate(_tasks(bundle), start=1)]), encoding="utf-8")
    converter = Converter(str(bundle / "config.xml"), str(bundle), download_resources=False)
    for form in ("COCO", "YOLO") if boxes else ("CSV",):
        made = folder / form
        converter.convert(str(answered), str(made), form, is_dir=False)
        if form == "YOLO":
            shutil.copytree(made, output / "label_studio_yolo")
        else:
            name = {"COCO": "label_studio_coco.json", "CSV": "label_studio_csv.csv"}[form]
            shutil.copyfile(next(made.glob("result.*")), output / name)


def _tasks(bundle: Path) -> list[dict]:
    return json.loads((bundle / "tasks.json").read_text(encoding="utf-8"))


def accepted(number: int, task: dict) -> dict:
    """Return a task as Label Studio exports it once its prediction was submitted as it is."""
    results = [result for one in task["predictions"] for result in one["result"]]
    annotation = {"id": number, "completed_by": NOBODY, "was_cancelled": False, "result": results}
    return task | {"id": number, "annotations": [annotation]}


def _cvat_boxes(bundle: Path, output: Path, folder: Path) -> None:
    """Read the bundle's COCO, write CVAT's XML, read that, write COCO."""
    uploaded = folder / "uploaded/annotations"
    uploaded.mkdir(parents=True)
    shutil.copyfile(bundle / "annotations.json", uploaded / "instances_default.json")
    shutil.copytree(bundle / "images", uploaded.parent / "images/images")  # file names begin with images/
    datumaro.Dataset.import_from(str(uploaded.parent), "coco_instances").export(
        str(folder / "kept"), "cvat", save_media=True
    )
    kept = datumaro.Dataset.import_from(str(folder / "kept"), "cvat")
    kept.export(str(folder / "exported"), "coco_instances")
    (exported,) = (folder / "exported/annotations").glob("*.json")
    shutil.copyfile(exported, output / "cvat.json")


def _cvat_classes(bundle: Path, output: Path, folder: Path) -> None:
    """Sort what is labelled into folders of classes, read them as ImageNet, and write ImageNet again."""
    with (bundle / "labels.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            place = folder / "sorted" / (row["label"] or "no_label")
            place.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle / row["image"], place / Path(row["image"]).name)
    found = datumaro.Dataset.import_from(str(folder / "sorted"), "imagenet")
    found.export(str(output / "cvat"), "imagenet", save_media=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
