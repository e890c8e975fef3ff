"""A training that was interrupted anywhere ends as if it had not been, to the last bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nas.data import DataSet
from nas.records import EvaluationKey
from nas.train import Recipe
from nas.train.checkpoint import read_checkpoint, write_checkpoint
from nas.train.loop import Training
from nas.train.validation import validate

Make = Callable[[], nn.Module]
KEY = EvaluationKey(architecture_id="tiny", recipe="r", fingerprint="digits", seed=5)
EVERYTHING: dict[str, Any] = {
    "epochs": 5, "resolution": 8, "batch": 64, "data_share": 0.3, "learning_rate": 4e-3, "ema_decay": 0.9,
    "rungs": [{"epochs": 1, "data_share": 0.2}, {"epochs": 3, "resolution": 8}],
}  # fmt: skip
RECIPES = {
    "everything": EVERYTHING,
    "sgd": {**EVERYTHING, "optimizer": "sgd", "learning_rate": 0.05, "ema_decay": None},
    "augmented": {**EVERYTHING, "mixup": 0.8, "cutmix": 1.0, "rand_augment": {"magnitude": 3}, "random_erasing": 0.25},
    "restarts": {**EVERYTHING, "anneal": "rung"},
}


class Interrupted(Exception):
    pass


def run(
    model: nn.Module, data: DataSet, recipe: Recipe, stops: list[int], folder: Path
) -> tuple[list[Any], dict[str, Tensor]]:
    """Train rung by rung and judge each; before each of the steps in `stops` all is thrown away but a checkpoint."""
    judged: list[Any] = []
    stops = sorted(stops)
    path = str(folder / "training.ckpt")
    training = Training(model, data, recipe, seed=KEY.seed)

    def after_step() -> None:
        if stops and training.step == stops[0]:
            stops.pop(0)
            write_checkpoint(path, KEY, training.state_dict())
            raise Interrupted

    for fidelity in recipe.fidelities:
        while True:
            try:
                training.run(fidelity.rung, after_step=after_step)
                break
            except Interrupted:
                for parameter in model.parameters():
                    parameter.data.normal_()
                state = read_checkpoint(path, KEY)
                assert state is not None
                training = Training(model, data, recipe, seed=KEY.seed)
                training.load_state_dict(state)
        with training.averaged():
            judged.append(validate(model, data, recipe))
    return [*judged, training.curve], {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_resumed_is_uninterrupted(tiny_net: Make, digits: DataSet, tmp_path: Path, name: str) -> None:
    recipe = Recipe.from_dict(RECIPES[name])
    steps = Training(tiny_net(), digits, recipe, seed=5).plan.steps
    judged, weights = run(tiny_net(), digits, recipe, [], tmp_path)
    ends = [1, 3, 4, steps]  # of an epoch, of rungs
    points = [*ends, *random.Random(0).sample(range(1, steps), 6)]
    for stops in [[point] for point in points] + [points]:
        again, resumed = run(tiny_net(), digits, recipe, list(set(stops)), tmp_path)
        assert again == judged
        assert all(torch.equal(resumed[one], weights[one]) for one in weights)


def test_a_rung_is_judged_as_if_it_were_passed(tiny_net: Make, digits: DataSet) -> None:
    recipe = Recipe.from_dict(EVERYTHING)
    judging, passing = (Training(tiny_net(), digits, recipe, seed=5) for _ in range(2))
    judging.run(0)
    with judging.averaged():
        validate(judging.model, digits, recipe)
    judging.run()
    passing.run()
    assert judging.curve == passing.curve
    for mine, theirs in zip(judging.model.state_dict().values(), passing.model.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_micro_batches_sum_to_the_batch(digits: DataSet) -> None:
    """Exactly the same mean gradient, in another order of sums; no batch norm here, whose statistics would differ."""
    recipe = Recipe.from_dict({"epochs": 1, "resolution": 8, "batch": 60, "learning_rate": 1e-2, "optimizer": "sgd"})

    def make() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            return nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double()

    class Double(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = make()

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.net(x.double())
            return logits

    whole, parts = Double(), Double()
    Training(whole, digits, recipe, seed=0).run()
    Training(parts, digits, recipe, seed=0, micro_batch=7).run()
    for mine, theirs in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
