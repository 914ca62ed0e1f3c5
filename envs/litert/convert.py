"""Convert a network to LiteRT (TFLite), in single precision and in eight bits, and run both. `make litert` calls it.

It runs in the environment of requirements.lock beside it, which has an older torch and nothing of Vouch; files are all
that passes between them.

    convert.py FOLDER    reads   network.pt2 (torch.export); calibration.npy, compared.npy: float32 (n, 3, size, size)
                         writes  float32.tflite, int8.tflite, float32.npy and int8.npy: what each says of compared.npy
"""

import sys
from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager
from ai_edge_quantizer.utils import qsv_utils

SIGNATURE = "serving_default"
# Only convolutions become eight bits: a scale for each output channel, ranges of activations measured beforehand. With
# every operator in eight bits a detector's boxes and scores would share one scale, and input and output would be int8.
OPERATORS = (qtyping.TFLOperationName.CONV_2D, qtyping.TFLOperationName.DEPTHWISE_CONV_2D)


def main(folder: Path) -> None:
    """Convert, quantise and run what is in the folder."""
    calibration = np.load(folder / "calibration.npy", mmap_mode="r", allow_pickle=False)
    compared = np.load(folder / "compared.npy", mmap_mode="r", allow_pickle=False)
    network = torch.export.load(folder / "network.pt2").module()
    litert_torch.convert(network, (torch.zeros(1, *compared.shape[1:]),)).export(str(folder / "float32.tflite"))
    (folder / "int8.tflite").write_bytes(quantized(folder / "float32.tflite", calibration))
    for name in ("float32", "int8"):
        np.save(folder / f"{name}.npy", answers(folder / f"{name}.tflite", compared), allow_pickle=False)


def quantized(model: Path, calibration: np.ndarray) -> bytes:
    """Return the model with its convolutions in eight bits."""
    (name,) = Interpreter(str(model)).get_signature_list()[SIGNATURE]["inputs"]
    made = quantizer.Quantizer(str(model))
    for operator in OPERATORS:
        made.add_static_config(regex=".*", operation_name=operator, activation_num_bits=8, weight_num_bits=8)
    measured = ranges(model, made, [{name: batch} for batch in one_by_one(calibration)])
    return bytes(made.quantize(measured).quantized_model)


def ranges(model: Path, made: quantizer.Quantizer, inputs: list[dict[str, np.ndarray]]) -> dict:
    """Return the whole range of each activation over the inputs, in whatever order they come.

    The quantizer's own `calibrate` takes a moving average (.95) of each input's extremes: what lies beyond is cut off,
    which turned embeddings of sku by up to 34 degrees, where whole ranges turn them by 4.
    """
    operators = recipe_manager.RecipeManager()
    operators.load_quantization_recipe(made.get_quantization_recipe())
    measuring = calibrator.Calibrator(str(model), num_threads=1, qsv_update_func=qsv_utils.min_max_update)
    measuring.calibrate({SIGNATURE: inputs}, operators)
    return measuring.get_model_qsvs()


def answers(model: Path, images: np.ndarray) -> np.ndarray:
    """Return the interpreter's output for each image, one by one, on one thread."""
    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(SIGNATURE)
    (name,) = runner.get_input_details()
    return np.concatenate([next(iter(runner(**{name: batch}).values())) for batch in one_by_one(images)])


def one_by_one(images: np.ndarray) -> list[np.ndarray]:
    """Return batches of one."""
    return [np.ascontiguousarray(images[place : place + 1]) for place in range(len(images))]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
