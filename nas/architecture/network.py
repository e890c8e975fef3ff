"""From an architecture to a PyTorch network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nas.architecture.architecture import NOMINAL_RESOLUTION, Architecture
from nas.architecture.checkpointing import CheckpointedBlocks
from nas.architecture.initialise import Init, initialise
from nas.errors import FieldError, UserError
from nas.layers import Block, Site, Spec, drop_path_rates
from nas.task import Task


class StageModule(nn.Module):
    """Downsampling, blocks and norm of one stage."""

    def __init__(self, downsample: nn.Module, blocks: Sequence[nn.Module], norm: nn.Module) -> None:
        """Join the parts of a stage."""
        super().__init__()
        self.downsample = downsample
        self.blocks = nn.Sequential(*blocks)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C, H_out, W_out)."""
        y: Tensor = self.norm(self.blocks(self.downsample(x)))
        return y


class FeatureInfo(list[dict[str, Any]]):
    """Of each map that a backbone returns, a dict of `num_chs`, `reduction` and `module`, in timm's words."""

    def channels(self) -> list[int]:
        """Channels of each map."""
        return [one["num_chs"] for one in self]

    def reduction(self) -> list[int]:
        """By what each map is smaller than the image."""
        return [one["reduction"] for one in self]

    def module_name(self) -> list[str]:
        """Where each map comes from."""
        return [one["module"] for one in self]


