"""The closed form against tracing the network: the same number, thousands of times sooner."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn

from nas.architecture import build, estimate
from nas.space import load_architecture
from nas.task import Task


def seconds(call: Callable[[], object], *, repeats: int) -> float:
    """The shortest of several calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def traced_flops(network: nn.Module, image: torch.Tensor) -> int:
    """Multiply-adds of convolutions and linear layers, the way networks are usually counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fvcore uses torch.jit, which torch has deprecated
        from fvcore.nn import FlopCountAnalysis

        counted = FlopCountAnalysis(network, image).unsupported_ops_warnings(False).by_operator()
    return int(counted["conv"] + counted["linear"])


@pytest.mark.benchmark
def test_closed_form_is_a_thousand_times_faster_than_tracing(capsys: pytest.CaptureFixture[str]) -> None:
    architecture, task = load_architecture("convnext_tiny"), Task()
    network, image = build(architecture).eval(), torch.zeros(1, 3, 224, 224)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    assert estimate(architecture, task).flops == traced_flops(network, image) == 4_455_531_264
    closed = seconds(lambda: estimate(architecture, task), repeats=200)
    tracing = seconds(lambda: traced_flops(network, image), repeats=3)  # of a network that is there already
    with capsys.disabled():
        print(f"\nConvNeXt-T: closed form {closed * 1e6:.0f} us, traced {tracing:.2f} s, {tracing / closed:,.0f} times")
    assert tracing > 1000 * closed
