"""Every registered part, in every form that differs from its default in one field, at several places."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from nas.architecture.initialise import initialise
from nas.errors import FieldError
from nas.layers import FAMILIES, Activation, Block, Downsample, Head, Mixer, Norm, Site, Spec, Stem, family_of
from nas.schema.fields import FieldType, field_types

KINDS = [(family.kind, kind) for _, family in FAMILIES for kind in family]

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


def family(name: str) -> Any:
    return next(one for _, one in FAMILIES if one.kind == name)


def variants(family_name: str, kind: str) -> Iterator[Spec]:
    cls = family(family_name)[kind]
    yield cls()
    for name, field in field_types(cls).items():
        for value in _alternatives(field):
            try:
                yield cls(**{name: value})
            except FieldError:
                continue  # not a value of this field


def places(spec: Spec) -> Iterator[Site]:
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
    return torch.randn(batch, site.width_in, site.size, site.size, generator=torch.Generator().manual_seed(seed))


def shaken(module: nn.Module, *, seed: int = 0) -> nn.Module:
    """Norms and scales away from their start, where too much is 0 or 1 to tell forms apart."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if not tensor.is_floating_point():
                continue
            if "running_var" in name or tensor.ndim < 2:
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            else:
                scale = tensor[0].numel() ** -0.5
                tensor.copy_(scale * torch.randn(tensor.shape, generator=generator))
    return module


def _alternatives(field: FieldType) -> Iterator[Any]:
    if field.optional:
        yield None
    if field.spec is not None:
        known = family_of(field.spec)
        tried = _INSIDE.get(field.spec, tuple(known))
        yield from (known[kind]() for kind in tried if kind in known)
    for kind in field.plain:
        yield from {bool: (True, False), int: (2, 3, 5), float: (0.5, 2.0), str: ()}.get(kind, (kind,))
