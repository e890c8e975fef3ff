from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nas.architecture import Architecture, Stage
from nas.data import DataSet, load_data
from nas.train import Recipe
from nas.train.augment import Mixed
from nas.train.batches import TrainingBatches
from nas.train.failures import Diverged
from nas.train.loop import TrainResult, train
from nas.train.model import make_model
from nas.train.plan import plan_training
from nas.train.subset import used_images
from nas.train.validation import validate

Make = Callable[[], nn.Module]
QUICK = Recipe(resolution=8, epochs=2, batch=64, data_share=0.3, learning_rate=4e-3)


@pytest.mark.slow
def test_training_learns(tiny_net: Make, digits: DataSet) -> None:
    recipe = Recipe(resolution=8, epochs=2, batch=32, learning_rate=1e-2)
    model = tiny_net()
    before = validate(model, digits, recipe)
    result = train(model, digits, recipe, seed=0)
    after = validate(model, digits, recipe)
    assert before.accuracy < 0.3
    assert after.accuracy > 0.8
    assert after.loss < before.loss
    assert result.curve[-1] < result.curve[0]


def test_result_counts_what_was_done(tiny_net: Make, digits: DataSet) -> None:
    shares: list[float] = []
    result = train(tiny_net(), digits, QUICK, seed=0, report=shares.append)
    per_epoch = round(0.3 * 1079) // 64
    assert result.steps == 2 * per_epoch == len(shares)
    assert result.images == 2 * per_epoch * 64
    assert len(result.curve) == 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert result.train_seconds > 0


def test_same_seed_gives_the_same_bits(tiny_net: Make, digits: DataSet) -> None:
    one, two = tiny_net(), tiny_net()
    first, second = train(one, digits, QUICK, seed=3), train(two, digits, QUICK, seed=3)
    assert first.curve == second.curve
    for mine, theirs in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_another_seed_gives_another_curve(tiny_net: Make, digits: DataSet) -> None:
    curves = {train(tiny_net(), digits, QUICK, seed=seed).curve for seed in range(3)}
    assert len(curves) == 3


CURVE_IN_A_NEW_PROCESS = """
import sys
from pathlib import Path
import torch
from nas.architecture import Architecture, Stage
from nas.data import load_data
from nas.train import Recipe
from nas.train.loop import train
from nas.train.model import make_model

cache, expected, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
recipe = Recipe(resolution=32, epochs=1, batch=8, data_share=0.05, drop_path=0.3)
data = load_data("digits", resolution=32, cache=Path(cache), expected=expected)
model = make_model(Architecture(stages=(Stage(depth=2, width=8),)), data.task, recipe, seed=5)
print([loss.hex() for loss in train(model, data, recipe, seed=5).curve])
"""


@pytest.mark.slow
def test_same_seed_gives_the_same_curve_in_another_process(tmp_path: Path) -> None:
    recipe = Recipe(resolution=32, epochs=1, batch=8, data_share=0.05, drop_path=0.3)
    data = load_data("digits", resolution=32, cache=tmp_path)
    model = make_model(Architecture(stages=(Stage(depth=2, width=8),)), data.task, recipe, seed=5)
    here = [loss.hex() for loss in train(model, data, recipe, seed=5).curve]

    arguments = [str(tmp_path), data.fingerprint, str(torch.get_num_threads())]
    command = [sys.executable, "-c", CURVE_IN_A_NEW_PROCESS, *arguments]
    there = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert there == f"{here}\n"


