"""The points of a space that are within a budget: priced, counted and drawn without being built."""

from nas.space.feasible.rows import NOT_ASKED, Codes, Row
from nas.space.feasible.set import Count, FeasibleSet

__all__ = ["NOT_ASKED", "Codes", "Count", "FeasibleSet", "Row"]
