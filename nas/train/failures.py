"""What can go wrong in a training without anybody being at fault."""

from __future__ import annotations

import gc

import torch

from nas.errors import NasError

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


def release_memory(device: torch.device | str) -> None:
    """Give back what nothing refers to any more, before a smaller attempt; not while an error is being handled."""
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device, or the machine, had too little memory.

    Accelerators raise a type of their own; the CPU's allocator raises a plain RuntimeError that only its text tells.
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY_WORDS)
