"""Official checkpoints: the tensors of the papers' own code, loaded into our networks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nas.architecture import build, estimate, fuse, skeleton
from nas.errors import UserError
from nas.export.layouts import LAYOUTS, Layout, layouts_of
from nas.schema.packaged import preset_names
from nas.space import load_architecture
from nas.task import Task

CONTAINERS = ("model", "state_dict", "state_dict_ema", "model_ema")
"""Keys that checkpoints keep their tensors under; where there are several, the first of these is taken."""

_PREFIXES = re.compile(r"^(?:module\.|_orig_mod\.)+")  # of DataParallel and torch.compile, in any order
_COUNTER = "num_batches_tracked"
_STATISTICS = ("running_mean", "running_var", _COUNTER)
_CLASSIFIERS = ("head.linear.weight", "head.linear.classifiers.0.1.weight")  # one, or the first of several
_SHOWN = 5


class CheckpointError(UserError):
    """A checkpoint that does not hold what the network needs, or holds something else too."""


def from_official(preset: str, state_dict: Mapping[str, Any]) -> nn.Module:
    """The network of a preset with the weights of an official checkpoint, in evaluation mode.

    A checkpoint of the merged form gives the merged network, as `nas.fuse` makes it. Counters of batches, which no
    output depends on, may be missing.

    Args:
        preset: the name of the published network.
        state_dict: what `torch.load` gives: the tensors, or a mapping that holds them under one of `CONTAINERS`.

    Raises:
        CheckpointError: a tensor is missing, not asked for, of another shape, no fraction or not finite; the message
            names it, and the preset that would fit where there is one.
        UnknownNameError: no such preset.
    """
    architecture = load_architecture(preset)
    tensors = held_tensors(state_dict).tensors
    layouts = _layouts(preset)
    network = build(architecture, classes=_classes(tensors, layouts))
    forms = {merged: fuse(network) if merged else network for merged in {one.merged for one in layouts}}
    layout = max(layouts, key=lambda one: _found(one, forms[one.merged], tensors))
    network = forms[layout.merged]
    network.load_state_dict(_renamed(network.state_dict(), tensors, layout, preset))
    return network.eval()


def classes_of(preset: str, state_dict: Mapping[str, Any]) -> int:
    """Outputs of the classifier in a preset's checkpoint; raises CheckpointError as `from_official` does."""
    return _classes(held_tensors(state_dict).tensors, _layouts(preset))


class Held(NamedTuple):
    """The tensors of a checkpoint.

    Attributes:
        container: the key they were under; None where they were at the top.
        tensors: by name, without the prefixes that wrappers leave.
        others: further containers that were there and not taken.
    """

    container: str | None
    tensors: dict[str, Tensor]
    others: tuple[str, ...]


def held_tensors(state_dict: Mapping[str, Any]) -> Held:
    """Find the tensors of a checkpoint; raises CheckpointError where there are none, or something else beside them."""
    known = [name for name in CONTAINERS if isinstance(state_dict.get(name), Mapping)]
    container = known[0] if known else None
    found = state_dict if container is None else state_dict[container]
    wrong = [key for key, value in found.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if wrong or not found:
        held = _listed([str(key) for key in wrong] or ["nothing"])
        raise CheckpointError(
            f"no named tensors in this checkpoint, but {held}; expected under {', '.join(CONTAINERS)}"
        )
    for key, value in found.items():
        problem = _value_problem(key, value)
        if problem is not None:
            raise CheckpointError(f"the tensor {key} of this checkpoint {problem}")
    tensors = {_PREFIXES.sub("", key): value for key, value in found.items()}
    if len(tensors) < len(found):
        raise CheckpointError(
            "this checkpoint holds tensors twice, with and without 'module.' or '_orig_mod.'; keep one"
        )
    return Held(container, tensors, tuple(known[1:]))


def _value_problem(key: str, value: Tensor) -> str | None:
    if value.is_meta:
        return "has no values (it is on the meta device); save the tensors of a network that was built"
    if value.layout != torch.strided or value.is_nested:
        return "is sparse or nested; save it as an ordinary tensor"
    if key.endswith(_COUNTER) and not value.is_complex():
        return None
    if not value.is_floating_point() or value.element_size() == 1:
        return f"holds {value.dtype}, not fractions; a quantised checkpoint cannot be imported"
    return None if bool(value.isfinite().all()) else "holds numbers that are not finite; the training has diverged"


def _found(layout: Layout, network: nn.Module, tensors: Mapping[str, Tensor]) -> float:
    """The share of a network's tensors that a checkpoint holds under the names of a layout."""
    names = [layout.official(key) for key in network.state_dict()]
    return sum(name in tensors for name in names) / len(names)


def _classes(tensors: Mapping[str, Tensor], layouts: Sequence[Layout]) -> int:
    """Outputs of the checkpoint's classifier; ImageNet's where none is found, so that the error names its weights."""
    names = (layout.official(key) for layout in layouts for key in _CLASSIFIERS)
    heads = (tensors.get(name) for name in names)
    return next((head.shape[0] for head in heads if head is not None and head.ndim), 1000)


def _layouts(preset: str) -> Sequence[Layout]:
    layouts = layouts_of(preset)
    if not layouts:
        known = ", ".join(sorted(LAYOUTS))
        raise CheckpointError(f"no official checkpoint layout is known for {preset!r}; known: {known}")
    return layouts


def _renamed(
    wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], layout: Layout, preset: str
) -> dict[str, Tensor]:
    """The checkpoint under our names and in our shapes."""
    names = {key: layout.official(key) for key in wanted}
    problems = []
    missing = [name for name in names.values() if name not in tensors and not name.endswith(_COUNTER)]
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
        lines = "\n  ".join([*problems[:_SHOWN], *_advice(tensors, preset)])
        raise CheckpointError(f"this is no checkpoint of {preset} in the layout of {layout.name}:\n  {lines}")
    counters = {key: torch.zeros_like(wanted[key]) for key, name in names.items() if name not in tensors}
    return counters | {key: tensor for key, tensor in shaped.items() if tensor is not None}


def _advice(tensors: Mapping[str, Tensor], preset: str) -> list[str]:
    """The presets, mostly one, whose tensors are the checkpoint's."""
    fitting = [one for one in preset_names() if one != preset and layouts_of(one) and _fits(one, tensors)]
    which = "that preset" if len(fitting) == 1 else "one of them"
    return [f"it fits {' and '.join(fitting)}: use {which}"] if fitting else []


def _fits(preset: str, tensors: Mapping[str, Tensor]) -> bool:
    """Whether a checkpoint has a preset's parameters and, by one of its layouts, all of its names and shapes."""
    architecture, layouts = load_architecture(preset), layouts_of(preset)
    classes = _classes(tensors, layouts)
    params = sum(tensor.numel() for key, tensor in tensors.items() if not key.endswith(_STATISTICS))
    cost = estimate(architecture, Task(classes=classes))
    if params not in (cost.train_params, cost.params):
        return False
    network = skeleton(architecture, classes)
    wanted = {layout.official(key): one for layout in layouts for key, one in network.state_dict().items()}
    return all(name in wanted and _shaped(one, wanted[name]) is not None for name, one in tensors.items())


def _shaped(tensor: Tensor, like: Tensor) -> Tensor | None:
    """A 1x1 convolution as a linear layer, (1, 1, 1, C) as (C,), and back; None where more than ones differ."""
    if [side for side in tensor.shape if side != 1] != [side for side in like.shape if side != 1]:
        return None
    return tensor.reshape(like.shape)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