def test_training_leaves_the_default_generator_alone(tiny_net: Make, digits: DataSet) -> None:
    model = tiny_net()
    before = torch.get_rng_state()
    train(model, digits, QUICK, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_default_generator_does_not_influence_training(tiny_net: Make, digits: DataSet) -> None:
    curves = set()
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            curves.add(train(tiny_net(), digits, QUICK, seed=0).curve)
    assert len(curves) == 1


class GoesWrong(nn.Module):
    """Answers NaN from one forward pass on."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.step = step
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.head(x.flatten(1)) * (float("nan") if self.calls > self.step else 1.0)


@pytest.mark.parametrize("step", [0, 3])
def test_divergence_names_its_step(digits: DataSet, step: int) -> None:
    with pytest.raises(Diverged, match=f"nan at step {step}") as caught:
        train(GoesWrong(step), digits, QUICK, seed=0)
    assert caught.value.step == step


def test_what_the_last_step_did_is_looked_at(tiny_net: Make, digits: DataSet) -> None:
    """One step alone: its loss is of before, and the weights are infinite."""
    recipe = Recipe(resolution=8, epochs=1, batch=64, data_share=0.1, learning_rate=1e200, warmup=0)
    with pytest.raises(Diverged, match="a weight was no number any more after step 0") as caught:
        train(tiny_net(), digits, recipe, seed=0)
    assert caught.value.step == 0


def test_an_absurd_learning_rate_diverges(tiny_net: Make, digits: DataSet) -> None:
    recipe = Recipe(resolution=8, learning_rate=1e30, gradient_clip=None)
    with pytest.raises(Diverged):
        train(tiny_net(), digits, recipe, seed=0)


FIELDS: list[dict[str, object]] = [
    {"drop_path": None},
    {"ema_decay": 0.9},
    {"gradient_clip": 0.01},
    {"crop_padding": 0.0},
    {"label_smoothing": 0.0},
    {"weight_decay": 10.0},
    {"warmup": 0.5},
    {"betas": [0.5, 0.9]},
    {"precision": "bf16"},
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"learning_rate_batch": 32},
    {"learning_rate_floor": 0.5},
    {"layer_decay": 0.5},
    {"anneal": "rung", "rungs": [1]},
    {"rungs": [{"epochs": 1, "data_share": 0.1}]},
    {"resized_crop": {"scale": [0.5, 1.0]}},
    {"rand_augment": {"magnitude": 3}},
    {"random_erasing": 0.5},
    {"mixup": 0.8},
    {"cutmix": 1.0},
    {"mixup": 0.8, "cutmix": 1.0, "mix_probability": 0.5},
]


@pytest.mark.parametrize(
    "change",
    [pytest.param(one, marks=[pytest.mark.slow] * bool(place % 4)) for place, one in enumerate(FIELDS)],
    ids=str,
)
def test_every_field_trains(tiny_net: Make, digits: DataSet, change: dict[str, object]) -> None:
    recipe = Recipe.from_dict({**QUICK.to_dict(), **change})
    plain, changed = tiny_net(), tiny_net()
    train(plain, digits, QUICK, seed=0)
    result = train(changed, digits, recipe, seed=0)
    assert result.curve[-1] < result.curve[0]
    is_same = torch.equal(plain.get_parameter("head.weight"), changed.get_parameter("head.weight"))
    assert is_same == (change == {"drop_path": None})  # drop path is a matter of building


def test_average_is_what_is_left_in_the_model(tiny_net: Make, digits: DataSet) -> None:
    live, averaged = tiny_net(), tiny_net()
    train(live, digits, QUICK, seed=0)
    recipe = QUICK.model_copy(update={"ema_decay": 0.99})
    train(averaged, digits, recipe, seed=0)
    assert not torch.equal(live.get_buffer("norm.running_mean"), averaged.get_buffer("norm.running_mean"))


def test_a_batch_larger_than_the_data_is_the_data(tiny_net: Make, digits: DataSet) -> None:
    recipe = Recipe(resolution=8, epochs=3, batch=5000, data_share=0.05)
    result = train(tiny_net(), digits, recipe, seed=0)
    assert result.steps == 3
    assert result.images == 3 * len(used_images(digits, 0.05))


def test_used_images_are_a_share_of_every_class(digits: DataSet) -> None:
    used = used_images(digits, 0.1)
    counts = torch.bincount(torch.from_numpy(digits.train.labels[used]))
    assert counts.min() >= 10
    assert counts.max() <= 12
    assert used_images(digits, 0.1).tolist() == used.tolist()
    assert len(used_images(digits, 1.0)) == len(digits.train)


def batches_of(data: DataSet, recipe: Recipe) -> Iterator[Mixed]:
    plan = plan_training(recipe, data)
    return TrainingBatches(data, plan, seed=0, device=torch.device("cpu")).between(0, plan.steps)


def test_an_epoch_sees_every_image_once(digits: DataSet) -> None:
    recipe = Recipe(resolution=8, epochs=1, batch=13, crop_padding=0.0)  # 1079 = 83 * 13
    seen = torch.cat([batch.images for batch in batches_of(digits, recipe)])
    assert len(seen) == 1079
    assert len(seen.flatten(1).unique(dim=0)) == len(torch.from_numpy(digits.train.images).flatten(1).unique(dim=0))
    assert seen.mean().abs() < 1e-4
    assert (seen.std() - 1).abs() < 1e-3


def test_digits_are_never_mirrored(digits: DataSet) -> None:
    mirrored, plain = (
        torch.cat([batch.images for batch in batches_of(digits, recipe)])
        for recipe in (QUICK, QUICK.model_copy(update={"flip": False}))
    )
    assert torch.equal(mirrored, plain)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_learns_on_an_accelerator(tiny_net: Make, digits: DataSet, precision: str) -> None:
    recipe = Recipe.from_dict(
        {"resolution": 8, "epochs": 2, "batch": 32, "learning_rate": 1e-2, "precision": precision, "ema_decay": 0.9}
    )
    model = tiny_net()
    result: TrainResult = train(model, digits, recipe, seed=0, device="cuda")
    assert validate(model, digits, recipe, device="cuda").accuracy > 0.8
    assert len(result.curve) == 2


@pytest.mark.gpu
def test_an_accelerator_reports_the_step_of_a_divergence(digits: DataSet) -> None:
    with pytest.raises(Diverged, match="nan at step 3"):
        train(GoesWrong(3), digits, QUICK, seed=0, device="cuda")


@pytest.mark.gpu
def test_the_accelerators_default_generator_is_left_alone(tiny_net: Make, digits: DataSet) -> None:
    before = torch.cuda.get_rng_state()
    train(tiny_net(), digits, QUICK, seed=0, device="cuda")
    assert torch.equal(torch.cuda.get_rng_state(), before)
