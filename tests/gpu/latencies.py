"""Latencies on an accelerator: published networks eager and compiled, measured twice, and prediction inside a band.

Everything by `nas latency` and `nas calibrate`, as a user would. What the time does not suffice for is left out and
said; so the compiled networks, half a minute each where nothing is cached, come last.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

PRESETS = (
    "resnet50", "convnext_tiny", "convnext_small", "conv2former_t", "van_b2", "unireplknet_t", "replknet_7",
    "replknet_31b", "resnext50_32x4d", "convnext_isotropic_small", "van_b0", "unireplknet_a",
)  # fmt: skip
_SECONDS = 310.0
_TOGETHER = 3  # compiled networks in a process
_QUICK = (
    "warm_up: {at_least: 6, at_most: 12}\nruns: {in_round: 5, rounds: 6, at_most: 8, half_width: 0.02, seconds: 6}\n"
)


class Measurements:
    """What was measured until the time was over."""

    def __init__(self, device: str, *, quick: bool) -> None:
        self._end = time.monotonic() + _SECONDS
        self._quick = quick
        self._device = device
        self.presets = ("van_b0", "resnet50") if quick else PRESETS
        self.rows: list[Row] = []

    def profile(self, *, precision: str, compiled: bool) -> str:
        """A profile's file: the packaged ones' settings, with fewer runs."""
        place = (
            "device: cuda\nclock: device\n" if self._device == "cuda" else "device: cpu\nthreads: 1\nclock: process\n"
        )
        name = f"{'compiled' if compiled else 'eager'}-{precision}"
        more = f"memory_format: channels_last\nprecision: {precision}\ncompile: {str(compiled).lower()}\n"
        Path(f"{name}.yaml").write_text(f"runtime: torch\n{place}{more}{_QUICK}")
        return name

    def latency(self, profile: str, names: Sequence[str], *, ledger: str = "nas.db") -> dict[str, Row]:
        """By network; nothing where the time is over."""
        size = ["--resolution", "64"] if self._quick else []
        said = self._called(["latency", *names, "--profile", f"{profile}.yaml", "--storage", ledger, *size, "--json"])
        return {} if said is None else {row["name"]: row for row in json.loads(said)}

    def show(self, profile: str, found: Mapping[str, Row], again: Mapping[str, Row]) -> None:
        """A row for each network."""
        for name, row in found.items():
            self.rows.append(
                {
                    "profile": profile,
                    "network": name,
                    "ms": _rounded(row["ms"]),
                    "95 %": f"{_rounded(row['low'])} to {_rounded(row['high'])}",
                    "again": _rounded(again[name]["ms"]) if name in again else "",
                    "stable": row["stable"],
                }
            )

    def say(self, profile: str, text: str) -> None:
        """A row for all of them together."""
        self.rows.append({"profile": profile, "network": text})

    def calibrate(self, profile: str) -> None:
        """In-band prediction from a hundred networks."""
        count, resolution = ("20", "32") if self._quick else ("100", "224")
        said = self._called(
            ["calibrate", "modern", "--budget", "4.2..4.5GFLOPs", "--profile", f"{profile}.yaml", "--count", count,
             "--resolution", resolution, "--json"]
        )  # fmt: skip
        if said is None:
            self.say(profile, "prediction: no time was left")
            return
        found = json.loads(said)
        shares = f"within 5 % {found['within_5']:.0%}, within 10 % {found['within_10']:.0%}"
        self.say(
            profile,
            f"prediction, {found['n']} networks, {found['model']}: {shares}, Spearman {found['spearman']:.2f} (FLOPs "
            f"{found['flops']['spearman']:.2f}), coverage {found['coverage']:.0%}, {found['seconds']:.0f} s",
        )

    def _called(self, words: Sequence[str]) -> str | None:
        """What a command of ours prints; None where the time is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            return None
        try:
            ran = subprocess.run(
                [sys.executable, "-m", "nas", *words], capture_output=True, text=True, timeout=left, check=False
            )
        except subprocess.TimeoutExpired:
            return None
        if ran.returncode:
            raise RuntimeError(f"nas {' '.join(words)}: {ran.stderr[-2000:]}")
        return ran.stdout


def measured(device: str, *, quick: bool) -> list[Row]:
    """Rows of all figures."""
    work = Measurements(device, quick=quick)
    precisions = ("fp32", "bf16") if device == "cuda" or not quick else ("fp32",)
    profiles = [work.profile(precision=one, compiled=False) for one in precisions]
    for number, profile in enumerate(profiles):
        found = work.latency(profile, work.presets)
        again = work.latency(profile, work.presets, ledger="again.db") if number == 0 else {}
        work.show(profile, found, again)
        if again and found:
            work.say(profile, repeatability(found, again))
    work.calibrate(profiles[-1])
    for precision in reversed(precisions):
        profile = work.profile(precision=precision, compiled=True)
        for start in range(0, len(work.presets), _TOGETHER):
            names = work.presets[start : start + _TOGETHER]
            found = work.latency(profile, names)
            work.show(profile, found, {})
            if not found:
                work.say(profile, f"no time was left for {', '.join(work.presets[start:])}")
                break
    return work.rows


def repeatability(first: Mapping[str, Row], second: Mapping[str, Row]) -> str:
    """How far two processes agree."""
    from scipy.stats import spearmanr

    off = [abs(second[name]["ms"] / first[name]["ms"] - 1) for name in first]
    ranks = spearmanr([first[name]["ms"] for name in first], [second[name]["ms"] for name in first]).statistic
    flagged = sum(not row["stable"] for row in (*first.values(), *second.values()))
    middle = f"median difference {statistics.median(off):.1%}, largest {max(off):.1%}"
    return f"repeatability: Spearman {ranks:.3f}, {middle}, {flagged} of {2 * len(off)} flagged"


def _rounded(ms: float) -> float:
    return float(f"{ms:.4g}")
