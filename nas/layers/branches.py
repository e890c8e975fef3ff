"""Branches side by side, of one map (`parallel`) or of cuts of its channels (`split`), joined again.

`parallel` with `sum` is the re-parameterisation of RepVGG (arXiv:2101.03697, section 3.3) and RepViT (arXiv:2307.09283)
and, where the branches cannot be merged, SLaK's cross of two rectangles (arXiv:2207.03620, section 4.1); with `product`
it is a gate: Conv2Former's, VAN's, MogaNet's, StarNet's. `split` is FasterNet's partial convolution (arXiv:2303.03667,
section 3.2), InceptionNeXt's mixer, and with `product` the gate of MambaOut (arXiv:2405.07992).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas.cost import NOTHING, Cost, conv_cost
from nas.errors import FieldError
from nas.layers.base import Mixer, Site, mixers, refuse_stride
from nas.layers.batchnorm import BatchNorm, MapBatchNorm
from nas.layers.dense import Dense
from nas.layers.depthwise import Depthwise, DepthwiseConv, rectangle_cost
from nas.layers.depthwise_cpu import spread
from nas.layers.fusable import Fusable, folded
from nas.layers.sequence import Steps, build_steps, outgoing, require_steps, steps_cost
from nas.schema.fields import within

Join = Literal["sum", "product", "concat"]


class Branches(nn.Module):
    """Branches of one map, joined; `widths` cuts it between them first."""

    def __init__(self, branches: Sequence[nn.Module], join: Join, widths: Sequence[int] | None = None) -> None:
        """Keep the branches in order."""
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.join = join
        self.widths = None if widths is None else list(widths)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C_out, H, W)."""
        cuts = [x] * len(self.branches) if self.widths is None else list(torch.split(x, self.widths, dim=1))
        maps: list[Tensor] = []
        for index, branch in enumerate(self.branches):
            maps.append(branch(cuts[index]))
        if self.join == "concat":
            return torch.cat(maps, dim=1)
        y = maps[0]
        for other in maps[1:]:
            y = y + other if self.join == "sum" else y * other
        return y

    def extra_repr(self) -> str:
        """How they are joined, for `print(model)`."""
        return self.join if self.widths is None else f"{self.join}, widths={self.widths}"


class Reach(NamedTuple):
    """The one convolution that a sum of branches becomes."""

    rows: int
    columns: int
    is_depthwise: bool

    def covers(self, other: Reach) -> bool:
        """Whether another kernel lies inside this one when both have the same centre."""
        return self.rows >= other.rows and self.columns >= other.columns


