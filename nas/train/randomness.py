"""Where a training's randomness comes from: one seed, a stream for each purpose and step, and nothing left behind.

What a step draws follows from the seed and the step's number alone. So a training that is taken up again needs no
generator's state, and draws what it would have drawn.

The order of the images and their augmentation are drawn from a `torch.Generator`. Initialisation and drop path draw
from torch's default generators, which modules cannot be told to replace; `own_randomness` lends them for a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import torch
from torch import Generator


def derive(seed: int, purpose: str) -> int:
    """The seed of one purpose's stream, in [0, 2^63); streams of different purposes are unrelated."""
    return int.from_bytes(sha256(f"{seed}:{purpose}".encode()).digest()[:8], "big") >> 1


def stream(seed: int, purpose: str) -> Generator:
    """A generator on the CPU for one purpose, so that every device sees the same draws."""
    return Generator().manual_seed(derive(seed, purpose))


@contextmanager
def own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the default generators of the CPU and of `device` inside the block; afterwards they are as before."""
    is_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if is_cuda else []):
        reseed(seed, device)
        yield


def reseed(seed: int, device: torch.device) -> None:
    """Seed the default generators of the CPU and of `device`; only inside `own_randomness`."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
