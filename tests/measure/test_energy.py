from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nas.measure import energy
from nas.measure.energy import EnergyMeter


def counters(root: Path, **microjoules: int) -> None:
    for name, value in microjoules.items():
        folder = root / name.replace("_", ":").replace("rapl", "intel-rapl")
        folder.mkdir(exist_ok=True)
        (folder / "energy_uj").write_text(str(value))


def test_packages_are_summed_and_their_parts_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters(tmp_path, rapl_0=1_000_000, rapl_1=2_000_000, rapl_0_0=500_000)
    monkeypatch.setattr(energy, "_cpu", lambda: _original(tmp_path))
    meter = EnergyMeter("cpu")
    counters(tmp_path, rapl_0=3_500_000, rapl_1=2_250_000, rapl_0_0=9_000_000)
    assert meter.joules() == pytest.approx(2.75)


def test_a_counter_that_began_anew_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters(tmp_path, rapl_0=9_000_000)
    monkeypatch.setattr(energy, "_cpu", lambda: _original(tmp_path))
    meter = EnergyMeter("cpu")
    counters(tmp_path, rapl_0=1_000_000)
    assert meter.joules() is None


def test_no_counter_is_no_number(tmp_path: Path) -> None:
    assert _original(tmp_path) is None


def test_a_gpu_is_found_by_its_identity_not_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    millijoules = {"GPU-aa-11": 5_000, "GPU-bb-22": 7_000}  # of the machine; only the second one is visible to torch
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetTotalEnergyConsumption=millijoules.__getitem__,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=["bb-22"][index]))
    meter = EnergyMeter("cuda")
    millijoules.update({"GPU-aa-11": 99_000, "GPU-bb-22": 9_500})
    assert meter.joules() == pytest.approx(2.5)


_original = energy._cpu
