"""What runs a network tells nobody: it opens no connection and leaves no number of the machine behind."""

import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
CODE = """
import socket
def refused(*arguments, **options): raise AssertionError("a connection")
socket.socket.connect = refused
from vouch.vision import runtime
import onnxruntime
assert runtime.onnxruntime is onnxruntime
"""


def test_onnx_runtime_reports_to_nobody(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(SOURCE)}
    subprocess.run([sys.executable, "-c", CODE], env=environment, cwd=tmp_path, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # its number and its queue of events
