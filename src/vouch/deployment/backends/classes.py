"""Triton's Python backend: a classifier's logits become calibrated probabilities and the policy's decision.

Copied as model.py, with labels.json, calibrator.json, policy.json and the modules of Vouch that it imports beside it:
the code that the policy was certified with, which needs NumPy and pandas.
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
from vouch.tables import PROBABILITY
from vouch.vision.rows import classification_rows


class TritonPythonModel:
    """What the server calls; it gives one instance one request list at a time."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the classes, the calibrator and the one policy, and refuse what cannot be applied."""
        self.classes, self.calibrator, self.policy = (
            json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("labels", "calibrator", "policy")
        )
        self.classes = tuple(self.classes["classes"])
        validate_calibrator(self.calibrator)
        validate_policy(self.policy)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request; logits that are no numbers refuse their own request alone."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        values = pb_utils.get_input_tensor_by_name(request, "output0").as_numpy().astype(np.float64)
        encoded = pb_utils.get_input_tensor_by_name(request, "name").as_numpy().reshape(-1)
        names = [name.decode() for name in encoded]
        samples = pd.DataFrame({"sample_id": names, "group": names, "label": None})
        try:
            rows = classification_rows(samples, [*values], self.classes).drop(columns=["class_true", "correct"])
            rows = decided(self.policy, calibrated(self.calibrator, rows))
        except VouchError as error:
            return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(str(error)))
        probabilities = rows[[PROBABILITY + name for name in self.classes]]
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor("class_pred", _texts(rows["class_pred"])),
                pb_utils.Tensor("confidence", rows[["confidence"]].to_numpy(np.float64)),
                pb_utils.Tensor("accept", rows[["accept"]].to_numpy(np.bool_)),
                pb_utils.Tensor("prediction_set", _texts(rows["prediction_set"])),
                pb_utils.Tensor("probability", probabilities.to_numpy(np.float64)),
            ]
        )


def _texts(column: Any) -> Any:
    return np.array([[text.encode()] for text in column], np.object_)
