"""Where a training's randomness comes from: one seed, a stream for each purpose, and nothing left behind.

The order of the images and their augmentation are drawn from a `torch.Generator`. Initialisation and drop path draw
from torch's default generators, which modules cannot be told to replace; `own_randomness` lends them for a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import torch


def derive(seed: int, purpose: str) -> int:
    """The seed of one purpose's stream, in [0, 2^63); streams of different purposes are unrelated."""
    return int.from_bytes(sha256(f"{seed}:{purpose}".encode()).digest()[:8], "big") >> 1


@contextmanager
def own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the default generators of the CPU and of `device` inside the block; afterwards they are as before."""
    is_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if is_cuda else []):
        torch.default_generator.manual_seed(seed)
        if is_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
