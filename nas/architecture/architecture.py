"""The architecture: a frozen tree of specs, the only thing that is sampled, stored, sent, built and exported."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import yaml

from nas.cost import NOTHING, Cost
from nas.errors import FieldError, MisfitError, UserError
from nas.layers import Block, Downsample, Head, Norm, Site, Spec, Stem, blocks, downsamples, heads, norms, stems
from nas.layers.mixer_first import MixerFirst
from nas.layers.patchify import Patchify
from nas.layers.pool_norm_linear import PoolNormLinear
from nas.notebook import heading, in_words, table
from nas.registry import did_you_mean
from nas.schema.fields import shown
from nas.schema.nodes import Node, read_yaml
from nas.schema.problems import Problems
from nas.task import Task

ID_LENGTH = 12
NOMINAL_RESOLUTION = 1 << 20
"""For what depends on widths and not on maps; no stride uses it up."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One resolution level: `depth` blocks of `width` channels.

    Attributes:
        depth: number of blocks.
        width: channels of every block's output.
        blocks: the repeating pattern of blocks; mostly one.
        downsample: what leads to this stage; mostly None for the first, where the stem does.
        norm: a norm after the last block (VAN), or None.
    """

    depth: int
    width: int
    blocks: tuple[Block, ...] = (MixerFirst(),)
    downsample: Downsample | None = None
    norm: Norm | None = None

    def __post_init__(self) -> None:
        """Check the numbers and bring the block pattern to its shortest form."""
        for name in ("depth", "width"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise FieldError(name, f"must be a whole number of at least 1, got {value!r}")
        if not self.blocks:
            raise FieldError("block", "a stage needs a block")
        object.__setattr__(self, "blocks", _shortest_pattern(self.blocks, self.depth))

    def block(self, index: int) -> Block:
        """The block at position `index`."""
        return self.blocks[index % len(self.blocks)]

    def canonical(self) -> dict[str, Any]:
        """Plain data; what is at its default is left out."""
        forms = [block.canonical() for block in self.blocks]
        data: dict[str, Any] = {"depth": self.depth, "width": self.width}
        data["block"] = forms[0] if len(forms) == 1 else {"pattern": forms}
        if self.downsample is not None:
            data["downsample"] = self.downsample.canonical()
        if self.norm is not None:
            data["norm"] = self.norm.canonical()
        return data

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `canonical`; raises UserError as `Family.read` does."""
        _refuse_unknown(data, ("depth", "width", "block", "downsample", "norm"), "a stage")
        block = data.get("block", MixerFirst.kind)
        pattern = block["pattern"] if isinstance(block, Mapping) and "pattern" in block else [block]
        return cls(
            depth=data["depth"],
            width=data["width"],
            blocks=tuple(blocks.read(form) for form in pattern),
            downsample=None if data.get("downsample") is None else downsamples.read(data["downsample"]),
            norm=None if data.get("norm") is None else norms.read(data["norm"]),
        )


class Part(NamedTuple):
    """Equal parts of a network in a row, and where they stand.

    Attributes:
        name: `stem`, `stages.I.downsample`, `stages.I.blocks.J` (J is the first of the row), `stages.I.norm`, `head`.
        stage: the index of the stage, None for stem and head.
        spec: what it is.
        site: where the first of them stands.
        times: how many.
    """

    name: str
    stage: int | None
    spec: Spec
    site: Site
    times: int = 1

    @property
    def cost(self) -> Cost:
        """The price of all of them."""
        one = self.spec.cost(self.site)
        return one if self.times == 1 else one * self.times


