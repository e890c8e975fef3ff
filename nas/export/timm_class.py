"""Networks that a class of timm's own can express: ConvNeXt and V2 of any depths, widths and kernels, ResNet, ResNeXt.

Such a network is the point of our grammar that a preset becomes with other depths, widths and kernels; whether it is,
equal architectures say, not a list of rules that could miss a field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from nas.architecture import Architecture, Stage
from nas.errors import UserError
from nas.export.layouts import Layout
from nas.export.layouts.bottlenecks import RESNET
from nas.export.layouts.convnext import TIMM
from nas.layers.depthwise import Depthwise
from nas.layers.mixer_first import MixerFirst
from nas.space import load_architecture

_STAGES = 4  # of timm's classes, always
_RESNETS = ("resnet50", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d")
_CONVNEXTS = ("convnext_tiny", "convnextv2_tiny")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimmClass:
    """How timm makes a network by itself.

    Attributes:
        entry: the name in timm's registry.
        arguments: of that entry, as plain data.
        layout: its names of our tensors.
        convolves: whether its pointwise layers are convolutions, where ours are linear layers.
    """

    entry: str
    arguments: Mapping[str, Any]
    layout: Layout
    convolves: bool = False

    def state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Our tensors under timm's names and in its shapes."""
        return {
            self.layout.official(name): tensor[:, :, None, None]
            if self.convolves and tensor.ndim == 2 and not name.startswith("head.")
            else tensor
            for name, tensor in state.items()
        }

    def name(self, module: str) -> str:
        """Timm's name of a module of ours."""
        return self.layout.official(f"{module}.").removesuffix(".")


def timm_class(architecture: Architecture) -> TimmClass | None:
    """The class of timm's that computes what an architecture does; None where there is none."""
    return next((found for read in _READERS for found in read(architecture)), None)


def _convnext(architecture: Architecture) -> Iterator[TimmClass]:
    """Depths, widths, a kernel a stage and the start of the layer scales are free."""
    blocks = [stage.block(0) for stage in architecture.stages]
    if len(blocks) != _STAGES or not all(isinstance(one, MixerFirst) for one in blocks):
        return
    scale = blocks[0].layer_scale if isinstance(blocks[0], MixerFirst) else None
    kernels = [one.mixer.kernel for one in blocks if isinstance(one, MixerFirst) and isinstance(one.mixer, Depthwise)]
    for entry in _CONVNEXTS:

        def like(stage: Stage, index: int, entry: str = entry) -> Stage:
            block = load_architecture(entry).stages[index].block(0)
            assert isinstance(block, MixerFirst)
            assert isinstance(block.mixer, Depthwise)
            mixer = replace(block.mixer, kernel=kernels[index])
            start = None if block.layer_scale is None else scale
            return replace(stage, blocks=(replace(block, mixer=mixer, layer_scale=start),))

        if len(kernels) == _STAGES and _is_alike(architecture, entry, like):
            arguments = {
                "depths": [stage.depth for stage in architecture.stages],
                "dims": [stage.width for stage in architecture.stages],
                "kernel_sizes": kernels,
                "ls_init_value": scale,
                "use_grn": scale is None,
                "conv_mlp": False,
            }
            yield TimmClass(entry=entry, arguments=arguments, layout=TIMM)


def _resnet(architecture: Architecture) -> Iterator[TimmClass]:
    """Depths are free."""
    if len(architecture.stages) != _STAGES:
        return
    for entry in _RESNETS:
        widths = [stage.width for stage in load_architecture(entry).stages]
        same = widths == [stage.width for stage in architecture.stages]
        if same and _is_alike(architecture, entry, lambda stage, index: stage):
            layers = [stage.depth for stage in architecture.stages]
            yield TimmClass(entry=entry, arguments={"layers": layers}, layout=RESNET, convolves=True)


_READERS: tuple[Callable[[Architecture], Iterator[TimmClass]], ...] = (_convnext, _resnet)


def _is_alike(architecture: Architecture, preset: str, like: Callable[[Stage, int], Stage]) -> bool:
    """Whether a preset with an architecture's depths and widths, and what `like` changes, is that architecture."""
    known = load_architecture(preset)
    try:
        stages = tuple(
            like(replace(theirs, depth=ours.depth, width=ours.width), index)
            for index, (ours, theirs) in enumerate(zip(architecture.stages, known.stages, strict=True))
        )
        return replace(known, stages=stages, drop_path=architecture.drop_path) == architecture
    except UserError:  # such a network cannot be
        return False
