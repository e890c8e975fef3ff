"""A folder that `timm.create_model('local-dir:FOLDER')` opens, by a class of timm's own or after `import nas`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from nas.architecture import Architecture
from nas.export.bundle import about_of
from nas.export.forms.base import Form, Options, Subject, forms
from nas.export.timm_class import timm_class
from nas.export.timm_config import network_of, timm_config
from nas.train.weights import save_tensors

_WEIGHTS = "model.safetensors"  # as timm and the hub name them


class Timm(Form):
    """The folder's network as timm and the Hugging Face hub lay it out."""

    file = "timm/config.json"
    weights = f"timm/{_WEIGHTS}"

    @property
    def note(self) -> str:
        """Whether timm itself could be asked."""
        problem = _timm_problem()
        if problem is None:
            return ""
        return f"timm cannot be imported here ({problem}): compared by what timm would call, not by timm itself"

    def write(self, subject: Subject, options: Options) -> None:
        """The document and the weights, under timm's names where the network is a class of timm's."""
        target = subject.folder / self.file
        target.parent.mkdir()
        document = timm_config(subject.architecture, subject.network, about_of(subject.folder))
        target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        found, state = timm_class(subject.architecture), subject.network.state_dict()
        save_tensors(state if found is None else found.state(state), target.parent / _WEIGHTS)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By what timm makes of the folder or, where timm cannot be imported, by what it would call."""
        network = _opened(folder / Path(self.file).parent).eval()
        with torch.no_grad():
            return [network(images) for images in batches]


@cache
def _timm_problem() -> str | None:
    """Why timm cannot be imported; None where it can."""
    try:
        importlib.import_module("timm")
    except ImportError as error:  # not installed, or without the torchvision that it imports
        return str(error)
    return None


def _opened(place: Path) -> nn.Module:
    if _timm_problem() is not None:
        return _opened_alone(place)
    timm: Any = importlib.import_module("timm")
    made: nn.Module = timm.create_model(f"local-dir:{place}", pretrained=True)
    return made


def _opened_alone(place: Path) -> nn.Module:
    """The network of the document, with the weights that lie beside it under whatever names."""
    document = json.loads((place / "config.json").read_text(encoding="utf-8"))
    ours, given = document["nas"], document["model_args"]
    network = network_of(ours["structure"], given["num_classes"], given["in_chans"], merged=ours["merged"])
    tensors, found = load_file(place / _WEIGHTS), timm_class(Architecture.from_dict(ours["structure"]))
    mine = network.state_dict()
    names = {name: name if found is None else found.layout.official(name) for name in mine}
    network.load_state_dict({name: tensors[names[name]].reshape(tensor.shape) for name, tensor in mine.items()})
    return network


forms.register("timm")(Timm())
