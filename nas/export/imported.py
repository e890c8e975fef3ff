"""Official checkpoint files, brought into the form everything else of ours has."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from nas.errors import UserError
from nas.export.bundle import Provenance, write_bundle
from nas.export.folder import require_free, whole
from nas.export.normalisation import released_normalisation
from nas.export.official import classes_of, from_official, held_tensors
from nas.space import load_architecture
from nas.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was imported.

    Attributes:
        preset: the published network.
        id: of its architecture.
        folder: where it was written.
        files: what was written.
        params: parameters of the network.
        classes: outputs of its classifier.
        container: the key of the file that held the tensors; None where they were at the top.
        others: further sets of weights in the file that were not taken.
    """

    preset: str
    id: str
    folder: str
    files: tuple[str, ...]
    params: int
    classes: int
    container: str | None
    others: tuple[str, ...]


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """What a `.pth` or `.safetensors` file holds; nothing but tensors and plain containers is ever loaded.

    Raises:
        UserError: the file is missing, is no checkpoint, or holds other objects.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; name a checkpoint (.pth, .pt or .safetensors)")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kinds of tensors that are refused below
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise UserError(
            f"{path}: no checkpoint, or one that holds more than tensors, which is not loaded because it could run "
            "code; save its state_dict alone with torch.save"
        ) from None
    except (KeyError, TypeError, AttributeError, IndexError):  # what the reader of pickles makes of a text file
        raise UserError(f"{path}: not a checkpoint that can be read; name a .pth, .pt or .safetensors file") from None
    except (RuntimeError, EOFError, ValueError, SafetensorError, OSError) as error:
        reason = next(iter(str(error).splitlines()), "it is empty or cut off")
        raise UserError(f"{path}: not a checkpoint that can be read: {reason}") from None
    if not isinstance(found, Mapping):
        raise UserError(f"{path}: holds a {type(found).__name__}, not a state_dict")
    return found


def import_checkpoint(path: Path, preset: str, folder: Path, *, force: bool = False) -> Imported:
    """Write an official checkpoint as a folder that `nas.load_model` reads.

    Raises:
        UserError: the file cannot be read, does not fit the preset, or the folder cannot be written or holds something
            else, which is written over only with `force`.
    """
    require_free(folder, force=force)
    architecture = load_architecture(preset)
    found = read_checkpoint(path)
    network = from_official(preset, found)
    held = held_tensors(found)
    classes = classes_of(preset, found)
    normalisation = released_normalisation(preset)
    about = Provenance(
        task=Task(classes=classes),
        classes=(),
        mean=normalisation.mean,
        std=normalisation.std,
        results={"preset": preset, "checkpoint": path.name, "container": held.container},
    )
    with whole(folder, force=force) as place:
        files = write_bundle(place, architecture, network, about)
    return Imported(
        preset=preset,
        id=architecture.id,
        folder=str(folder),
        files=tuple(one.name for one in files),
        params=sum(parameter.numel() for parameter in network.parameters()),
        classes=classes,
        container=held.container,
        others=held.others,
    )
