"""Trained weights on disk, as safetensors."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nas.data.atomic import new_file
from nas.errors import UserError


def save_weights(model: nn.Module, path: Path, *, about: Mapping[str, str] | None = None) -> None:
    """Write a network's state; the file appears whole or not at all.

    Args:
        model: on any device.
        path: the file; its folder is made.
        about: words to keep with it, such as the architecture's id.
    """
    save_tensors(model.state_dict(), path, about=about)


def save_tensors(tensors: Mapping[str, Tensor], path: Path, *, about: Mapping[str, str] | None = None) -> None:
    """As `save_weights` does, under names of any kind."""
    # Contiguous: safetensors knows no channels-last memory.
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with new_file(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode  # the user's umask; safetensors makes a file of its own, for its owner alone
        try:
            save_file(state, temporary, metadata=dict(about or {}))
        except SafetensorError as error:
            raise _os_error(error) from error
        temporary.chmod(mode)


def _os_error(error: SafetensorError) -> OSError:
    """The system's error in the words of safetensors: 'I/O error: No space left on device (os error 28)'."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(str(error)) if number is None else OSError(int(number[1]), os.strerror(int(number[1])))


def load_weights(model: nn.Module, path: Path) -> None:
    """Read what `save_weights` wrote into a network of the same architecture.

    Raises:
        UserError: the file is missing, damaged or of another network.
    """
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path}: not the weights of this network: {reason}") from None
