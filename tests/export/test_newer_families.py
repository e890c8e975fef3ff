"""Checkpoints of the newer families against the outputs of timm's or the official code.

`newer_outputs.json` holds, for a network of each family and layout, the names and shapes of its state dict and what the
real implementation (torch 2.13, CPU) puts out on reproducible weights. `gain` stretches the weights of layers where the
outputs would hardly depend on them otherwise, or explode.
"""

import json
from functools import cache
from pathlib import Path

import pytest
import torch
from reproducible import images, weight

from nas.export.official import from_official

RECORDED = json.loads((Path(__file__).parent / "newer_outputs.json").read_text())


@cache
def checkpoint(model: str) -> dict[str, torch.Tensor]:
    recorded = RECORDED[model]
    return {key: weight(key, shape, recorded["gain"]) for key, shape in recorded["state_dict"].items()}


def distance(network: torch.nn.Module, model: str) -> float:
    """Of the first logits, as a share of the largest one."""
    recorded = RECORDED[model]
    with torch.no_grad():
        found = network(images(*recorded["input"]))[:, :8]
    return ((found - torch.tensor(recorded["logits_first8"])).abs().max() / recorded["max_abs"]).item()


@pytest.mark.parametrize("model", RECORDED)
def test_a_checkpoint_gives_the_outputs_of_the_real_implementation(model: str) -> None:
    assert distance(from_official(RECORDED[model]["preset"], checkpoint(model)), model) <= 3e-5