class MergingSum(Branches, Fusable):
    """A sum of convolutions of one kind, of norms and of the map itself, which is one convolution when deployed."""

    def __init__(self, branches: Sequence[nn.Module], reach: Reach, width: int) -> None:
        """`reach` is the largest kernel, `width` the channels of the map."""
        super().__init__(branches, "sum")
        self.reach = reach
        self.width = width

    @torch.no_grad()
    def fused(self) -> nn.Module:
        """The one convolution, with a bias, that computes the sum in evaluation mode."""
        rows, columns, is_depthwise = self.reach
        like = next(self.parameters())
        if is_depthwise:
            conv: nn.Conv2d = DepthwiseConv(self.width, rows, columns=columns)
        else:
            conv = nn.Conv2d(self.width, self.width, (rows, columns), padding=(rows // 2, columns // 2))
        parts = [self._as_convolution(branch) for branch in self.branches]
        weights, biases = zip(*parts, strict=True)
        conv = conv.to(device=like.device, dtype=like.dtype)
        conv.load_state_dict({"weight": sum(weights), "bias": sum(biases)})
        return conv.train(self.training)

    def _as_convolution(self, branch: nn.Module) -> tuple[Tensor, Tensor]:
        """Weight and bias, in float64, of the convolution with the common kernel that computes a branch."""
        layers = list(branch.children())
        conv = next((one for one in layers if isinstance(one, nn.Conv2d)), None)
        norm = next((one for one in layers if isinstance(one, MapBatchNorm)), None)
        if conv is None:
            conv = self._identity()
        if norm is not None:
            weight, bias = folded(conv, norm)
        else:
            weight = conv.weight.double()
            bias = torch.zeros_like(weight[:, 0, 0, 0]) if conv.bias is None else conv.bias.double()
        weight = spread(weight, conv.dilation[0])
        rows, columns = ((whole - side) // 2 for whole, side in zip(self.reach[:2], weight.shape[2:], strict=True))
        return functional.pad(weight, [columns, columns, rows, rows]), bias

    def _identity(self) -> nn.Conv2d:
        """The 1 x 1 convolution that gives back what it gets."""
        like = next(self.parameters())
        groups = self.width if self.reach.is_depthwise else 1
        conv = nn.Conv2d(self.width, self.width, 1, groups=groups, bias=False, device=like.device, dtype=like.dtype)
        nn.init.dirac_(conv.weight, groups)
        return conv


def _require_width(width: int, site: Site) -> None:
    if width != site.width:
        raise FieldError("branches", f"a block's mixer keeps its {site.width} channels, but {width} come out")


def _require_joined(outs: Sequence[tuple[int, int]], join: Join, site: Site) -> None:
    """Raise FieldError where branches do not fit together, or not into the place."""
    sizes, widths = {size for _, size in outs}, [width for width, _ in outs]
    if sizes != {site.size}:
        raise FieldError("branches", f"must keep the map of {site.size} pixels a side, got {sorted(sizes)}")
    if join != "concat" and len(set(widths)) > 1:
        raise FieldError("branches", f"a {join} needs branches of one width, got {', '.join(map(str, widths))}")


def _joined_width(outs: Sequence[tuple[int, int]], join: Join) -> int:
    return sum(width for width, _ in outs) if join == "concat" else outs[0][0]


@mixers.register("parallel")
@dataclass(frozen=True, kw_only=True)
class Parallel(Mixer):
    """Every branch, a list of layers, gets the whole map; an empty one passes it on.

    A sum is one convolution when deployed if its branches are depthwise or dense convolutions (all of one kind), each
    alone or with batch norm, such a norm alone or the map itself, and one kernel covers all others.
    """

    sees_place: ClassVar[bool] = True
    branches: tuple[Steps, ...] = (
        (Depthwise(bias=False), BatchNorm()), (Depthwise(kernel=3, bias=False), BatchNorm()), ()
    )  # fmt: skip
    join: Join = "sum"

    def check(self) -> None:
        """There must be something to join."""
        if len(self.branches) < 2:
            raise FieldError("branches", f"at least two, got {len(self.branches)}")

    def require(self, site: Site) -> None:
        """In a block, that the width is kept as well."""
        self.require_inside(site)
        _require_width(self.width_out(site), site)

    def require_inside(self, site: Site) -> None:
        """The branches' rules, and that they fit together."""
        refuse_stride(self, site)
        for branch in self.branches:
            require_steps(branch, site)
        _require_joined(self._outs(site), self.join, site)

    def width_out(self, site: Site) -> int:
        """One branch's channels, or those of all together."""
        return _joined_width(self._outs(site), self.join)

    def folds(self, site: Site) -> bool | None:
        """When merged a convolution with a bias."""
        return None if self._reach() is None else True

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C_out, H, W)."""
        branches = [build_steps(branch, site) for branch in self.branches]
        reach = self._reach()
        return Branches(branches, self.join) if reach is None else MergingSum(branches, reach, site.width_in)

    def cost(self, site: Site) -> Cost:
        """All branches; the one convolution where they merge."""
        training = sum((steps_cost(branch, site) for branch in self.branches), NOTHING)
        reach = self._reach()
        if reach is None:
            return training
        if reach.is_depthwise:
            merged = rectangle_cost(site.width_in, reach.rows * reach.columns, site.size)
        else:
            merged = conv_cost(site.width_in * reach.rows * reach.columns, site.width_in, 1, site.size)
        return merged.trained_as(training)

    def _outs(self, site: Site) -> list[tuple[int, int]]:
        return [outgoing(branch, site) for branch in self.branches]

    def _reach(self) -> Reach | None:
        """The kernel of the sum when deployed; None where it cannot be merged."""
        if self.join != "sum":
            return None
        found = []
        for branch in self.branches:
            kernel = branch[0] if branch and isinstance(branch[0], Depthwise | Dense) else None
            rest = branch[1:] if kernel is not None else branch
            if len(rest) > 1 or any(not isinstance(step, BatchNorm) for step in rest):
                return None
            if kernel is not None:
                found.append(_reach_of(kernel))
        largest = max(found, key=lambda one: one.rows * one.columns, default=None)
        if largest is None or any(one.is_depthwise != largest.is_depthwise for one in found):
            return None
        return largest if all(largest.covers(one) for one in found) else None


def _reach_of(step: Depthwise | Dense) -> Reach:
    if isinstance(step, Dense):
        return Reach(step.kernel, step.kernel, is_depthwise=False)
    rows, columns = (step.dilation * (side - 1) + 1 for side in (step.kernel, step.columns or step.kernel))
    return Reach(rows, columns, is_depthwise=True)


@mixers.register("split")
@dataclass(frozen=True, kw_only=True)
class Split(Mixer):
    """The channels are cut, each cut goes through its branch, a list of layers, and the results are joined.

    `shares` has an entry a branch: the share of the incoming channels or, `of: place`, of those of the place the mixer
    stands at, rounded down; null, once, is the rest.
    """

    sees_place: ClassVar[bool] = True
    shares: tuple[Annotated[float, within(0, 16)] | None, ...] = (0.25, None)
    branches: tuple[Steps, ...] = ((Dense(),), ())
    join: Join = "concat"
    of: Literal["incoming", "place"] = "incoming"

    def check(self) -> None:
        """One share a branch, one of them the rest."""
        if len(self.branches) < 2 or len(self.shares) != len(self.branches):
            raise FieldError("shares", f"one a branch, at least two, got {len(self.shares)} for {len(self.branches)}")
        if self.shares.count(None) != 1:
            raise FieldError("shares", "one of them, and only one, must be null, which is the rest")

    def require(self, site: Site) -> None:
        """In a block, that the width is kept as well."""
        self.require_inside(site)
        _require_width(self.width_out(site), site)

    def require_inside(self, site: Site) -> None:
        """The branches' rules, and that there are channels for each."""
        refuse_stride(self, site)
        if min(self._cuts(site)) < 1:
            raise FieldError("shares", f"leave a branch without channels, of {site.width_in}")
        for branch, at in self._placed(site):
            require_steps(branch, at)
        _require_joined(self._outs(site), self.join, site)

    def width_out(self, site: Site) -> int:
        """One branch's channels, or those of all together."""
        return _joined_width(self._outs(site), self.join)

    def build(self, site: Site) -> nn.Module:
        """(N, C, H, W) -> (N, C_out, H, W)."""
        return Branches([build_steps(branch, at) for branch, at in self._placed(site)], self.join, self._cuts(site))

    def cost(self, site: Site) -> Cost:
        """All branches."""
        return sum((steps_cost(branch, at) for branch, at in self._placed(site)), NOTHING)

    def _cuts(self, site: Site) -> list[int]:
        whole = site.width_in if self.of == "incoming" else site.width
        widths = [None if share is None else math.floor(share * whole + 1e-6) for share in self.shares]
        rest = site.width_in - sum(width for width in widths if width is not None)
        return [rest if width is None else width for width in widths]

    def _placed(self, site: Site) -> list[tuple[Steps, Site]]:
        cuts = self._cuts(site)
        return [(branch, replace(site, width_in=cut)) for branch, cut in zip(self.branches, cuts, strict=True)]

    def _outs(self, site: Site) -> list[tuple[int, int]]:
        return [outgoing(branch, at) for branch, at in self._placed(site)]
