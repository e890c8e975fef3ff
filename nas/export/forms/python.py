"""One readable Python file that needs PyTorch alone."""

from __future__ import annotations

import io
import runpy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

import nas
from nas.export.forms.base import Form, Options, Subject, forms
from nas.export.source import python_source


class Python(Form):
    """`model.py` with a function `build`, and its weights as `weights.pt`, which PyTorch reads alone."""

    file = "model.py"
    weights = "weights.pt"

    def write(self, subject: Subject, options: Options) -> None:
        """In the form, training or merged, of the folder's weights."""
        task = subject.task
        about = (
            f"Network {subject.architecture.id}: images (N, {task.channels}, H, W), made for {task.resolution} x "
            f"{task.resolution}, to {task.classes} classes.\n\n"
            f"`build()` gives it with the weights of `weights.pt` beside this file. Written by nas {nas.__version__}."
        )
        (subject.folder / self.file).write_text(python_source(subject.network, about), encoding="utf-8")
        state = {name: tensor.contiguous() for name, tensor in subject.network.state_dict().items()}
        content = io.BytesIO()  # PyTorch's own writer of files ends the process where the disk is full
        torch.save(state, content)
        (subject.folder / self.weights).write_bytes(content.getbuffer())

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By what `build` of the file, which was written a moment ago, makes."""
        network = runpy.run_path(str(folder / self.file))["build"]()
        with torch.no_grad():
            return [network(images) for images in batches]


forms.register("python")(Python())
