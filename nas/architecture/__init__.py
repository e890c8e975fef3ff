"""Architectures: trees of specs with an id, a price and a network."""

from nas.architecture.architecture import Architecture, Part, Stage, estimate
from nas.architecture.fuse import fuse
from nas.architecture.network import Network, build, skeleton

__all__ = ["Architecture", "Network", "Part", "Stage", "build", "estimate", "fuse", "skeleton"]
