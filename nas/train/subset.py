"""Which training images a recipe uses."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import DataSet
from nas.data.division import draw

_SEED = 0
_KEPT = 8


def used_images(data: DataSet, share: float) -> NDArray[np.intp]:
    """Indices of the training images that a recipe uses: `share` of every class, the same ones for every seed."""
    return np.arange(len(data.train)) if share == 1 else _draws.of(data, share)


class _Draws:
    """The latest draws by data set and share.

    A worker trains one candidate after the other on the same share, and a draw takes 0.1 s for 50,000 images. Data sets
    are known by their fingerprints: they themselves would stay mapped.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, float], NDArray[np.intp]] = OrderedDict()
        self._lock = Lock()  # the thread that reads ahead asks too

    def of(self, data: DataSet, share: float) -> NDArray[np.intp]:
        key = data.fingerprint, share
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _draw(data, share)
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def _draw(data: DataSet, share: float) -> NDArray[np.intp]:
    names = [str(index) for index in range(len(data.train))]
    drawn, _ = draw(names, data.train.labels, share, seed=_SEED)
    return drawn


_draws = _Draws()
