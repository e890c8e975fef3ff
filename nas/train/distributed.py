"""Several processes on one training: what `torchrun` says of them, and their process group.

Gradients are averaged over all processes, but three things happen within each one's part of a batch: batch norm takes
its statistics there, Mixup and CutMix find their partners there, and drop path draws there. So a training on several
processes is not, to the bit, the training on one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch
from torch import distributed

from nas.data.cores import available_cores
from nas.errors import UserError
from nas.train.batches import WHOLE, Shard

_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_PATIENCE = timedelta(hours=24)  # one process decodes or validates while the others wait; NCCL's own is ten minutes


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process of a training stands.

    Attributes:
        device: `cpu`, `cuda` or `cuda:N`.
        shard: the part of each batch that is its own.
        cores: its part of the machine's cores.
    """

    device: str
    shard: Shard = WHOLE
    cores: int = field(default_factory=available_cores)

    @property
    def is_first(self) -> bool:
        """Whether it is the process that speaks and writes."""
        return self.shard.rank == 0

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.shard.world > 1:
            distributed.barrier()


@contextmanager
def joined(device: str, environment: Mapping[str, str] = os.environ) -> Iterator[Place]:
    """Join the processes that `torchrun` has started; alone, where there are none.

    Args:
        device: `cpu` or `cuda`; with several processes each takes the GPU of its local rank.
        environment: what torchrun sets.

    Raises:
        UserError: there are fewer GPUs than processes.
    """
    if any(name not in environment for name in _LAUNCHED) or environment["WORLD_SIZE"] == "1":
        yield Place(device)
        return
    rank, world, local = (int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    if device == "cuda" and local >= torch.cuda.device_count():
        raise UserError(
            f"process {local} of this machine finds {torch.cuda.device_count()} GPUs; start no more processes than "
            "there are GPUs (torchrun --nproc-per-node)"
        )
    place = Place(
        f"cuda:{local}" if device == "cuda" else device,
        Shard(rank, world),
        max(1, available_cores() // int(environment["LOCAL_WORLD_SIZE"])),
    )
    gpu = torch.device(place.device) if device == "cuda" else None
    if gpu is not None:
        torch.cuda.set_device(gpu)  # before the group is made, or every process would use the first GPU as well
    distributed.init_process_group(
        "gloo" if gpu is None else "nccl", rank=rank, world_size=world, timeout=_PATIENCE, device_id=gpu
    )
    try:
        yield place
    finally:
        distributed.destroy_process_group()
