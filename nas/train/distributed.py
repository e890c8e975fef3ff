"""Several processes on one training: what `torchrun` says of them, and their process group."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from nas.errors import UserError
from nas.train.batches import WHOLE, Shard

_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process of a training stands.

    Attributes:
        device: `cpu`, `cuda` or `cuda:N`.
        shard: the part of each batch that is its own.
    """

    device: str
    shard: Shard = WHOLE

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
    backend = "nccl" if device == "cuda" else "gloo"
    distributed.init_process_group(backend, rank=rank, world_size=world)
    try:
        yield Place(f"cuda:{local}" if device == "cuda" else device, Shard(rank, world))
    finally:
        distributed.destroy_process_group()
