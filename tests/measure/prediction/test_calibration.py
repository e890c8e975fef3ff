from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import nas
from nas.errors import UserError
from nas.layers.base import mixers
from nas.measure.prediction.calibration import LEAST, calibrate, conformal, quality
from nas.measure.prediction.design import spread
from nas.measure.prediction.features import NAMES, Description, describe, work_of
from nas.measure.prediction.predictors import MODELS, TRIVIAL, relative_nnls
from nas.task import Task

TASK = Task(resolution=32, classes=10)
N = 60


def described(count: int) -> list[Description]:
    within = nas.load_space("tiny").within("3..30MFLOPs")
    rows = spread(within, count, np.random.default_rng(0))
    return [describe(within.architecture(row), TASK) for row in rows]


@pytest.fixture(scope="module")
def networks() -> list[Description]:
    return described(N)


@pytest.fixture(scope="module")
def times(networks: list[Description]) -> NDArray[np.float64]:
    """A device whose depthwise convolutions and memory are slow, with 2 % of noise."""
    prices = np.array([1e-6 if "depthwise" in name else 1e-8 if "adds" in name else 2e-7 for name in NAMES])
    prices[-1] = 0.002
    return np.asarray(work_of(networks) @ prices * np.random.default_rng(1).lognormal(0, 0.02, N))


@pytest.mark.slow
def test_what_the_device_is_like_is_found_out(networks: list[Description], times: NDArray[np.float64]) -> None:
    found = calibrate(networks, times.tolist())
    assert found.quality.within_10 >= 0.95
    assert found.quality.spearman >= 0.98
    assert found.quality.mape < min(found.others[name].mape for name in TRIVIAL)
    assert set(found.family_mape) == set(MODELS)
    assert 0.8 <= found.coverage <= 1
    ms, low, high = found.predict(networks)
    assert (low < ms).all()
    assert (ms < high).all()
    assert ((low <= times) & (times <= high)).mean() >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TRIVIAL, *MODELS])
def test_every_predictor_learns_and_gives_times(
    networks: list[Description], times: NDArray[np.float64], name: str
) -> None:
    predictor = {**TRIVIAL, **MODELS}[name]()
    predictor.fit(networks, times)
    predicted = predictor.predict(networks)
    assert predicted.shape == (N,)
    assert (predicted > 0).all()
    assert quality(predicted, times).spearman > 0.5


@pytest.mark.slow
def test_an_unseen_mixer_kernel_or_width_is_flagged(networks: list[Description], times: NDArray[np.float64]) -> None:
    found = calibrate(networks, times.tolist())
    assert all(not found.unseen(one) for one in networks)
    for name in ("van_b0", "replknet_31b", "unireplknet_a", "conv2former_n"):
        assert found.unseen(describe(nas.load_architecture(name), TASK))
    wide = networks[0]._replace(widths={"linear": (8, 100_000)})
    assert found.unseen(wide)


@pytest.mark.slow
def test_a_mixer_left_out_of_the_calibration_is_flagged_in_every_network() -> None:
    within = nas.load_space("modern").within("4.2..4.5GFLOPs")
    drawn = [describe(within.architecture(row), TASK) for row in within.draw(100, np.random.default_rng(0))]
    held_out: list[str] = []
    for part in (f"part {mixer}" for mixer in mixers):
        with_it = [one for one in drawn if part in one.traits]
        without = [one for one in drawn if part not in one.traits]
        if with_it and len(without) >= LEAST:
            times = [float(work_of([one]).sum()) for one in without]
            found = calibrate(without, times, models={"flops": TRIVIAL["flops"]}, trivial={})
            assert all(part in found.unseen(one) for one in with_it), part
            held_out.append(part)
    assert len(held_out) >= 4, held_out


def test_few_networks_are_refused() -> None:
    with pytest.raises(UserError, match="too few to predict from"):
        calibrate(described(10), [1.0] * 10)


def test_conformal_intervals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    held = [abs(rng.standard_normal()) <= conformal(np.abs(rng.standard_normal(99))) for _ in range(2000)]
    assert 0.88 <= np.mean(held) <= 0.92


def test_prices_are_never_negative_and_exact_without_noise() -> None:
    rng = np.random.default_rng(0)
    table = rng.uniform(0, 1, (200, 5))
    true = np.array([1.0, 0.0, 3.0, 0.5, 0.0])
    found = relative_nnls(table, table @ true)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, true, atol=0.05)


def test_a_design_meets_every_option() -> None:
    within = nas.load_space("tiny").within("30MFLOPs")
    rows = spread(within, 40, np.random.default_rng(0))
    assert len({row.tobytes() for row in rows}) == 40
    anywhere = within.random(2000, np.random.default_rng(1))
    for column in range(rows.shape[1]):
        assert set(rows[:, column]) == set(anywhere[:, column])


def test_quality_of_flat_predictions_has_no_rank_correlation() -> None:
    found = quality(np.ones(5), np.arange(1.0, 6.0))
    assert math.isnan(found.spearman)
    assert found.within_5 == 0.2
