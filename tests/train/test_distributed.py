from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import torch
from torch import distributed

from nas.data.cores import available_cores
from nas.errors import UserError
from nas.train.batches import WHOLE, Shard
from nas.train.distributed import joined

LAUNCHED = {
    "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "localhost", "MASTER_PORT": "29500",
}  # fmt: skip
DAY = timedelta(hours=24)
Calls = list[tuple[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What torch is asked for on a machine with two GPUs, in order."""
    found: Calls = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: found.append(("device", device)))
    monkeypatch.setattr(distributed, "init_process_group", lambda backend, **options: found.append((backend, options)))
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: found.append(("end", None)))
    return found


def test_alone_there_is_no_group_and_all_cores(calls: Calls) -> None:
    for environment in ({}, {**LAUNCHED, "WORLD_SIZE": "1"}):
        with joined("cpu", environment) as place:
            assert (place.device, place.shard, place.cores) == ("cpu", WHOLE, available_cores())
    assert not calls


def test_a_process_has_its_gpu_before_the_group_and_waits_for_a_day(calls: Calls) -> None:
    with joined("cuda", LAUNCHED) as place:
        assert (place.device, place.shard, place.is_first) == ("cuda:1", Shard(1, 2), False)
    gpu = torch.device("cuda:1")
    group = {"rank": 1, "world_size": 2, "timeout": DAY, "device_id": gpu}
    assert calls == [("device", gpu), ("nccl", group), ("end", None)]


def test_on_a_cpu_processes_share_the_cores(calls: Calls) -> None:
    with joined("cpu", LAUNCHED) as place:
        assert place.cores == max(1, available_cores() // 2)
    group = {"rank": 1, "world_size": 2, "timeout": DAY, "device_id": None}
    assert calls == [("gloo", group), ("end", None)]


def test_more_processes_than_gpus_are_refused(calls: Calls) -> None:
    with pytest.raises(UserError, match="finds 2 GPUs"), joined("cuda", {**LAUNCHED, "LOCAL_RANK": "2"}):
        pass
    assert not calls
