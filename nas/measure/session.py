"""A measurement: several networks side by side, in rounds, with the reference network among them."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from torch import nn

from nas.architecture import Architecture, Stage, build, fuse
from nas.layers.mixer_first import MixerFirst
from nas.measure.machine import load
from nas.measure.onnx_file import write_onnx
from nas.measure.profile import NamedProfile, Profile, Runs
from nas.measure.runtimes import RefusedError, Runtime, Timer, runtimes
from nas.measure.statistics import Summary, summarise
from nas.records import LatencyKey, LatencyRecord
from nas.task import Task

REFERENCE = Architecture(stages=(Stage(depth=4, width=96, blocks=(MixerFirst(),)),))
"""The same network in every measurement, by which a drifting machine is seen: four ConvNeXt blocks of 96 channels."""

REFERENCE_TASK = Task(resolution=64, classes=10)
"""Maps of 16 x 16: about a millisecond on one thread, long enough for every clock, short beside any network."""

_LEAST_RUNS = 6  # of rounds: fewer give no interval of 95 %
_WINDOW = 3  # runs on both sides of the comparison that ends a warm-up

Progress = Callable[[str], None]


def key_of(named: NamedProfile, task: Task) -> LatencyKey:
    """What a latency measured here and now may be compared with.

    Raises:
        RuntimeMissingError: the profile cannot be measured here.
    """
    runtime = runtimes[named.profile.runtime]
    runtime.require(named.profile)
    return LatencyKey(
        profile=named.id,
        resolution=task.resolution,
        channels=task.channels,
        classes=task.classes,
        device=runtime.device(named.profile),
        runtime=runtime.versions(named.profile),
    )


def measure(
    architectures: Sequence[Architecture],
    named: NamedProfile,
    task: Task,
    *,
    progress: Progress = lambda message: None,
) -> list[LatencyRecord]:
    """Measure architectures side by side, those that come out unstable a second time.

    Each is measured in its deployed form. A network that the runtime refuses gets a record with `failure`.

    Args:
        architectures: at least one; all are loaded at the same time.
        named: the profile.
        task: channels, resolution and classes.
        progress: told what is going on.

    Raises:
        RuntimeMissingError: the profile cannot be measured here.
        CommandError: the profile's command does not do what it should.
    """
    first = _session(architectures, named, task, progress)
    again = [architecture for architecture, one in zip(architectures, first, strict=True) if one.unstable]
    if not again:
        return first
    progress(f"{len(again)} unstable, measured again")
    second = {one.architecture_id: one for one in _session(again, named, task, progress)}
    return [_better(one, second.get(one.architecture_id, one)) for one in first]


def _better(first: LatencyRecord, second: LatencyRecord) -> LatencyRecord:
    """The stable one, else the one of less spread."""
    if second.is_stable or first.failure or second.failure:
        return second
    return min(first, second, key=lambda one: (len(one.unstable), one.spread or 0.0))


@dataclass(kw_only=True)
class _Runner:
    """A loaded network and what was measured of it."""

    timer: Timer
    is_steady: bool = True
    peak_memory: int | None = None
    rounds: list[list[float]] = field(default_factory=list)
    spent: float = 0.0  # seconds of the wall clock

    def summary(self) -> Summary:
        return summarise(self.rounds)

    def is_done(self, runs: Runs) -> bool:
        """By the stopping rule; a network too slow for its rounds ends by time."""
        if len(self.rounds) >= runs.at_most or (self.rounds and self.spent >= runs.seconds):
            return True
        return len(self.rounds) >= runs.rounds and self.summary().half_width <= runs.half_width

    def run_round(self, runs: int) -> None:
        """One run that is dropped, for the caches are another network's, and then those that count."""
        start = time.monotonic()
        if runs > 1:
            self.timer()
        self.rounds.append([self.timer() for _ in range(runs)])
        self.spent += time.monotonic() - start


def _session(
    architectures: Sequence[Architecture], named: NamedProfile, task: Task, progress: Progress
) -> list[LatencyRecord]:
    key, profile = key_of(named, task), named.profile
    busy = load()
    failures: dict[int, str] = {}
    runners: dict[int, _Runner] = {}
    with ExitStack() as stack, _quiet(profile):
        runtime = runtimes[profile.runtime]
        reference = _reference(runtime, profile, stack)
        for index, architecture in enumerate(architectures):
            progress(f"loading {index + 1} of {len(architectures)}")
            try:
                runners[index] = _load(runtime, profile, architecture, task, stack)
            except RefusedError as error:
                failures[index] = str(error)
        _rounds(list(runners.values()), reference, profile.runs, progress)
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    blank = LatencyRecord(
        architecture_id="", key=key, profile_name=named.name, protocol=profile.canonical(), measured=moment, load=busy
    )
    drift = None if reference is None else _drift(reference)
    return [
        replace(blank, architecture_id=architecture.id, failure=failures[index])
        if index in failures
        else _record(replace(blank, architecture_id=architecture.id), runners[index], reference, drift, profile)
        for index, architecture in enumerate(architectures)
    ]


