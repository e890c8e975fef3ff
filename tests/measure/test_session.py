from __future__ import annotations

from pathlib import Path

import pytest
import torch

import nas
from nas.architecture import Architecture, Stage
from nas.measure.profile import load_profile
from nas.measure.runtimes import runtimes
from nas.measure.session import measure
from nas.task import Task
from tests.measure.conftest import write_profile

TASK = Task(resolution=32, classes=10)
SMALL = Architecture(stages=(Stage(depth=1, width=8),))
LARGE = Architecture(stages=(Stage(depth=8, width=128),))
CPU = "device: cpu\nthreads: 1\nclock: process"


@pytest.mark.parametrize(
    "runtime", ["torch", *(pytest.param(one, marks=pytest.mark.slow) for one in ("onnxruntime", "openvino"))]
)
def test_networks_side_by_side_are_told_apart(tmp_path: Path, runtime: str) -> None:
    named = load_profile(write_profile(tmp_path, runtime, CPU))
    if (missing := runtimes[runtime].missing(named.profile)) is not None:
        pytest.skip(missing)
    threads = torch.get_num_threads()
    small, large = measure([SMALL, LARGE], named, TASK)
    assert (small.architecture_id, large.architecture_id) == (SMALL.id, LARGE.id)
    for one in (small, large):
        assert one.ms is not None
        assert one.low is not None
        assert one.high is not None
        assert one.p90 is not None
        assert 0 < one.low <= one.ms <= one.high
        assert one.p90 >= one.ms
        assert one.runs == 6
        assert one.key.profile == named.id
        assert one.key.runtime.startswith(runtime)
        assert one.protocol == named.profile.canonical()
        assert type(one).from_dict(one.to_dict()) == one
    assert (large.ms or 0) > 2 * (small.ms or 0)
    assert torch.get_num_threads() == threads


def test_few_rounds_and_a_narrow_limit_flag_a_record(tmp_path: Path) -> None:
    file = Path(write_profile(tmp_path, "torch", CPU))
    file.write_text(file.read_text().replace("rounds: 6, at_most: 6", "rounds: 2, at_most: 2").replace(
        "max_spread: 10", "max_spread: 0.000001"))  # fmt: skip
    (one,) = measure([SMALL], load_profile(str(file)), TASK)
    assert not one.is_stable
    assert any("an interval needs 6" in why for why in one.unstable)
    assert any("spread" in why for why in one.unstable)


@pytest.mark.slow
def test_a_network_that_the_runtime_refuses_is_a_failure_and_the_others_are_measured(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    named = load_profile(write_profile(tmp_path, "onnxruntime", CPU))
    deep = nas.load_architecture("convnext_tiny")  # strides reduce 16 x 16 to nothing
    refused, small = measure([deep, SMALL], named, Task(resolution=16, classes=10))
    assert small.ms is not None
    assert refused.ms is None
    assert refused.failure
