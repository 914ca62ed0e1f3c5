"""The door of photographs: scan, predict and export see the same picture, turned the same way, or refuse it alike."""

import json
import struct
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hostile import images
from hostile.contract import Attempt, Refused, refusal_fault
from hostile.entering import staged, typed, workspace
from hostile.images import Picture
from vouch import io, paths
from vouch.stages import scan
from vouch.tables import BOXES, SAMPLES

UNUSABLE = {"empty_file", "unsupported_format", "truncated", "corrupt", "animated", "bit_depth", "colour_mode"}
SWAPPED = (5, 6, 7, 8)


def _draw(picture: Callable[[np.random.Generator], Picture], rng: np.random.Generator, folder: Path) -> Attempt:
    drawn = picture(rng)
    here = workspace(folder, "params.yaml", "models/driver/bundle")
    path = Path("data/sources/driver/mine") / f"p{drawn.suffix}"
    path.parent.mkdir(parents=True)
    path.write_bytes(drawn.content)
    sample = dict.fromkeys(SAMPLES) | {"sample_id": f"mine/{path.name}", "image": str(path), "source": "mine"}
    samples = pd.DataFrame([sample | {"annotation": "negative", "group_session": "s1", "stratum_light": "day"}])
    io.write_table(paths.manifest("driver", "samples"), samples.astype({"width": "Int64", "height": "Int64"}))
    io.write_table(paths.manifest("driver", "boxes"), pd.DataFrame(columns=list(BOXES)))
    new = tuple(f"{here.name}/{name}" for name in ("data/quality", "out.csv", "out.jsonl", ".dvc"))
    return Attempt(drawn.told, lambda: _entered(path), partial(_fault, drawn), new=new)


def _entered(path: Path) -> dict[str, Any]:
    """Return what each of the three says: its answer, or its refusal."""
    return {
        "scan": _tried(lambda: _scanned()),
        "predict": _tried(lambda: _predicted(path)),
        "export": _tried(lambda: _exported()),
    }


def _tried(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except Refused as refusal:
        return refusal


def _scanned() -> Any:
    staged(scan, "driver")
    return io.read_table(paths.quality("driver", "scan")).iloc[0]


def _predicted(path: Path) -> pd.DataFrame:
    typed("predict", "driver", str(path), "--csv", "out.csv")
    return pd.read_csv("out.csv")


def _exported() -> tuple[int, int]:
    typed("manifest", "export", "driver", "-o", "out.jsonl", "--format", "jsonl")
    line = json.loads(Path("out.jsonl").read_text())
    return line["width"], line["height"]


def _fault(picture: Picture, said: dict[str, Any]) -> str:
    for door, answer in said.items():
        if isinstance(answer, Refused) and (fault := refusal_fault(answer)):
            return f"{door}: {fault}"
    row, found, size = said["scan"], said["predict"], said["export"]
    if isinstance(row, Refused):
        return f"scan refuses the data set for a photograph: {row}"
    problems = set(row["problem"].split(",")) - {""}
    if problems & UNUSABLE and not isinstance(found, Refused):
        return f"predict answers what scan calls {row['problem']}"
    if not problems and (isinstance(found, Refused) or isinstance(size, Refused)):
        return f"scan finds nothing, but: {found if isinstance(found, Refused) else size}"
    return (
        "" if problems - {"wrong_extension"} or isinstance(found, Refused) else _turn_fault(picture, row, found, size)
    )


def _turn_fault(picture: Picture, row: Any, found: pd.DataFrame, size: Any) -> str:
    """Say whether the three turned a sound picture differently, or otherwise than its carrier says."""
    turned = int(row["orientation"])
    stated = (row["width"], row["height"]) if turned not in SWAPPED else (row["height"], row["width"])
    if not isinstance(size, Refused) and tuple(size) != stated:
        return f"export says {size}, scan {stated} (orientation {turned})"
    if picture.stored is not None and (seen := _hashed_turns(picture.stored, row["sha256"])) and turned not in seen:
        return f"scan hashed the pixels turned by {seen}, and says orientation {turned}"
    best = found.loc[found.groupby("class_pred")["score"].idxmax()].set_index("class_pred")
    if picture.stored is None or not {"clear", "works"} <= set(best.index) or picture.stored.shape[0] < 32:
        return "" if picture.turn in (None, turned) else f"scan says orientation {turned}, its carrier {picture.turn}"
    red, green = (
        ((best["x1"] + best["x2"])[name] / 2, (best["y1"] + best["y2"])[name] / 2) for name in ("clear", "works")
    )
    seen_by_model = images.seen_turn(red, green, picture.stored)
    if seen_by_model != turned:
        return f"the model saw orientation {seen_by_model}, scan says {turned}"
    return "" if picture.turn in (None, turned) else f"both say orientation {turned}, its carrier {picture.turn}"


def _hashed_turns(stored: Any, digest: str) -> list[int]:
    """Return the turns of the stored pixels that give a scan's hash."""
    seen = []
    for turn in range(1, 9):
        pixels = np.ascontiguousarray(images.turned(stored, turn))
        found = sha256(struct.pack("<II", *pixels.shape[:2]) + pixels.tobytes())
        seen += [turn] if found.hexdigest() == digest else []
    return seen


KINDS = {
    "orientations": partial(_draw, images.oriented),
    "more orientations": partial(_draw, images.oriented),
    **{name: partial(_draw, picture) for name, picture in images.PICTURES.items() if name != "orientations"},
}
