from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

from nas.train.weights import load_weights, save_weights

Make = Callable[[], nn.Module]


def test_weights_read_back(tiny_net: Make, tmp_path: Path) -> None:
    model, other = tiny_net().to(memory_format=torch.channels_last), tiny_net()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    save_weights(model, tmp_path / "new" / "folder" / "a.safetensors", about={"architecture": "abc"})
    load_weights(other, tmp_path / "new" / "folder" / "a.safetensors")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])
    with safe_open(tmp_path / "new" / "folder" / "a.safetensors", "pt") as file:
        assert file.metadata() == {"architecture": "abc"}
