"""What can go wrong in a training without anybody being at fault."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from nas.errors import DataError, NasError
from nas.records import Failure

Result = TypeVar("Result")
OUT_OF_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "bad allocation")


class Diverged(NasError):
    """The training loss, or a weight, stopped being a number.

    Attributes:
        step: the first step, from 0, whose loss was infinite or NaN; of a weight, the step that made it so.
    """

    def __init__(self, step: int, loss: float | None = None) -> None:
        """Say where it was seen; without a loss, in a weight."""
        told = "a weight was no number any more after" if loss is None else f"the training loss was {loss} at"
        super().__init__(f"{told} step {step}")
        self.step = step


class TooLittleMemory(NasError):
    """Not even a small part of a batch fits into the memory.

    Attributes:
        images: of the smallest part that was tried.
    """

    def __init__(self, images: int, advice: str) -> None:
        """Say what was tried, and what may help."""
        super().__init__(f"no memory for {images} images at a time; {advice}")
        self.images = images


def failure_of(error: Exception) -> Failure:
    """What kind of failure an error of a training is."""
    if is_out_of_memory(error):
        return Failure.OUT_OF_MEMORY
    if isinstance(error, Diverged):
        return Failure.DIVERGED
    return Failure.DATA if isinstance(error, DataError) else Failure.BUG


def within_memory(
    attempt: Callable[[int | None], Result],
    *,
    batch: int,
    halvings: int,
    device: torch.device | str,
    micro_batch: int | None = None,
) -> Result:
    """Do what the memory may be too small for: with the whole batch at a time, or else a half, a quarter, and so on.

    Args:
        attempt: builds and trains from the start, or from the last checkpoint, with so many images per forward pass;
            None for the whole batch.
        batch: images of it.
        halvings: how often to try with half as many.
        device: whose memory it is.
        micro_batch: images to begin with; None for the whole batch.

    Raises:
        TooLittleMemory: not even the last attempt had enough.
    """
    while True:
        images = micro_batch or batch
        try:
            return attempt(micro_batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if halvings == 0 or images == 1:
                advice = "take a smaller resolution, or a recipe with activation_checkpointing: true"
                raise TooLittleMemory(images, advice) from error
        halvings, micro_batch = halvings - 1, (images + 1) // 2
        release_memory(device)


def release_memory(device: torch.device | str) -> None:
    """Give back what nothing refers to any more, before a smaller attempt; not while an error is being handled."""
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device, or the machine, had too little memory.

    Accelerators raise a type of their own; the CPU's allocator raises a plain RuntimeError that only its text tells.
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError, TooLittleMemory)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY_WORDS)
