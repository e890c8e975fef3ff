"""What every part of an architecture is: data that knows its price and builds its owner.

A *spec* is a frozen dataclass registered under its YAML name, with `cost(site)` in closed form and `build(site)`. A
*site* is the place it stands at: widths and map size. New parts are new files that subclass one of the families here.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from torch import nn

from nas import plugins
from nas.cost import NOTHING, Cost, parameter_cost
from nas.errors import FieldError, UserError
from nas.registry import Registry, did_you_mean
from nas.schema.fields import FieldType, check_fields, field_types


@dataclass(frozen=True, slots=True)
class Site:
    """Where a part stands.

    Attributes:
        width_in: channels that come in.
        width: channels that go out.
        size: side of the incoming map in pixels.
        stride: factor the part reduces the map by, where the part leaves that open.
    """

    width_in: int
    width: int
    size: int
    stride: int = 1

    @property
    def size_out(self) -> int:
        """Side of the outgoing map of a convolution with odd kernel, 'same' padding and this stride."""
        return math.ceil(self.size / self.stride)

    @property
    def changes_shape(self) -> bool:
        """Whether a shortcut around the part needs a projection."""
        return self.stride != 1 or self.width_in != self.width

    def inside(self, width: int) -> Site:
        """A part of `width` channels on the outgoing map."""
        return Site(width, width, self.size_out)


class Spec(ABC):
    """A part of an architecture: frozen, hashable, with a canonical form.

    Subclasses are frozen dataclasses; their rules stand in their annotations (see `nas.schema.fields`). Rules between
    fields are checked in `check`.
    """

    kind: ClassVar[str] = ""
    plugin: ClassVar[str | None] = None
    """The plug-in that it comes with; None for what the program brings along."""

    def __post_init__(self) -> None:
        """Raise FieldError where a value breaks its rule."""
        check_fields(self)
        self.check()

    def check(self) -> None:
        """Rules that join several fields; raises FieldError."""
        return

    def require(self, site: Site) -> None:
        """Rules that join a spec with the place it stands at; raises FieldError."""
        return

    @classmethod
    def is_of(cls, label: str) -> bool:
        """Whether it comes with the plug-in of this label (`NAME==VERSION`)."""
        return cls.plugin is not None and plugins.label_of(cls.plugin) == label

    @abstractmethod
    def build(self, site: Site) -> nn.Module:
        """The module, with uninitialised or default weights."""

    @abstractmethod
    def cost(self, site: Site) -> Cost:
        """Its price at `site`, equal to what counting the built module gives."""

    def size_out(self, site: Site) -> int:
        """Side of the outgoing map in pixels."""
        return site.size_out

    def canonical(self) -> str | dict[str, Any]:
        """Plain data that reads back to an equal spec; fields at their default are left out.

        Leaving defaults out keeps ids stable when a part gains an option. A part of a plug-in names that and its
        version.
        """
        types = field_types(type(self))
        values = {
            field.name: canonical_value(getattr(self, field.name))
            for field in fields(self)  # type: ignore[arg-type]
            if getattr(self, field.name) != types[field.name].default
        }
        origin = {} if self.plugin is None else {"plugin": plugins.label_of(self.plugin)}
        return {"kind": self.kind, **origin, **values} if values or origin else self.kind

    def __str__(self) -> str:
        return _in_words(self.canonical())


_SAID = ("kind", "plugin")


def _in_words(form: Any) -> str:
    """A canonical form on one line: `depthwise(kernel=3, bias=false)`, `[batchnorm, gelu]`."""
    if isinstance(form, list):
        return f"[{', '.join(map(_in_words, form))}]"
    if form is None or isinstance(form, bool):
        return {None: "null", True: "true", False: "false"}[form]
    if not isinstance(form, Mapping):
        return str(form)
    fields = ", ".join(f"{key}={_in_words(value)}" for key, value in form.items() if key not in _SAID)
    return f"{form['kind']}({fields})" if fields else str(form["kind"])


def canonical_value(value: Any) -> Any:
    """A field's value as plain data, parts and lists of parts in their canonical form."""
    if isinstance(value, tuple):
        return [canonical_value(one) for one in value]
    return value.canonical() if isinstance(value, Spec) else value


S = TypeVar("S", bound=Spec)
_REMEMBERED = 100_000


