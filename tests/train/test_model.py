from __future__ import annotations

import torch

from nas.architecture import Architecture, Stage
from nas.layers import DropPath, LayerScale
from nas.layers.mixer_first import MixerFirst
from nas.task import Task
from nas.train import Recipe
from nas.train.model import make_model

ARCHITECTURE = Architecture(stages=(Stage(depth=3, width=8),), drop_path=0.4)
TASK = Task(resolution=32, classes=10, channels=1)


def rates(recipe: Recipe) -> list[float]:
    model = make_model(ARCHITECTURE, TASK, recipe, seed=0)
    return [module.rate for module in model.modules() if isinstance(module, DropPath)]


def test_model_fits_the_task() -> None:
    model = make_model(ARCHITECTURE, TASK, Recipe(), seed=0)
    assert model(torch.zeros(2, 1, 32, 32)).shape == (2, 10)


def test_seed_decides_the_weights_and_nothing_else_does() -> None:
    state = torch.get_rng_state()
    one, same, other = (make_model(ARCHITECTURE, TASK, Recipe(), seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), state)


def test_recipe_overrides_drop_path() -> None:
    assert max(rates(Recipe(drop_path=0.1)), default=0.0) == 0.1
    assert max(rates(Recipe(drop_path=None)), default=0.0) == 0.4
    assert max(rates(Recipe(drop_path=0.0)), default=0.0) == 0.0


def test_recipe_overrides_layer_scale() -> None:
    block = MixerFirst(layer_scale=1e-6)
    architecture = Architecture(stages=(Stage(depth=3, width=8, blocks=(block,)),))

    def starts(recipe: Recipe) -> set[float]:
        model = make_model(architecture, TASK, recipe, seed=0)
        scales = [module for module in model.modules() if isinstance(module, LayerScale)]
        assert len(scales) == 3
        return {round(value, 9) for scale in scales for value in scale.gamma.tolist()}

    assert starts(Recipe(layer_scale_init=0.5)) == {0.5}
    assert starts(Recipe(layer_scale_init=None)) == {1e-6}