def _reference(runtime: Runtime, profile: Profile, stack: ExitStack) -> _Runner | None:
    """None for a command: each of its calls may take a minute."""
    if profile.runtime == "command":
        return None
    return _load(runtime, profile, REFERENCE, REFERENCE_TASK, stack)


def _load(runtime: Runtime, profile: Profile, architecture: Architecture, task: Task, stack: ExitStack) -> _Runner:
    network: nn.Module | Path = _deployed(architecture, task)
    if runtime.reads_onnx and isinstance(network, nn.Module):
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nas-latency-"))
        network = write_onnx(network, task, profile.batch, Path(folder) / "model.onnx")
    meter = runtime.memory(profile)
    runner = _Runner(timer=runtime.load(profile, network, task))
    runner.is_steady = _warm_up(runner.timer, profile)
    runner.peak_memory = meter()
    return runner


def _deployed(architecture: Architecture, task: Task) -> nn.Module:
    return fuse(build(architecture, task.classes, task.channels).eval()).requires_grad_(False)


def _warm_up(timer: Timer, profile: Profile) -> bool:
    """Run until the last three runs are as fast as the three before; whether they became so."""
    rule = profile.warm_up
    times: list[float] = []
    while len(times) < rule.at_most:
        times.append(timer())
        if len(times) < max(rule.at_least, 2 * _WINDOW):
            continue
        before, now = median(times[-2 * _WINDOW : -_WINDOW]), median(times[-_WINDOW:])
        if abs(now - before) <= rule.tolerance * before:
            return True
    return rule.at_most == 0


def _rounds(runners: Sequence[_Runner], reference: _Runner | None, runs: Runs, progress: Progress) -> None:
    """Rounds until every network is done; the first one of a round is another every time."""
    open_ones = list(runners)
    number = 0
    while open_ones:
        number += 1
        progress(f"round {number}, {len(open_ones)} of {len(runners)} networks")
        if reference is not None:
            reference.run_round(runs.in_round)
        start = number % len(open_ones)
        for runner in open_ones[start:] + open_ones[:start]:
            runner.run_round(runs.in_round)
        open_ones = [runner for runner in open_ones if not runner.is_done(runs)]


def _drift(reference: _Runner) -> float:
    """Relative difference of the reference's medians between the first and the second half of the rounds."""
    middles = [median(one) for one in reference.rounds]
    half = len(middles) // 2
    if half == 0:
        return 0.0
    before, after = median(middles[:half]), median(middles[-half:])
    return abs(after - before) / median(middles)


def _record(
    blank: LatencyRecord, runner: _Runner, reference: _Runner | None, drift: float | None, profile: Profile
) -> LatencyRecord:
    summary = runner.summary()
    return replace(
        blank,
        ms=summary.median,
        low=summary.low,
        high=summary.high,
        p90=summary.p90,
        p90_confidence=summary.p90_confidence,
        runs=summary.runs,
        spread=summary.spread,
        drift=drift,
        reference_ms=None if reference is None else reference.summary().median,
        unstable=tuple(_objections(runner, summary, drift, profile)),
        peak_memory=runner.peak_memory,
    )


def _objections(runner: _Runner, summary: Summary, drift: float | None, profile: Profile) -> Iterator[str]:
    if not runner.is_steady:
        yield f"still unsteady after {profile.warm_up.at_most} runs of warm-up"
    if len(runner.rounds) < _LEAST_RUNS:
        yield f"{len(runner.rounds)} rounds within {profile.runs.seconds:g} s; an interval needs {_LEAST_RUNS}"
    if summary.spread > profile.max_spread:
        yield f"spread {summary.spread:.1%}, above {profile.max_spread:.0%}"
    if drift is not None and drift > profile.max_drift:
        yield f"the reference network drifted by {drift:.1%}, above {profile.max_drift:.0%}"


@contextmanager
def _quiet(profile: Profile) -> Iterator[None]:
    """No garbage collection meanwhile; torch's number of threads is as before afterwards."""
    import torch

    threads = torch.get_num_threads()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
