"""Triton's Python backend: encoded photographs become the network's input, as `vouch predict` makes it.

Copied as model.py, with preprocess.json and the modules of Vouch that it imports beside it; it needs NumPy, OpenCV and
Pillow.
"""

import json
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # its own copy of Vouch, before one of another version that the server may have

import numpy as np
import triton_python_backend_utils as pb_utils

from vouch.errors import DataError, Problem
from vouch.vision.images.source import Encoded, read_image
from vouch.vision.preprocess import from_json, letterbox, to_input


class TritonPythonModel:
    """What the server calls; it gives one instance one request list at a time."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read how pixels become input, and refuse a form that this code does not perform."""
        content = json.loads((HERE / "preprocess.json").read_text(encoding="utf-8"))
        self.preprocess = from_json(content, "preprocess.json")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request; a photograph that does not decode refuses its own request alone."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        encoded = pb_utils.get_input_tensor_by_name(request, "photograph").as_numpy().reshape(-1)
        canvases, sizes, names = [], [], []
        problems: list[Problem] = []
        for place, content in enumerate(encoded):
            try:
                image = read_image(Encoded(f"photograph {place}", content))
            except DataError as error:
                problems += error.problems
                continue
            canvases.append(letterbox(image, self.preprocess.size_px)[0])
            sizes.append((image.shape[1], image.shape[0]))
            names.append([blake2b(content, digest_size=16).hexdigest().encode()])
        if problems:
            refusal = pb_utils.TritonError(str(DataError(problems)))
            return pb_utils.InferenceResponse(output_tensors=[], error=refusal)
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor("canvas", to_input(np.stack(canvases))),
                pb_utils.Tensor("size", np.array(sizes, np.int32)),
                pb_utils.Tensor("name", np.array(names, np.object_)),
            ]
        )
