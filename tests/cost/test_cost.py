from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nas.cost import NOTHING, Cost, conv_cost, linear_cost, norm_cost, parameter_cost

COSTS = st.builds(Cost, *[st.integers(0, 10**12)] * 6)


@given(COSTS, COSTS, COSTS)
def test_costs_add_up_in_any_order(a: Cost, b: Cost, c: Cost) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + NOTHING == a


@given(COSTS, st.integers(0, 20))
def test_several_times_a_cost_is_their_sum(cost: Cost, times: int) -> None:
    assert cost * times == sum([cost] * times, NOTHING)


@given(COSTS, COSTS)
def test_merged_part_is_trained_at_another_price(deployed: Cost, training: Cost) -> None:
    cost = deployed.trained_as(training)
    assert (cost.params, cost.flops, cost.activations) == (deployed.params, deployed.flops, deployed.activations)
    assert cost.train_params == training.train_params
    assert cost.train_flops == training.train_flops
    assert cost.train_activations == training.train_activations


def test_stem_of_convnext_costs_what_can_be_counted_by_hand() -> None:
    cost = conv_cost(3, 96, 4, 56)
    assert (cost.params, cost.flops, cost.activations) == (48 * 96 + 96, 48 * 96 * 56 * 56, 96 * 56 * 56)
    assert (cost.train_params, cost.train_flops, cost.train_activations) == (cost.params, cost.flops, cost.activations)


def test_groups_divide_the_weights_and_not_the_bias() -> None:
    assert conv_cost(64, 64, 3, 8, groups=64).params == 64 * 9 + 64
    assert conv_cost(64, 64, 3, 8, groups=64, bias=False).params == 64 * 9
    assert conv_cost(64, 128, 3, 8, groups=32).flops == conv_cost(64, 128, 3, 8).flops // 32


@pytest.mark.parametrize("bias", [True, False])
def test_pointwise_convolution_is_a_linear_layer_at_every_position(bias: bool) -> None:
    assert conv_cost(24, 96, 1, 7, bias=bias) == linear_cost(24, 96, positions=49, bias=bias)


def test_norms_have_parameters_and_no_flops() -> None:
    assert norm_cost(96) == parameter_cost(192)
    assert norm_cost(96, bias=False) == parameter_cost(96)
    assert norm_cost(96).flops == norm_cost(96).activations == 0
