"""A folder that `timm.create_model('local-dir:FOLDER', pretrained=True)` opens after `import nas`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from nas.export.bundle import about_of
from nas.export.forms.base import Form, Options, Subject, forms
from nas.export.timm_config import network_of, timm_config
from nas.train.weights import load_weights, save_weights

_WEIGHTS = "model.safetensors"  # as timm and the hub name them


class Timm(Form):
    """The folder's network as timm and the Hugging Face hub lay it out."""

    file = "timm/config.json"

    def write(self, subject: Subject, options: Options) -> None:
        """The document and the weights."""
        target = subject.folder / self.file
        target.parent.mkdir()
        document = timm_config(subject.architecture, subject.network, about_of(subject.folder))
        target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        save_weights(subject.network, target.parent / _WEIGHTS)

    def outputs(self, folder: Path, images: Tensor) -> Tensor:
        """By what timm makes of the folder or, where timm cannot be imported, by what it would call."""
        place = folder / Path(self.file).parent
        with torch.no_grad():
            found: Tensor = _opened(place).eval()(images)
        return found


def _opened(place: Path) -> nn.Module:
    try:
        timm = importlib.import_module("timm")
    except ImportError:  # not installed, or without the torchvision that it imports
        arguments = json.loads((place / "config.json").read_text(encoding="utf-8"))["model_args"]
        network = network_of(
            arguments["structure"], arguments["num_classes"], arguments["in_chans"], merged=arguments["merged"]
        )
        load_weights(network, place / _WEIGHTS)
        return network
    made: nn.Module = timm.create_model(f"local-dir:{place}", pretrained=True)
    return made


forms.register("timm")(Timm())
