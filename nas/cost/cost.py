"""Closed-form cost of the layers everything is made of.

1 FLOP = 1 multiply-add of a convolution or linear layer, at batch size 1, as in the ConvNeXt, RepLKNet, Conv2Former
and RegNet papers; norms, activations, bias and element-wise products are not counted. Activations are the elements
that convolution and linear layers put out ('On Network Design Spaces', arXiv:1905.13214, section 3; 'Designing Network
Design Spaces', arXiv:2003.13678, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

METRICS = ("flops", "params", "activations")
"""The metrics a budget can bound without measuring; all of the deployed form."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part or a whole network costs, in its deployed (merged) and in its training form.

    The two forms differ only where parallel branches are merged after training; budgets bound the deployed form.

    Attributes:
        params: parameters of the deployed form.
        flops: multiply-adds of convolutions and linear layers of the deployed form, batch size 1.
        activations: elements that convolution and linear layers put out, deployed form, batch size 1.
        train_params, train_flops, train_activations: the same of the form that is trained.
    """

    params: int = 0
    flops: int = 0
    activations: int = 0
    train_params: int = 0
    train_flops: int = 0
    train_activations: int = 0

    def __add__(self, other: Cost) -> Cost:
        if other is NOTHING:
            return self
        return Cost(
            self.params + other.params,
            self.flops + other.flops,
            self.activations + other.activations,
            self.train_params + other.train_params,
            self.train_flops + other.train_flops,
            self.train_activations + other.train_activations,
        )

    def __mul__(self, times: int) -> Cost:
        if self is NOTHING:
            return self
        return Cost(
            self.params * times,
            self.flops * times,
            self.activations * times,
            self.train_params * times,
            self.train_flops * times,
            self.train_activations * times,
        )

    def trained_as(self, training: Cost) -> Cost:
        """This cost when deployed, `training`'s when trained: the price of a re-parameterised part."""
        return replace(
            self,
            train_params=training.train_params,
            train_flops=training.train_flops,
            train_activations=training.train_activations,
        )


NOTHING = Cost()


def _same(params: int, flops: int, activations: int) -> Cost:
    return Cost(params, flops, activations, params, flops, activations)


def conv_cost(width_in: int, width_out: int, kernel: int, size_out: int, *, groups: int = 1, bias: bool = True) -> Cost:
    """A `kernel` x `kernel` convolution whose output map has `size_out` x `size_out` pixels."""
    weights = width_in // groups * width_out * kernel * kernel
    pixels = size_out * size_out
    return _same(weights + width_out * bias, weights * pixels, width_out * pixels)


def linear_cost(width_in: int, width_out: int, *, positions: int = 1, bias: bool = True) -> Cost:
    """A linear layer applied at `positions` positions."""
    weights = width_in * width_out
    return _same(weights + width_out * bias, weights * positions, width_out * positions)


def parameter_cost(params: int) -> Cost:
    """Parameters that take part in no convolution or linear layer: norms, scales."""
    return _same(params, 0, 0)


def norm_cost(width: int, *, bias: bool = True) -> Cost:
    """An affine norm over `width` channels: a scale and, mostly, a shift."""
    return parameter_cost(width * (2 if bias else 1))
