from __future__ import annotations

import doctest

import pytest

from nas import registry
from nas.errors import UnknownNameError
from nas.registry import Registry, did_you_mean


@pytest.fixture
def norms() -> Registry[int]:
    made: Registry[int] = Registry("norm")
    made.register("layernorm")(1)
    made.register("batchnorm")(2)
    return made


def test_registry_keeps_the_order_of_registration(norms: Registry[int]) -> None:
    assert list(norms) == ["layernorm", "batchnorm"]
    assert list(norms.items()) == [("layernorm", 1), ("batchnorm", 2)]
    assert len(norms) == 2


def test_registry_gives_what_was_registered(norms: Registry[int]) -> None:
    assert norms["batchnorm"] == 2
    assert "batchnorm" in norms
    assert "rmsnorm" not in norms


def test_register_returns_the_thing_it_was_given() -> None:
    registry: Registry[type] = Registry("norm")

    @registry.register("mine")
    class Mine:
        pass

    assert registry["mine"] is Mine


def test_registering_a_name_twice_is_a_defect(norms: Registry[int]) -> None:
    with pytest.raises(ValueError, match="norm 'layernorm' is registered twice"):
        norms.register("layernorm")(3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("layernrm", "unknown norm 'layernrm'; did you mean 'layernorm'?"),
        ("LayerNorm", "unknown norm 'LayerNorm'; did you mean 'layernorm'?"),
        ("LAYER-NORM", "unknown norm 'LAYER-NORM'; did you mean 'layernorm'?"),
        ("swish", "unknown norm 'swish'; known: layernorm, batchnorm"),
        ("", "unknown norm ''; known: layernorm, batchnorm"),
    ],
)
def test_unknown_name_is_met_with_advice(norms: Registry[int], name: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        norms[name]
    assert str(caught.value) == message


def test_what_is_no_name_at_all_is_unknown_too(norms: Registry[int]) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown norm \['layernorm'\]"):
        norms[["layernorm"]]  # type: ignore[index]


def test_did_you_mean_has_nothing_to_offer_from_nothing() -> None:
    assert did_you_mean("x", []) == "known: none"


def test_did_you_mean_gives_the_name_as_it_is_written() -> None:
    assert did_you_mean("gflops", ["GFLOPs", "Mparams"]) == "did you mean 'GFLOPs'?"


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(registry).failed == 0
