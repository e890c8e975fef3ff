"""What the parts of a network execute: every operation with its shapes, seen once per part, without computing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nas.architecture import fuse
from nas.layers import Site, Spec

_VIEWS = ("view", "reshape", "permute", "transpose", "expand", "t", "detach", "alias", "unsqueeze", "squeeze",
          "slice", "select", "as_strided", "_unsafe_view", "split", "chunk")  # fmt: skip
_PART_BYTES = 4  # of a number: networks are compared in fp32, whatever the profile computes in


class Operation(NamedTuple):
    """One operation of a network at batch size 1.

    Attributes:
        kind: `pointwise`, `dense`, `grouped`, `depthwise`, `linear`, `norm`, `activation`, `pool`, `elementwise`.
        kernel: side of a convolution's kernel; 0 elsewhere.
        reach: side of the area that the kernel covers, dilation included; 0 elsewhere.
        flops: multiply-adds; 0 for all but convolutions and linear layers.
        bytes: read and written, weights included.
        size: side of the outgoing map; 0 where there is none.
        width: channels of the outgoing map, or features.
    """

    kind: str
    kernel: int
    reach: int
    flops: int
    bytes: int
    size: int
    width: int


@lru_cache(maxsize=50_000)
def operations(spec: Spec, site: Site) -> tuple[Operation, ...]:
    """The operations of a part in its deployed form, in the order they run."""
    with torch.device("meta"):
        module = fuse(spec.build(site).eval())
        images = torch.empty(1, site.width_in, site.size, site.size)
    with torch.no_grad(), _Recorder() as recorder:
        module(images)
    return tuple(recorder.found)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what is called, views left out: they move nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[Operation] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        result = function(*arguments, **(keywords or {}))
        name = function.overloadpacket.__name__
        if name not in _VIEWS:
            self._note(name, arguments, result)
        return result

    def _note(self, name: str, arguments: Any, result: Any) -> None:
        tensors = [one for one in tree_leaves((arguments, result)) if isinstance(one, Tensor)]
        out = next((one for one in tree_leaves(result) if isinstance(one, Tensor)), None)
        if out is None:
            return
        moved = _PART_BYTES * sum(one.numel() for one in tensors)
        size = out.shape[-1] if out.ndim == 4 else 0
        width = out.shape[1] if out.ndim == 4 else out.shape[-1] if out.ndim else 1
        kind, kernel, reach, flops = _classified(name, arguments, out)
        self.found.append(Operation(kind, kernel, reach, flops, moved, size, width))


def _classified(name: str, arguments: Any, out: Tensor) -> tuple[str, int, int, int]:
    if name == "convolution":
        return _convolution(arguments, out)
    if name in ("addmm", "mm", "bmm"):
        inner = arguments[-2].shape[-1]
        return "linear", 0, 0, out.numel() * inner
    if "norm" in name:
        return "norm", 0, 0, 0
    if any(word in name for word in ("gelu", "relu", "silu", "sigmoid", "hardswish", "hardtanh", "tanh")):
        return "activation", 0, 0, 0
    if "pool" in name or name in ("mean", "sum", "var", "linalg_vector_norm"):
        return "pool", 0, 0, 0
    return "elementwise", 0, 0, 0


def _convolution(arguments: Any, out: Tensor) -> tuple[str, int, int, int]:
    weight: Tensor = arguments[1]
    dilation, groups = arguments[5][0], arguments[8]
    kernel = weight.shape[-1]
    reach = dilation * (kernel - 1) + 1
    flops = out.numel() * weight[0].numel()
    if groups == 1:
        return "pointwise" if kernel == 1 else "dense", kernel, reach, flops
    return "depthwise" if weight.shape[1] == 1 else "grouped", kernel, reach, flops
