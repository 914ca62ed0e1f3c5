"""An ONNX file without dates, paths or producer noise: the same network always the same bytes."""

import json
from collections.abc import Mapping

import onnx


def cleaned(model: onnx.ModelProto, metadata: Mapping[str, object]) -> bytes:
    """Return a model as bytes, with no other metadata than these; values become JSON text unless they are text."""
    model.producer_name, model.producer_version, model.doc_string = "vouch", "", ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.metadata_props[:]
    for key in sorted(metadata):
        value = metadata[key]
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        model.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
