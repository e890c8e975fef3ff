"""Official checkpoints: the tensors of the papers' own code, loaded into our networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from nas.architecture import build, fuse
from nas.errors import UserError
from nas.export.layouts import LAYOUTS, Layout
from nas.space import load_architecture

CONTAINERS = ("model", "state_dict", "state_dict_ema")
"""Keys that checkpoints of the papers keep their tensors under."""

_SHOWN = 5


class CheckpointError(UserError):
    """A checkpoint that does not hold what the network needs, or holds something else too."""


def from_official(preset: str, state_dict: Mapping[str, Any]) -> nn.Module:
    """The network of a preset with the weights of an official checkpoint, in evaluation mode.

    A checkpoint of the merged form gives the merged network, as `nas.fuse` makes it.

    Args:
        preset: the name of the published network.
        state_dict: what `torch.load` gives: the tensors, or a mapping that holds them under one of `CONTAINERS`.

    Raises:
        CheckpointError: a tensor is missing, not asked for or of another shape; the message names it.
        UnknownNameError: no such preset.
    """
    architecture = load_architecture(preset)
    tensors = _tensors(state_dict)
    layouts = _layouts(preset)
    network = build(architecture, classes=_classes(tensors, layouts))
    forms = {merged: fuse(network) if merged else network for merged in {one.merged for one in layouts}}
    layout = max(layouts, key=lambda one: _found(one, forms[one.merged], tensors))
    network = forms[layout.merged]
    network.load_state_dict(_renamed(network.state_dict(), tensors, layout, preset))
    return network.eval()


def _found(layout: Layout, network: nn.Module, tensors: Mapping[str, Tensor]) -> float:
    """The share of a network's tensors that a checkpoint holds under the names of a layout."""
    names = [layout.official(key) for key in network.state_dict()]
    return sum(name in tensors for name in names) / len(names)


def _tensors(container: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a checkpoint, without the prefix that data-parallel training leaves."""
    for name in CONTAINERS:
        if isinstance(container.get(name), Mapping):
            container = container[name]
            break
    wrong = [key for key, value in container.items() if not isinstance(value, Tensor)]
    if wrong or not container:
        held = _listed(wrong or ["nothing"])
        raise CheckpointError(f"no tensors in this checkpoint, but {held}; expected under {', '.join(CONTAINERS)}")
    return {key.removeprefix("module."): value for key, value in container.items()}


def _classes(tensors: Mapping[str, Tensor], layouts: Sequence[Layout]) -> int:
    """Outputs of the checkpoint's classifier; ImageNet's where none is found, so that the error names its weights."""
    heads = (tensors.get(layout.official("head.linear.weight")) for layout in layouts)
    return next((head.shape[0] for head in heads if head is not None), 1000)


def _layouts(preset: str) -> Sequence[Layout]:
    for beginning, layouts in LAYOUTS.items():
        if preset.startswith(beginning):
            return layouts
    raise CheckpointError(f"no official checkpoint layout is known for {preset!r}; known: {', '.join(LAYOUTS)}")


def _renamed(
    wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], layout: Layout, preset: str
) -> dict[str, Tensor]:
    """The checkpoint under our names and in our shapes."""
    names = {key: layout.official(key) for key in wanted}
    problems = []
    missing = [name for name in names.values() if name not in tensors]
    unexpected = sorted(set(tensors) - set(names.values()))
    if missing:
        problems.append(f"missing: {_listed(missing)}")
    if unexpected:
        problems.append(f"unexpected: {_listed(unexpected)}")
    shaped = {key: _shaped(tensors[name], wanted[key]) for key, name in names.items() if name in tensors}
    for key, tensor in shaped.items():
        if tensor is None:
            found, needed = tuple(tensors[names[key]].shape), tuple(wanted[key].shape)
            problems.append(f"{names[key]} has shape {found}, {preset} needs {needed}")
    if problems:
        lines = "\n  ".join(problems)
        raise CheckpointError(f"this is no checkpoint of {preset} in the layout of {layout.name}:\n  {lines}")
    return {key: tensor for key, tensor in shaped.items() if tensor is not None}


def _shaped(tensor: Tensor, like: Tensor) -> Tensor | None:
    """A 1x1 convolution as a linear layer and back: equal but for dimensions of 1 at the end; None where not equal."""
    if _trimmed(tensor) != _trimmed(like):
        return None
    return tensor.reshape(like.shape)


def _trimmed(tensor: Tensor) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
