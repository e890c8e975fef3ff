"""What holds of every registered part; a new one is tested before its author writes a test."""

import pytest
import torch
from conformance import shaken

from nas.architecture.conformance import built, family, image, kinds, places, problems, variants

KINDS = kinds()
DEAR = [pytest.param(*kind, marks=[pytest.mark.slow] * bool(place % 4)) for place, kind in enumerate(KINDS)]
"""For what takes long: a quarter of the parts in the fast run, all of them in the slow one."""


@pytest.mark.parametrize(("family_name", "kind"), KINDS)
def test_every_part_stands_somewhere(family_name: str, kind: str) -> None:
    default = next(variants(family_name, kind))
    assert list(places(default))


@pytest.mark.parametrize(("family_name", "kind"), DEAR)
def test_cost_is_what_fvcore_counts_sizes_are_foretold_and_everything_learns(family_name: str, kind: str) -> None:
    assert problems(family_name, kind) == []


@pytest.mark.parametrize(("family_name", "kind"), DEAR)
def test_memory_format_does_not_change_the_result(family_name: str, kind: str) -> None:
    for spec in variants(family_name, kind):
        for site in places(spec):
            module, x = shaken(built(spec, site)).eval(), image(site)
            with torch.no_grad():
                plain, last = module(x), module(x.to(memory_format=torch.channels_last))
            torch.testing.assert_close(last, plain, rtol=1e-4, atol=1e-4 * max(1.0, plain.abs().max().item()))


@pytest.mark.parametrize(("family_name", "kind"), KINDS)
def test_bf16_autocast_works(family_name: str, kind: str) -> None:
    spec = next(variants(family_name, kind))
    for site in places(spec):
        module, x = built(spec, site).train(), image(site, batch=2).requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = module(x)
        y.float().square().sum().backward()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in module.parameters()), (spec, site)


@pytest.mark.parametrize(("family_name", "kind"), KINDS)
def test_a_part_reads_back_from_its_canonical_form(family_name: str, kind: str) -> None:
    for spec in variants(family_name, kind):
        assert family(family_name).read(spec.canonical()) == spec
        assert hash(family(family_name).read(spec.canonical())) == hash(spec)


@pytest.mark.parametrize(("family_name", "kind"), KINDS)
def test_every_part_says_what_it_is_and_where_it_is_from(family_name: str, kind: str) -> None:
    cls = family(family_name)[kind]
    assert cls.__doc__
    module = __import__(cls.__module__, fromlist=["_"])
    assert module.__doc__
