from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest


def seconds(*command: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - begun


@pytest.mark.benchmark
def test_help_answers_in_a_quarter_of_the_time_torch_takes_to_import() -> None:
    seconds("-m", "nas", "--help"), seconds("-c", "import torch")
    pairs = [(seconds("-m", "nas", "--help"), seconds("-c", "import torch")) for _ in range(5)]
    ratio = statistics.median(help_time / torch_time for help_time, torch_time in pairs)
    print(f"\nnas --help / import torch: {ratio:.3f}")
    assert ratio < 0.25
