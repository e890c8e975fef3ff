"""Our measurements beside independent ones of the same networks: `python studies/latency/agreement.py [NETWORK...]`.

torch: `torch.utils.benchmark.Timer`. onnxruntime: a plain loop over `InferenceSession.run`. Both by the CPU time of the
process, as our profiles, so that a busy machine disturbs them alike; network by network, ours and theirs in turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy
import onnxruntime
import torch
from torch import nn
from torch.utils.benchmark import Timer

import nas
from nas.architecture import Architecture
from nas.measure.profile import load_profile
from nas.measure.session import measure
from nas.task import Task

NETWORKS = [
    "van_b0", "unireplknet_a", "resnet50", "convnext_isotropic_small", "convnext_tiny", "resnext50_32x4d",
    "conv2former_t", "van_b2",
]  # fmt: skip
TASK = Task()
SECONDS = 4.0  # of Timer
RUNS = 40  # of the loop, after some that are dropped
PROFILE = Path(__file__).parent / "zoo.yaml"


def main() -> None:
    """Print a table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK")
    names = parser.parse_args().networks
    torch.set_num_threads(1)
    say("| runtime | network | ours, ms | 95 % interval | theirs, ms | ratio |")
    say("|---|---|--:|--:|--:|--:|")
    for runtime, theirs in (("torch", by_timer), ("onnxruntime", by_loop)):
        ratios = [row(runtime, name, theirs) for name in names]
        say(f"| {runtime} | median ratio | | | | {statistics.median(ratios):.3f} |")


def row(runtime: str, name: str, theirs: Callable[[nn.Module], float]) -> float:
    """Print a network's row; ours over theirs."""
    architecture = nas.load_architecture(name)
    ours, low, high = by_us(runtime, architecture)
    other = theirs(nas.fuse(nas.build(architecture).eval()).requires_grad_(False))
    say(f"| {runtime} | {name} | {ours:.1f} | {low:.1f} to {high:.1f} | {other:.1f} | {ours / other:.3f} |")
    return ours / other


def by_us(runtime: str, architecture: Architecture) -> tuple[float, float, float]:
    """Median and its interval by a profile with the runs of `zoo.yaml`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{runtime}.yaml"
        layout = "\nmemory_format: channels_last" if runtime == "torch" else ""
        file.write_text(PROFILE.read_text().replace("runtime: onnxruntime", f"runtime: {runtime}{layout}"))
        (record,) = measure([architecture], load_profile(str(file)), TASK)
    if record.ms is None or record.low is None or record.high is None:
        raise SystemExit(record.failure)
    return record.ms, record.low, record.high


def by_timer(network: nn.Module) -> float:
    """Median milliseconds by torch's own timer."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stubs leave this form out
    images = torch.randn(1, 3, TASK.resolution, TASK.resolution).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        timer = Timer("network(images)", timer=time.process_time, globals={"network": network, "images": images})
        return timer.blocked_autorange(min_run_time=SECONDS).median * 1e3


def by_loop(network: nn.Module) -> float:
    """Median milliseconds of a loop over a session that is made as ONNX Runtime's documentation does it."""
    images = torch.randn(1, 3, TASK.resolution, TASK.resolution)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/model.onnx"
        warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter that traces
        torch.onnx.export(network, (images,), file, dynamo=False, opset_version=17, input_names=["images"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {"images": numpy.asarray(images)}
    times = []
    for _ in range(RUNS + RUNS // 4):
        begun = time.process_time()
        session.run(None, feed)
        times.append((time.process_time() - begun) * 1e3)
    return statistics.median(times[RUNS // 4 :])


def say(line: str) -> None:
    """A line on stdout, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
