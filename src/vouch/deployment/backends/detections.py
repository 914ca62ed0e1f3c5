"""Triton's Python backend: a detector's candidates become boxes of the photograph, calibrated and decided.

Copied as model.py, with preprocess.json, postprocess.json, labels.json, calibrator.json, policy.json and the modules of
Vouch that it imports beside it: the code that the thresholds were chosen with, which needs NumPy, pandas, OpenCV and
Pillow.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # its own copy of Vouch, before one of another version that the server may have

import numpy as np
import pandas as pd
import triton_python_backend_utils as pb_utils

from vouch.calibration.apply.calibrator import calibrated
from vouch.calibration.apply.validity import validate_calibrator
from vouch.errors import VouchError
from vouch.policies.apply.policy import decided, validate_policy
from vouch.vision.boxes import decode, postprocess_from_json
from vouch.vision.preprocess import from_json, place, to_photograph

FILES = ("labels", "calibrator", "policy", "preprocess", "postprocess")


class TritonPythonModel:
    """What the server calls; it gives one instance one request list at a time."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read how candidates become decided boxes, and refuse what cannot be applied."""
        held = {name: json.loads((HERE / f"{name}.json").read_text(encoding="utf-8")) for name in FILES}
        self.classes, self.calibrator, self.policy = held["labels"]["classes"], held["calibrator"], held["policy"]
        self.preprocess = from_json(held["preprocess"], "preprocess.json")
        self.postprocess = postprocess_from_json(held["postprocess"], "postprocess.json")
        validate_calibrator(self.calibrator)
        validate_policy(self.policy)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request; scores that are no numbers refuse their own request alone."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        outputs = pb_utils.get_input_tensor_by_name(request, "output0").as_numpy()
        sizes = pb_utils.get_input_tensor_by_name(request, "size").as_numpy()
        try:
            tables = [self._table(output, size) for output, size in zip(outputs, sizes, strict=True)]
        except VouchError as error:
            return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(str(error)))
        boxes = [table[["x1", "y1", "x2", "y2"]] for table in tables]
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor("count", np.array([[len(table)] for table in tables], np.int32)),
                pb_utils.Tensor("box", self._padded(boxes, np.float64)),
                pb_utils.Tensor("class_pred", self._padded([_encoded(table) for table in tables], np.object_)),
                pb_utils.Tensor("score", self._padded([table["score"] for table in tables], np.float64)),
                pb_utils.Tensor("confidence", self._padded([table["confidence"] for table in tables], np.float64)),
                pb_utils.Tensor("accept", self._padded([table["accept"] for table in tables], np.bool_)),
            ]
        )

    def _table(self, output: Any, size: Any) -> pd.DataFrame:
        width_px, height_px = (int(side) for side in size)
        found = decode(output, self.postprocess)
        placement = place(width_px, height_px, self.preprocess.size_px)
        boxes = to_photograph(found.boxes_xyxy, placement, (width_px, height_px))
        table = pd.DataFrame(boxes, columns=["x1", "y1", "x2", "y2"])
        table = table.assign(class_pred=[self.classes[index] for index in found.class_ids], score=found.scores)
        return decided(self.policy, calibrated(self.calibrator, table))

    def _padded(self, columns: list[Any], dtype: Any) -> Any:
        """Return (n, limit, …): photographs of one batch have one shape; rows from `count` on mean nothing."""
        blank = b"" if dtype is np.object_ else 0
        padded = np.full((len(columns), self.postprocess.limit, *np.shape(columns[0])[1:]), blank, dtype)
        for row, column in zip(padded, columns, strict=True):
            row[: len(column)] = column
        return padded


def _encoded(table: pd.DataFrame) -> list[bytes]:
    return [name.encode() for name in table["class_pred"]]