class Network(nn.Module):
    """A classifier: stem, stages, head. Its methods are those that timm's models have, by the same names.

    Attributes:
        feature_info: of the map of every stage.
        num_features: channels of the last map, which `forward_features` gives.
        head_hidden_size: channels that the classifier takes; of features where there is none.
    """

    __jit_unused_properties__ = ("num_classes",)

    def __init__(
        self, stem: nn.Module, stages: Sequence[StageModule], head: nn.Module, info: FeatureInfo | None = None
    ) -> None:
        """Join the parts of a network."""
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.head = head
        self.feature_info = FeatureInfo() if info is None else info
        self.num_features: int = self.feature_info[-1]["num_chs"] if self.feature_info else 0
        classifier = self.get_classifier()
        self.head_hidden_size = self.num_features if classifier is None else classifier.in_features

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, classes), or pooled features (N, C) without classes."""
        y: Tensor = self.head(self.forward_features(x))
        return y

    def forward_features(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> the map of the last stage (N, C, H_out, W_out)."""
        x = self.stem(_in_fast_memory(x))
        for stage in self.stages:
            x = stage(x)
        return x

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """(N, C, H, W) of the last stage -> (N, classes), or with `pre_logits` what the classifier takes."""
        if not pre_logits:
            y: Tensor = self.head(x)
            return y
        for name, layer in self.head.named_children():
            if name != CLASSIFIER:
                x = layer(x)
        return x

    def get_classifier(self) -> nn.Linear | None:
        """The layer that gives the logits, of several that are averaged the last one; None where there is none."""
        found = _classifiers(self.head)
        return found[-1][1] if found else None

    @property
    def num_classes(self) -> int:
        """Logits; 0 where the network gives features."""
        classifier = self.get_classifier()
        return 0 if classifier is None else classifier.out_features

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh classifier in place of the old one; every other weight stays.

        Args:
            num_classes: its outputs; 0 for features (N, `head_hidden_size`) instead of logits.

        Raises:
            UserError: less than no class, or the network was built without a classifier.
        """
        if num_classes < 0:
            raise UserError(f"num_classes must be at least 0, got {num_classes}")
        if CLASSIFIER not in dict(self.head.named_children()):
            raise UserError("the network was built without a classifier; build it with classes")
        like = next(self.parameters())
        if num_classes == 0:
            setattr(self.head, CLASSIFIER, nn.Identity())
            return
        for name in [name for name, _ in _classifiers(self.head)] or [CLASSIFIER]:
            new = nn.Linear(self.head_hidden_size, num_classes)
            nn.init.trunc_normal_(new.weight, std=0.02)
            nn.init.zeros_(new.bias)
            parent, _, last = name.rpartition(".")
            setattr(self.head.get_submodule(parent), last, new.to(like.device, like.dtype))

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """In training keep only the inputs of the blocks, or everything again: the same gradients, another memory."""
        set_checkpointing(self, enable=enable)

    def no_weight_decay(self) -> set[str]:
        """Parameters that the papers do not decay: norms, biases, layer scales; all that have one dimension."""
        return {name for name, parameter in self.named_parameters() if parameter.ndim <= 1}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """How names tell a parameter's layer, for timm's decay of the learning rate by layers.

        Args:
            coarse: a layer a stage, not a block.
        """
        if coarse:
            return {"stem": r"^stem", "blocks": r"^stages\.(\d+)"}
        downsample, norm = (r"^stages\.(\d+)\.downsample", (0,)), (r"^stages\.(\d+)\.norm", (_LAST,))
        return {"stem": r"^stem", "blocks": [downsample, (r"^stages\.(\d+)\.blocks\.(\d+)", None), norm]}


CLASSIFIER = "linear"
"""The child of every head that gives the logits."""

_LAST = 99999  # of a stage's blocks, in timm's way


def _classifiers(head: nn.Module) -> list[tuple[str, nn.Linear]]:
    """The linear layers by name that give the logits: one, or several whose mean is taken."""
    child = dict(head.named_children()).get(CLASSIFIER)
    if child is None:
        return []
    found = child.named_modules(prefix=CLASSIFIER)
    return [(name, one) for name, one in found if isinstance(one, nn.Linear)]


class FeaturePyramid(nn.Module):
    """A backbone: the maps of chosen stages, in the convention of timm and the detection toolboxes.

    Attributes:
        feature_info: for each returned map, channels, reduction (of the input's side) and module.
    """

    def __init__(self, stem: nn.Module, stages: Sequence[nn.Module], outputs: Sequence[int], info: FeatureInfo) -> None:
        """Keep the stages up to the last one that is asked for."""
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages[: max(outputs) + 1])
        self.outputs = list(outputs)
        self.feature_info = info

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, C_in, H, W) -> one map (N, C_i, H_i, W_i) for each chosen stage."""
        maps: list[Tensor] = []
        x = self.stem(_in_fast_memory(x))
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self.outputs:
                maps.append(x)
        return maps

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """As that of `Network`."""
        set_checkpointing(self, enable=enable)


def set_checkpointing(network: nn.Module, *, enable: bool) -> None:
    """Let the blocks of all stages be checkpointed in training, or not."""
    kind = CheckpointedBlocks if enable else nn.Sequential
    for stage in network.modules():
        if isinstance(stage, StageModule):
            stage.blocks = kind(*stage.blocks).train(stage.training)


def _in_fast_memory(x: Tensor) -> Tensor:
    """Images in the memory format that all convolutions then follow.

    Channels last on a CPU: forward and backward of ResNet-50 in 1,071 ms instead of 1,957 (224 x 224, batch 4, one
    thread); ConvNeXt, whose layers ask for that format themselves, in 1,120 instead of 1,135.
    """
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


def build(
    architecture: Architecture,
    classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    *,
    out_indices: Sequence[int] | None = None,
    drop_path: float | None = None,
    checkpoint: bool = False,
    init: Init = "normal",
) -> nn.Module:
    """The network of an architecture, freshly initialised on the CPU from the default generator.

    Args:
        architecture: what to build.
        classes: outputs of the classifier; 0 gives pooled features (N, C).
        in_channels: channels of the images.
        features_only: return the feature pyramid instead of logits.
        out_indices: with `features_only`, the stages whose maps are returned; default all.
        drop_path: stochastic-depth rate instead of the architecture's own.
        checkpoint: in training, keep only the inputs of the blocks and compute the rest a second time when it is
            needed: the same numbers from less memory.
        init: rule of the starting weights, see `nas.architecture.initialise`.

    Raises:
        FieldError: `out_indices` without `features_only`, or outside the stages.
    """
    network = skeleton(architecture, classes, in_channels, features_only, out_indices=out_indices, drop_path=drop_path)
    if checkpoint:
        set_checkpointing(network, enable=True)
    return initialise(network.to_empty(device="cpu"), init)


def skeleton(
    architecture: Architecture,
    classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    *,
    out_indices: Sequence[int] | None = None,
    drop_path: float | None = None,
) -> nn.Module:
    """What `build` makes, on the `meta` device: every module and shape, no memory and no weights."""
    task = Task(resolution=NOMINAL_RESOLUTION, classes=classes, channels=in_channels)
    with torch.device("meta"):
        modules = _modules(architecture, task, architecture.drop_path if drop_path is None else drop_path)
        stages = [_stage(modules, index) for index in range(len(architecture.stages))]
    if features_only:
        outputs = _checked_outputs(out_indices, len(stages))
        return FeaturePyramid(modules["stem"], stages, outputs, _feature_info(architecture, task, outputs))
    if out_indices is not None:
        raise FieldError("out_indices", "only means something with features_only=True")
    everything = _feature_info(architecture, task, range(len(stages)))
    return Network(modules["stem"], stages, modules["head"], everything)


def backbone(network: Network, architecture: Architecture, out_indices: Sequence[int] | None = None) -> FeaturePyramid:
    """The feature pyramid of a network, whose stem and stages it shares.

    Raises:
        FieldError: `out_indices` outside the stages.
    """
    outputs = _checked_outputs(out_indices, len(network.stages))
    info = _feature_info(architecture, Task(resolution=NOMINAL_RESOLUTION), outputs)
    return FeaturePyramid(network.stem, list(network.stages), outputs, info)


def _modules(architecture: Architecture, task: Task, drop_path: float) -> dict[str, nn.Module]:
    """Every module by the name of its part, blocks one by one."""
    rates = iter(drop_path_rates(drop_path, architecture.depth))
    modules: dict[str, nn.Module] = {}
    for name, _, spec, site, times in architecture.parts(task):
        if isinstance(spec, Block):
            prefix, _, first = name.rpartition(".")
            for offset in range(times):
                modules[f"{prefix}.{int(first) + offset}"] = spec.build(site, next(rates))
        else:
            modules[name] = _build(spec, site)
    return modules


def _build(spec: Spec, site: Site) -> nn.Module:
    return spec.build(site)


def _stage(modules: dict[str, nn.Module], index: int) -> StageModule:
    prefix = f"stages.{index}"
    blocks = [module for name, module in modules.items() if name.startswith(f"{prefix}.blocks.")]
    nothing = nn.Identity()
    return StageModule(modules.get(f"{prefix}.downsample", nothing), blocks, modules.get(f"{prefix}.norm", nothing))


def _checked_outputs(asked: Sequence[int] | None, stages: int) -> list[int]:
    outputs = list(range(stages)) if asked is None else sorted(index % stages for index in asked if -stages <= index)
    if not outputs or (asked is not None and not all(-stages <= index < stages for index in asked)):
        raise FieldError("out_indices", f"must name stages 0 to {stages - 1}, got {asked!r}")
    return outputs


def _feature_info(architecture: Architecture, task: Task, outputs: Sequence[int]) -> FeatureInfo:
    size = {part.stage: part.spec.size_out(part.site) for part in architecture.parts(task) if part.stage is not None}
    return FeatureInfo(
        {
            "num_chs": architecture.stages[index].width,
            "reduction": round(task.resolution / size[index]),
            "module": f"stages.{index}",
        }
        for index in outputs
    )
