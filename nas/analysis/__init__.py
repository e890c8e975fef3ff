"""Numbers about numbers: Pareto fronts, hypervolumes and intervals of confidence. Pure functions, no storage."""