@dataclass(frozen=True, kw_only=True, repr=False)
class Architecture:
    """A network as data: hashable, with a canonical dict and an id. Equal structure, equal id.

    Attributes:
        stages: the resolution levels.
        stem: from the image to the first map.
        head: from the last map to logits.
        drop_path: stochastic-depth rate of the last block; the first block has 0, linear between.
        resolution: side of the images that it is for, where that was chosen along with it; None for any.
    """

    stages: tuple[Stage, ...]
    stem: Stem = Patchify()
    head: Head = PoolNormLinear()
    drop_path: float = 0.0
    resolution: int | None = None

    def __post_init__(self) -> None:
        """Check what joins the parts; raises MisfitError where one cannot stand at its place."""
        if not self.stages:
            raise FieldError("stages", "an architecture needs at least one stage")
        if type(self.drop_path) not in (int, float) or not 0 <= self.drop_path < 1:
            raise FieldError("drop_path", f"must be a rate of at least 0 and below 1, got {self.drop_path!r}")
        object.__setattr__(self, "drop_path", float(self.drop_path))
        if self.resolution is not None:
            Task(resolution=self.resolution)
        for part in self.parts(Task(resolution=NOMINAL_RESOLUTION)):
            try:
                part.spec.require(part.site)
            except FieldError as error:
                raise MisfitError(part.name, error.field, error.rule) from None

    @property
    def depth(self) -> int:
        """Blocks in all stages together."""
        return sum(stage.depth for stage in self.stages)

    @property
    def plugins(self) -> tuple[str, ...]:
        """The plug-ins that its parts are of, as `NAME==VERSION`."""
        return tuple(sorted(set(_plugins_in(self.to_dict()))))

    @cached_property
    def id(self) -> str:
        """A short hash of the canonical form."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]

    def to_dict(self) -> dict[str, Any]:
        """The canonical dict, ready for JSON; fields at their default are left out."""
        data: dict[str, Any] = {
            "stem": self.stem.canonical(),
            "stages": [stage.canonical() for stage in self.stages],
            "head": self.head.canonical(),
        }
        if self.drop_path:
            data["drop_path"] = self.drop_path
        if self.resolution is not None:
            data["resolution"] = self.resolution
        return data

    def task_of(self, task: Task) -> Task:
        """A task at the network's own resolution, where it has one."""
        return task if self.resolution is None else replace(task, resolution=self.resolution)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`.

        Raises:
            UserError: an unknown kind or field, or a value that breaks a rule.
        """
        _refuse_unknown(data, ("stem", "stages", "head", "drop_path", "resolution"), "an architecture")
        try:
            return cls(
                stem=stems.read(data.get("stem", Patchify.kind)),
                stages=tuple(Stage.read(stage) for stage in data["stages"]),
                head=heads.read(data.get("head", PoolNormLinear.kind)),
                drop_path=data.get("drop_path", 0.0),
                resolution=data.get("resolution"),
            )
        except KeyError as error:
            raise UserError(f"an architecture needs the key {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as a file that `load` and every command read: JSON where the name ends in .json, else YAML.

        Raises:
            UserError: the file cannot be written.
        """
        data = self.to_dict()
        is_json = os.fspath(path).endswith(".json")
        text = json.dumps(data, indent=2) + "\n" if is_json else yaml.safe_dump(data, sort_keys=False, width=110)
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The architecture of a file that `save` wrote, or a command with `--json`.

        Raises:
            UserError: the file holds something else.
            SchemaError: it cannot be read.
        """
        node, problems = read_yaml(Path(path))
        found = cls.read(node, problems)
        if found is None and "stages" in node.mapping:
            raise UserError(
                f"{path}: in the words of a space, as `nas show --yaml` and exported folders have them; read it with "
                f"nas.load_architecture({str(path)!r})"
            )
        if found is None:
            raise UserError(f"{path}: not an architecture: there are no stages in it")
        return found

    @classmethod
    def read(cls, node: Node, problems: Problems) -> Self | None:
        """The architecture that a file holds as `to_dict` gives it, alone or with its costs; None for other files.

        Raises:
            UserError: it holds several architectures, or one that breaks a rule.
            SchemaError: it has problems.
        """
        name, found = problems.source.name, node
        if node.is_list and len(node.items) == 1:
            found = node.items[0]
        elif node.is_list:
            raise UserError(
                f"{name}: holds {len(node.items)} architectures; `nas sample -o DIR` writes a file for each"
            )
        if "architecture" in found.mapping:
            found = found.mapping["architecture"]
        elif "stages" not in found.mapping or not found.mapping["stages"].is_list:
            return None
        problems.check()
        if not found.is_mapping:
            raise UserError(f"{name}: architecture is a mapping with stem, stages and head, got {shown(found.plain())}")
        try:
            return cls.from_dict(found.plain())
        except (TypeError, ValueError) as error:
            raise UserError(f"{name}: not an architecture: {error}") from None
        except UserError as error:
            raise UserError(f"{name}: {error}") from None

    def __repr__(self) -> str:
        depths, widths = ("-".join(str(getattr(one, name)) for one in self.stages) for name in ("depth", "width"))
        return f"Architecture({self.id}: {depths} blocks of {widths} channels)"

    def _repr_html_(self) -> str:
        """A row for stem, head and every stage, for a notebook."""
        rows = [["stem", "", "", in_words(self.stem.canonical())]]
        for number, stage in enumerate(self.stages, start=1):
            form = stage.canonical()
            more = [f"{name}: {in_words(form[name])}" for name in ("downsample", "norm") if name in form]
            blocks = "; ".join([in_words(form["block"]), *more])
            rows.append([f"stage {number}", str(stage.depth), str(stage.width), blocks])
        rows.append(["head", "", "", in_words(self.head.canonical())])
        return heading(f"Architecture {self.id}") + table(("", "blocks", "width", "made of"), rows)

    def parts(self, task: Task) -> Iterator[Part]:
        """Every part with its site, from the image to the logits; the one walk behind cost, network and drawing.

        Raises:
            UserError: the task's resolution is too small for the strides.
        """
        first = self.stages[0].width
        site = Site(task.channels, self.stem.width(first), task.resolution)
        yield Part("stem", None, self.stem, site)
        width, size = site.width, self._checked(self.stem.size_out(site), task)
        for index, stage in enumerate(self.stages):
            stride = 1
            if stage.downsample is not None:
                in_block = stage.downsample.in_block
                site = Site(width, width if in_block else stage.width, size)
                yield Part(f"stages.{index}.downsample", index, stage.downsample, site)
                width, size = stage.downsample.width_out(site), self._checked(stage.downsample.size_out(site), task)
                stride = stage.downsample.stride if in_block else 1
            for part in _rows(stage, index, Site(width, stage.width, size, stride)):
                yield part
                width, size = stage.width, part.spec.size_out(part.site)
            if stage.norm is not None:
                yield Part(f"stages.{index}.norm", index, stage.norm, Site(width, width, size))
        yield Part("head", None, self.head, Site(width, task.classes, size))

    def _checked(self, size: int, task: Task) -> int:
        if size < 1:
            raise UserError(
                f"a {task.resolution}x{task.resolution} image is too small for architecture {self.id}: "
                "its strides reduce it to nothing; raise the resolution"
            )
        return size


def estimate(architecture: Architecture, task: Task) -> Cost:
    """What the whole network costs, in closed form: no module is built, a fraction of a millisecond."""
    return sum((part.cost for part in architecture.parts(task)), NOTHING)


def _rows(stage: Stage, index: int, first: Site) -> Iterator[Part]:
    """The blocks of a stage, equal neighbours joined; the first may stride or change the width."""
    inner = Site(stage.width, stage.width, first.size_out)
    start = 0
    while start < stage.depth:
        site = first if start == 0 else inner
        end = start + 1
        while end < stage.depth and stage.block(end) == stage.block(start) and site == inner:
            end += 1
        yield Part(f"stages.{index}.blocks.{start}", index, stage.block(start), site, end - start)
        start = end


def _shortest_pattern(pattern: tuple[Block, ...], depth: int) -> tuple[Block, ...]:
    """The shortest pattern that gives the same block at each of `depth` positions."""
    row = [pattern[index % len(pattern)] for index in range(depth)]
    for period in range(1, depth + 1):
        if all(row[index] == row[index % period] for index in range(depth)):
            return tuple(row[:period])
    return tuple(row)


def _plugins_in(form: Any) -> Iterator[str]:
    if isinstance(form, Mapping):
        if "plugin" in form:
            yield form["plugin"]
        form = list(form.values())
    if isinstance(form, list):
        for one in form:
            yield from _plugins_in(one)


def _refuse_unknown(data: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for key in data:
        if key not in known:
            raise FieldError(key, f"unknown key {key!r} of {what}; {did_you_mean(key, known)}")