class Family(Registry[type[S]]):
    """The registered specs of one kind of part: all mixers, all norms."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._read: dict[str, S] = {}  # specs are frozen, so one instance can stand in any number of architectures

    def register(self, name: str, *, module: str | None = None) -> Callable[[type[S]], type[S]]:
        """Decorator that registers a spec class and tells it its name."""
        put = super().register(name, module=module)

        def named(cls: type[S]) -> type[S]:
            put(cls)
            cls.kind, cls.plugin = name, self.plugin_of(name)
            return cls

        return named

    def read(self, data: Any) -> S:
        """The spec of a canonical form: a name, or a mapping with `kind` and fields.

        Raises:
            UnknownNameError: no such kind.
            UserError: the plug-in that it is of is not loaded, or in another version.
            FieldError: an unknown field or a value that breaks a rule.
        """
        if isinstance(data, str):
            return self[data]()
        if not isinstance(data, Mapping) or "kind" not in data:
            raise UserError(f"a {self.kind} is a name or a mapping with 'kind', got {data!r}")
        form = repr(data)
        known = self._read.get(form)
        if (
            known is None
        ):  # a search reads the same few parts again and again: building a point takes a third of the time
            known = self._read_mapping(data)
            if len(self._read) < _REMEMBERED:
                self._read[form] = known
        return known

    def _read_mapping(self, data: Mapping[str, Any]) -> S:
        if "plugin" in data:
            plugins.find(data["plugin"])
        cls = self[data["kind"]]
        if "plugin" in data and not cls.is_of(data["plugin"]):
            raise FieldError("plugin", f"{self.kind} {cls.kind!r} is not of {data['plugin']}")
        types = field_types(cls)
        values = {}
        for key, value in data.items():
            if key in _SAID:
                continue
            if key not in types:
                raise FieldError(key, f"unknown key {key!r} of {self.kind} {cls.kind!r}; {did_you_mean(key, types)}")
            values[key] = _read_value(value, types[key])
        return cls(**values)


def _read_value(value: Any, kind: FieldType) -> Any:
    if kind.many:
        return tuple(_read_value(one, kind.entry) for one in value) if isinstance(value, list | tuple) else value
    if kind.spec is None or value is None or kind.accepts(value) or isinstance(value, kind.spec):
        return value
    return family_of(kind.spec).read(value)


class Step(Spec):
    """What can stand in a sequence of layers: a norm, an activation, a gate, a mixer or a layer proper.

    Attributes:
        sees_place: whether its site there has, as `width`, the channels of the place the sequence stands at; without,
            both widths are those that come in.
    """

    sees_place: ClassVar[bool] = False

    def width_out(self, site: Site) -> int:
        """Channels that go out, where `site.width_in` come in."""
        return site.width_in

    def require_inside(self, site: Site) -> None:
        """Rules in a sequence, where the width may change; raises FieldError."""
        self.require(site)

    def folds(self, site: Site) -> bool | None:
        """Whether the one convolution that this is, when deployed, has a bias; None where it is no convolution."""
        return None


class Norm(Step):
    """Normalises a map; `site.width` channels in and out."""


class Activation(Step):
    """An element-wise non-linearity; by the convention of the papers it costs nothing but parameters."""

    learned: ClassVar[int] = 0
    """Parameters of one use."""

    def cost(self, site: Site) -> Cost:
        """Its parameters; element-wise operations are not counted."""
        return parameter_cost(self.learned) if self.learned else NOTHING


class Mixer(Step):
    """Mixes positions: the spatial operation of a block. Keeps the width unless it says otherwise."""

    @property
    def multiple(self) -> int:
        """What the channels it works on must be a multiple of."""
        return 1


class Layer(Step):
    """A layer of a sequence that may change width and map.

    Its site has the channels that come in as `width_in` and, as `width`, those of the place the sequence stands at.
    """

    sees_place: ClassVar[bool] = True


def refuse_stride(mixer: Mixer, site: Site) -> None:
    """Raise FieldError where `mixer`, which keeps the map, stands in a block that reduces it."""
    if site.stride != 1:
        raise FieldError("mixer", f"{mixer.kind} keeps the map and cannot stride; use a separate downsample")


class Gate(Step):
    """Weighs the channels of a map by what the map holds; `site.width` channels in and out.

    `site.width_in` are the channels that come into the block it stands in.
    """


class FeedForward(Spec):
    """The second half of a metaformer block: mixes channels; `site.width` channels in and out."""


class Block(Spec):
    """A residual block: `site.width_in` channels in, `site.width` out, the map reduced by `site.stride`."""

    @abstractmethod
    def build(self, site: Site, drop_path: float = 0.0) -> nn.Module:
        """The module; `drop_path` is the rate of its residual branches."""


class Stem(Spec):
    """Turns the image into the first map."""

    def width(self, stage_width: int) -> int:
        """Channels it puts out, for a first stage of `stage_width` channels."""
        return stage_width


def shared_width(share: float, stage_width: int) -> int:
    """The channels of a stem that is narrower than the first stage, as ResNet's is."""
    return max(1, round(share * stage_width))


class Downsample(Spec):
    """Reduces the map between two stages.

    Attributes:
        stride: the factor.
        in_block: whether that is left to the first block of the stage.
    """

    stride: int = 2
    in_block: ClassVar[bool] = False

    def width_out(self, site: Site) -> int:
        """Channels that go out, for a stage of `site.width` channels."""
        return site.width


class Head(Spec):
    """Turns the last map into `site.width` logits, or into pooled features where that is 0."""


norms: Family[Norm] = Family("norm")
activations: Family[Activation] = Family("activation")
mixers: Family[Mixer] = Family("mixer")
gates: Family[Gate] = Family("gate")
ffns: Family[FeedForward] = Family("ffn")
blocks: Family[Block] = Family("block")
stems: Family[Stem] = Family("stem")
downsamples: Family[Downsample] = Family("downsample")
heads: Family[Head] = Family("head")
layers: Family[Layer] = Family("layer")

FAMILIES: tuple[tuple[type, Family[Any]], ...] = (
    (Norm, norms),
    (Activation, activations),
    (Mixer, mixers),
    (Gate, gates),
    (FeedForward, ffns),
    (Block, blocks),
    (Stem, stems),
    (Downsample, downsamples),
    (Head, heads),
    (Layer, layers),
)


class _Steps(Family[Step]):
    """Everything that can stand in a sequence, whatever its family."""

    _families: tuple[Family[Any], ...] = (layers, norms, activations, gates, mixers)

    def __getitem__(self, name: str) -> type[Step]:
        found = next((family for family in self._families if name in family), None)
        return super().__getitem__(name) if found is None else found[name]

    def __iter__(self) -> Iterator[str]:
        return (name for family in self._families for name in family)

    def __contains__(self, name: object) -> bool:
        return any(name in family for family in self._families)


steps: Family[Step] = _Steps("layer of a sequence")


def family_of(base: type) -> Family[Any]:
    """The family a field annotated with `base` is read from."""
    if base is Step:
        return steps
    for family_base, family in FAMILIES:
        if issubclass(base, family_base):
            return family
    raise TypeError(f"{base.__name__} is no family of specs")
