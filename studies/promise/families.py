"""Published families scaled down to one budget by one rule: `python studies/promise/families.py [-o DIR]`.

The rule, from each family's preset, for images of 32x32 and 10 classes:

1. Stem: a convolution of 2x2 pixels with stride 2, with the norm that the family has in its stem.
2. Stages: the first three resolutions after the stem, on maps of 16, 8 and 4 pixels. 6 blocks in all: at least one a
   stage, the others in the published proportion by largest remainders, of equal ones the later.
3. Kernels: at most the largest side that a map can train, 2 maps - 1: 31, 15 and 7; dilated ones by less dilation.
4. Widths: the published ones times one factor, each rounded to the family's step: 2, or what its groups and splits
   divide, or 1 where 2 is too coarse. The factor is solved for the budget; of two as near, the larger network.
5. Head: the published one, where it is pooling, a norm and the classifier; else these, with the family's norm.
6. No drop path: the training is too short for it.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import nas
from nas.architecture import Architecture
from nas.architecture.text import to_yaml
from nas.cost import Cost
from nas.errors import MisfitError
from nas.layers import Norm, Spec, norms
from nas.layers.norm_pool_linear import NormPoolLinear
from nas.layers.patchify import Patchify
from nas.layers.pool_norm_linear import PoolNormLinear

BUDGET = 8_000_000
TOLERANCE = 0.03
BLOCKS = 6
MAPS = (16, 8, 4)
KERNELS = ("kernel", "columns", "band", "small")
"""Fields that hold the side of a kernel."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """What the rule needs to know of a family, beside its preset.

    Attributes:
        preset: the member that is scaled down; a family's smallest one, mostly.
        norm: of the stem.
        step: of the widths.
        head_norm: before the classifier, where the published head has widths of its own; other heads stay.
        stages: those of the preset that are kept, where it has several on one resolution.
    """

    preset: str
    norm: str = "batchnorm"
    step: int = 2
    head_norm: str | None = None
    stages: tuple[int, ...] = (0, 1, 2)


FAMILIES: Mapping[str, Family] = {
    "resnet": Family(preset="resnet50", step=8),
    "regnety": Family(preset="regnety_200mf", step=8),
    "efficientnetv2": Family(preset="efficientnetv2_b0", stages=(1, 2, 3)),
    "convnext": Family(preset="convnext_tiny", norm="layernorm"),
    "convnextv2": Family(preset="convnextv2_atto", norm="layernorm"),
    "replknet": Family(preset="replknet_31b", step=1),
    "unireplknet": Family(preset="unireplknet_a", norm="layernorm", step=4),
    "inceptionnext": Family(preset="inceptionnext_tiny", head_norm="layernorm", step=8),
    "van": Family(preset="van_b0"),
    "conv2former": Family(preset="conv2former_n", head_norm="layernorm"),
    "hornet": Family(preset="hornet_t_7x7", norm="layernorm", step=8),
    "moganet": Family(preset="moganet_xt", step=8),
    "mambaout": Family(preset="mambaout_femto", norm="layernorm", head_norm="layernorm", step=6),
    "fasternet": Family(preset="fasternet_t0", step=4),
    "repvit": Family(preset="repvit_m0_9", step=1),
}


def depths(published: Sequence[int], total: int) -> list[int]:
    """At least one block a stage, the others in proportion; of equal remainders the later one."""
    shares = [depth * total / sum(published) for depth in published]
    found = [max(1, math.floor(share)) for share in shares]
    order = sorted(range(len(shares)), key=lambda stage: (found[stage] - shares[stage], -stage))
    for stage in order[: total - sum(found)]:
        found[stage] += 1
    return found


def capped(part: Any, side: int) -> Any:
    """The same part with no kernel larger than maps of `side` pixels can train; its layers, too."""
    if isinstance(part, tuple):
        return tuple(capped(one, side) for one in part)
    if not isinstance(part, Spec):
        return part
    most = 2 * side - 1
    found = {field.name: capped(getattr(part, field.name), side) for field in fields(part) if field.init}
    found |= {name: min(found[name], most) for name in KERNELS if isinstance(found.get(name), int)}
    if found.get("dilation", 1) > 1:
        found["dilation"] = max(1, min(found["dilation"], (most - 1) // (found["kernel"] - 1)))
    return replace(part, **found)


@cache
def preset(name: str) -> Architecture:
    """A published network."""
    return nas.load_architecture(name)


def scaled(family: Family, factor: float) -> Architecture:
    """The member of a family with its published widths times a factor."""
    published = preset(family.preset)
    kept = [published.stages[stage] for stage in family.stages]
    rows = zip(kept, depths([stage.depth for stage in kept], BLOCKS), MAPS, strict=True)
    stages = [
        replace(
            stage,
            depth=depth,
            width=max(1, round(stage.width * factor / family.step)) * family.step,
            blocks=capped(stage.blocks, side),
            downsample=capped(stage.downsample, 2 * side) if index else None,
        )
        for index, (stage, depth, side) in enumerate(rows)
    ]
    kept_head = isinstance(published.head, PoolNormLinear | NormPoolLinear)
    head = published.head if kept_head else PoolNormLinear(norm=_norm(family.head_norm))
    return Architecture(stem=Patchify(patch=2, norm=_norm(family.norm)), stages=tuple(stages), head=head)


def _norm(name: str | None) -> Norm | None:
    return None if name is None else norms.read(name)


def solved(family: Family, budget: int) -> Architecture:
    """The member nearest to a budget in FLOPs."""
    first = preset(family.preset).stages[family.stages[0]].width
    factors = [1.01**power for power in range(-300, 400)] + [width / first for width in range(8, 512)]
    points = []
    for factor in factors:
        with suppress(MisfitError):  # such as groups that do not divide a width, or a width that is not twice another
            points.append(scaled(family, factor))
    return min(points, key=lambda one: (abs(cost(one).flops - budget), -cost(one).flops))


def cost(architecture: Architecture) -> Cost:
    """At 32x32 with ten classes."""
    return nas.estimate(architecture, resolution=32, classes=10)


def main() -> int:
    """Write a file for every family; 1 if the budget of one cannot be met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "families", metavar="DIR")
    parser.add_argument("--only", action="append", choices=FAMILIES, help="a family; repeatable; default: all")
    parser.add_argument("--budget", type=int, default=BUDGET, metavar="FLOPS", help=f"default: {BUDGET:,}")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    missed = 0
    for name in given.only or FAMILIES:
        family = FAMILIES[name]
        found = solved(family, given.budget)
        price = cost(found)
        miss = price.flops / given.budget - 1
        missed += abs(miss) > TOLERANCE
        shape = "-".join(f"{stage.depth}x{stage.width}" for stage in found.stages)
        sys.stdout.write(
            f"{name:15} {found.id} {shape:20} {price.flops:>11,} FLOPs {miss:+.1%} {price.params:>9,} params\n"
        )
        heading = f"{name}, from {family.preset}: scaled down by families.py to {price.flops:,} FLOPs at 32x32"
        (given.output / f"{name}.yaml").write_text(to_yaml(found, heading=heading), encoding="utf-8")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
