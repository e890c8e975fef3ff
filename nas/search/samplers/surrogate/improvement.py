"""By how much a candidate is expected to enlarge the hypervolume, when its costs are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy  # its parts are imported on first use: together they take a second
from numpy.typing import NDArray

from nas.search.samplers.surrogate.embedding import Array

_ROOT = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Region:
    """Where the hypervolume is measured.

    Attributes:
        floor: the accuracy above which it counts.
        ceiling: the log costs (costs,) below which it counts.
    """

    floor: float
    ceiling: Array


def expected_improvement(means: Array, deviations: Array, levels: Array) -> Array:
    """E[max(0, accuracy - level)] (n, levels) of normal accuracies."""
    above = means[:, None] - levels[None, :]
    z = above / deviations[:, None]
    return np.asarray(
        np.maximum(deviations[:, None] * np.exp(-0.5 * z * z) / _ROOT + above * scipy.special.ndtr(z), 0.0)
    )


def expected_hypervolume_improvement(
    means: Array, deviations: Array, costs: Array, *, front: tuple[Array, Array], region: Region
) -> Array:
    """The expected growth (n,) of the hypervolume of accuracy over no, one or two log costs.

    Let f(c) be the best accuracy on the front at costs of at most c, or the floor. A candidate of accuracy y and costs
    c adds the integral of max(0, y - f) over all costs between c and the ceiling; f is constant on the cells of a grid
    through the costs of the front, so the expectation is a sum over the values of f: of the volume where f has the
    value, times the expected improvement over it. Exact, unlike for two uncertain objectives (Emmerich, Deutz and
    Klinkenberg, IEEE Congress on Evolutionary Computation 2011), where cells have to be integrated in both.

    Args:
        means: of the candidates' accuracies (n,).
        deviations: standard deviations of the same (n,), above 0.
        costs: their log costs (n, costs).
        front: accuracies (m,) and log costs (m, costs) of what is there already; dominated ones do no harm.
        region: where it is measured.
    """
    accuracies, placed = front
    is_inside = (accuracies > region.floor) & (placed < region.ceiling).all(axis=1)
    accuracies, placed = accuracies[is_inside], placed[is_inside]
    levels = np.unique(np.append(accuracies, region.floor))
    if not costs.shape[1]:
        return expected_improvement(means, deviations, levels[-1:])[:, 0]
    volumes = _volumes(np.minimum(costs, region.ceiling), np.searchsorted(levels, accuracies), placed, region, levels)
    return np.asarray((volumes * expected_improvement(means, deviations, levels)).sum(axis=1))


def _volumes(costs: Array, ranks: NDArray[np.intp], placed: Array, region: Region, levels: Array) -> Array:
    """For each candidate the volume (n, levels) between its costs and the ceiling in which f has each value.

    That volume is linear in each cost within a cell, so it is interpolated exactly between the corners of the grid.
    """
    grid = [
        np.unique(np.concatenate([placed[:, axis], [costs[:, axis].min(initial=top - 1.0), top]]))
        for axis, top in enumerate(region.ceiling)
    ]
    corners = _volumes_at_corners(grid, ranks, placed, len(levels))
    places, shares = zip(*(_located(ticks, costs[:, axis]) for axis, ticks in enumerate(grid)), strict=True)
    total = np.zeros((len(costs), len(levels)))
    for sides in product((0, 1), repeat=len(grid)):
        weight = np.prod([share if side else 1 - share for share, side in zip(shares, sides, strict=True)], axis=0)
        total += weight[:, None] * corners[tuple(place + side for place, side in zip(places, sides, strict=True))]
    return total


def _volumes_at_corners(grid: Sequence[Array], ranks: NDArray[np.intp], placed: Array, levels: int) -> Array:
    """The same for candidates at the corners of the grid (ticks of the first cost, ..., levels)."""
    cells = np.zeros([len(ticks) - 1 for ticks in grid], np.intp)  # the rank of f in each cell
    for rank, place in zip(ranks, placed, strict=True):
        inside = tuple(slice(int(np.searchsorted(ticks, at)), None) for ticks, at in zip(grid, place, strict=True))
        cells[inside] = np.maximum(cells[inside], rank)
    sizes = np.ones(cells.shape)
    for axis, ticks in enumerate(grid):
        sizes *= np.diff(ticks).reshape([-1 if other == axis else 1 for other in range(len(grid))])
    volumes = (cells[..., None] == np.arange(levels)) * sizes[..., None]
    for axis in range(len(grid)):
        volumes = np.flip(np.flip(volumes, axis).cumsum(axis), axis)
        volumes = np.concatenate([volumes, np.zeros_like(volumes.take([0], axis))], axis=axis)
    return np.asarray(volumes)


def _located(ticks: Array, values: Array) -> tuple[NDArray[np.intp], Array]:
    """The cell of each value, and how far in it the value lies, in [0, 1]."""
    place = np.clip(np.searchsorted(ticks, values, side="right") - 1, 0, len(ticks) - 2)
    return place, (values - ticks[place]) / (ticks[place + 1] - ticks[place])
