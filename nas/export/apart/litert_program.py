"""LiteRT's converter and its runtime, for `program.py`.

The converter brings JAX along and tells the terminal every step of its work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write(program: str, file: str) -> None:
    """An `ExportedProgram` for the runtime."""
    import litert_torch
    import torch

    loaded = torch.export.load(program)
    litert_torch.convert(loaded.module(), loaded.example_inputs[0]).export(file)


def run(file: str, images: str, outputs: str) -> None:
    """What the runtime computes from every array of a file, as many images at a time as the network takes."""
    import numpy
    from ai_edge_litert.interpreter import Interpreter
    from safetensors.numpy import load_file, save_file

    interpreter = Interpreter(file)
    interpreter.allocate_tensors()
    (given,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    count = int(given["shape"][0])

    def computed(part: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
        interpreter.set_tensor(given["index"], part)
        interpreter.invoke()
        found: NDArray[numpy.float32] = interpreter.get_tensor(gives["index"])
        return found

    found = {
        name: numpy.concatenate([computed(part) for part in numpy.split(batch, len(batch) // count)])
        for name, batch in load_file(images).items()
    }
    save_file(found, outputs)
