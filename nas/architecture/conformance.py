"""What has to hold of every part: its price is what fvcore counts, its size the foretold one, its start complete.

Tests run it over the registries, and `nas grammar --check` over the parts of a plug-in: each in every form that differs
from its default in one field, at several places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from nas.architecture.crosscheck import count
from nas.architecture.fuse import fuse
from nas.architecture.initialise import initialise
from nas.errors import FieldError
from nas.layers import FAMILIES, Activation, Block, Downsample, Head, Mixer, Norm, Site, Spec, Stem, family_of
from nas.registry import Registry
from nas.schema.fields import FieldType, field_types

_SITES: dict[type, tuple[Site, ...]] = {
    Stem: (Site(3, 32, 32), Site(1, 16, 45)),
    Downsample: (Site(16, 32, 9), Site(24, 24, 8)),
    Block: (Site(32, 32, 7), Site(32, 64, 8, 2), Site(64, 32, 5), Site(32, 38, 6)),
    Head: (Site(32, 10, 5), Site(32, 0, 3)),
    Spec: (Site(64, 64, 6), Site(32, 32, 9, 2)),
}


# What is tried inside other parts: one of each sort (with and without parameters, a bias, a deployed form) is enough.
_INSIDE: dict[type, tuple[str, ...]] = {
    Activation: ("relu", "starrelu"),
    Norm: ("layernorm", "batchnorm", "rmsnorm"),
    Mixer: ("depthwise", "grouped", "large_kernel", "modulation", "parallel"),
}


def kinds() -> list[tuple[str, str]]:
    """Every registered part, as the words of its family and of itself."""
    return [(family.kind, kind) for _, family in FAMILIES for kind in family]


def plugin_kinds() -> list[tuple[str, str]]:
    """Those of plug-ins alone."""
    return [(one, kind) for one, kind in kinds() if family(one).plugin_of(kind) is not None]


def problems(family_name: str, kind: str) -> list[str]:
    """What does not hold of a part, a sentence each; nothing where it conforms. Takes some tenths of a second."""
    found = []
    placed = 0
    for number, spec in enumerate(variants(family_name, kind)):
        for site in list(places(spec))[: None if number == 0 else 1]:  # the default goes everywhere
            placed += 1
            found += [f"{spec} at {site}: {told}" for told in _told(spec, site)]
    return found if placed else [f"{family_name} {kind} can stand nowhere: `require` refuses every place"]


def _told(spec: Spec, site: Site) -> Iterator[str]:
    for check in CHECKS:
        try:
            problem = check(spec, site)
        except Exception as error:  # whatever somebody else's module raises
            problem = f"it fails: {type(error).__name__}: {error}"
        if problem is not None:
            yield problem


def cost_problem(spec: Spec, site: Site) -> str | None:
    """Whether `cost` is what fvcore counts on the module, as trained and merged."""
    cost, module, x = spec.cost(site), built(spec, site), image(site)
    said, counted = (cost.train_params, cost.train_flops, cost.train_activations), count(module, x)[:3]
    if said == counted and (cost.params, cost.flops) != (cost.train_params, cost.train_flops):
        said, counted = (cost.params, cost.flops, cost.activations), count(fuse(module), x)[:3]
    if said == counted:
        return None
    return f"(params, flops, activations) are {said} by its cost, {counted} by counting the module"


def size_problem(spec: Spec, site: Site) -> str | None:
    """Whether the map that comes out has the size of `size_out`."""
    y = built(spec, site).eval()(image(site))
    if y.ndim == 2 or y.shape[2:] == (spec.size_out(site),) * 2:
        return None
    return f"a map of {tuple(y.shape[2:])} comes out, {spec.size_out(site)} is what `size_out` says"


def start_problem(spec: Spec, site: Site) -> str | None:
    """Whether everything gets a start, and a gradient at the first step."""
    module = built(spec, site).train()
    y = module(image(site, batch=2).requires_grad_())
    (y * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if not tensor.isfinite().all():
            return f"{name} has no start: give its module a `reset_parameters`"
    for name, parameter in module.named_parameters():
        if parameter.grad is None or not parameter.grad.isfinite().all():
            return f"no gradient reaches {name}"
    return None


CHECKS: tuple[Callable[[Spec, Site], str | None], ...] = (cost_problem, size_problem, start_problem)


def family(name: str) -> Registry[Any]:
    """The family of this word."""
    return next(one for _, one in FAMILIES if one.kind == name)


def variants(family_name: str, kind: str) -> Iterator[Spec]:
    """A part by its defaults, then with one field changed at a time."""
    cls = family(family_name)[kind]
    yield cls()
    for name, field in field_types(cls).items():
        for value in _alternatives(field):
            try:
                yield cls(**{name: value})
            except FieldError:
                continue  # not a value of this field


def places(spec: Spec) -> Iterator[Site]:
    """Some places where a part may stand."""
    base = next((one for one in (Stem, Downsample, Block, Head) if isinstance(spec, one)), Spec)
    for site in _SITES[base]:
        try:
            spec.require(site)
        except FieldError:
            continue
        if base is Spec and site.stride != 1 and family_of(type(spec)).kind != "mixer":
            continue
        yield site


def built(spec: Spec, site: Site) -> nn.Module:
    """Made as `nas.build` makes networks, with a trap: what `initialise` forgets stays NaN."""
    with torch.device("meta"):
        module = spec.build(site)
    module = module.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.fill_(float("nan"))
    return initialise(module)


def image(site: Site, *, batch: int = 1, seed: int = 0) -> torch.Tensor:
    """A random map that fits the place, (N, C, H, W)."""
    return torch.randn(batch, site.width_in, site.size, site.size, generator=torch.Generator().manual_seed(seed))


def _alternatives(field: FieldType) -> Iterator[Any]:
    if field.optional:
        yield None
    if field.spec is not None:
        known = family_of(field.spec)
        tried = _INSIDE.get(field.spec, tuple(known))
        yield from (known[kind]() for kind in tried if kind in known)
    for kind in field.plain:
        yield from {bool: (True, False), int: (2, 3, 5), float: (0.5, 2.0), str: ()}.get(kind, (kind,))
