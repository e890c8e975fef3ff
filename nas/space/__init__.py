"""Search spaces: YAML in, architectures out, one walk for every asker."""

from nas.space.askers import crossing, drawing, enumerating, mutating, replaying
from nas.space.dimension import Ask, Choice, Dimension, Range, Value
from nas.space.feasible import FeasibleSet
from nas.space.load import load_architecture, load_space, read_space
from nas.space.space import SearchSpace

__all__ = [
    "Ask",
    "Choice",
    "Dimension",
    "FeasibleSet",
    "Range",
    "SearchSpace",
    "Value",
    "crossing",
    "drawing",
    "enumerating",
    "load_architecture",
    "load_space",
    "mutating",
    "read_space",
    "replaying",
]
