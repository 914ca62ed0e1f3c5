"""Vouch trains vision models that you can vouch for."""

import os

# before its import, or ONNX Runtime 1.31 numbers the machine in ~/.cache and reports its sessions to its maker
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# before its import: what OpenCV cannot decode is named by `vision.images.decoding`, once
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
