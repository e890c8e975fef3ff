"""What an architecture costs, in closed form, and the budgets it is held against."""

from nas.cost.budget import Bound, Budget
from nas.cost.cost import METRICS, NOTHING, Cost, conv_cost, linear_cost, norm_cost, parameter_cost

__all__ = [
    "METRICS",
    "NOTHING",
    "Bound",
    "Budget",
    "Cost",
    "conv_cost",
    "linear_cost",
    "norm_cost",
    "parameter_cost",
]
