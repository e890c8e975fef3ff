"""Parameters and multiply-adds of the newer families, to the last one, against counts of the real implementations.

`exact_counts.json`: rows of resolution, form, parameters and multiply-adds of convolutions and linear layers, counted
by module hooks on the official code or timm 1.0.31 (torch 2.13, batch size 1, 1000 classes), not by this program; some
RegNetX are the figures of their authors (pycls, less the bias of the classifier, which they count).
"""

import json
from pathlib import Path

import pytest

from nas.architecture import estimate
from nas.space import load_architecture
from nas.task import Task

EXACT = json.loads((Path(__file__).parent / "exact_counts.json").read_text())


@pytest.mark.parametrize("preset", EXACT)
def test_every_count_is_that_of_the_real_implementation(preset: str) -> None:
    architecture = load_architecture(preset)
    for resolution, form, params, flops in EXACT[preset]:
        cost = estimate(architecture, Task(resolution=resolution))
        found = (cost.params, cost.flops) if form == "merged" else (cost.train_params, cost.train_flops)
        assert found == (params, flops), (resolution, form)
