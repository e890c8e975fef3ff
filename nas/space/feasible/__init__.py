"""The points of a space that are within a budget: priced, counted and drawn without being built."""

from nas.space.feasible.set import Count, FeasibleSet

__all__ = ["Count", "FeasibleSet"]
