"""Uniform draws, the control of every other sampler."""

from __future__ import annotations

from functools import partial

import numpy as np

from nas.search.problem import RANDOM
from nas.search.samplers.base import RowSampler, SamplerFor, Setting, register
from nas.space.feasible import Codes, Row

_BLOCK = 64  # trials whose draws are made together: a single one of a space costs about as much
_MORE = (64, 4096)  # draws until one is new, where the trial's own one is not


@register(RANDOM, window=0)
def random(setting: Setting) -> SamplerFor:
    """Uniform over the candidates within budget that were not asked for yet."""
    blocks = Blocks(setting)
    return lambda number: RowSampler(setting, number, partial(_draw, setting, blocks, number))


class Blocks:
    """One uniform draw for each trial, made for many at a time."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._block = -1
        self._drawn: Codes = np.empty((0, 0), np.int16)

    def __getitem__(self, number: int) -> Row:
        """The draw of a trial; the same whether or not others were asked for."""
        block, place = divmod(number, _BLOCK)
        if block != self._block:
            rng = self._setting.generator(RANDOM, block)
            self._block, self._drawn = block, self._setting.domain.feasible.random(_BLOCK, rng)
        return np.asarray(self._drawn[place])


def _draw(setting: Setting, blocks: Blocks, number: int, rng: np.random.Generator) -> Row:
    own = blocks[number]
    return draw_untried(setting, rng) if setting.history.was_tried(own) else own


def draw_untried(setting: Setting, rng: np.random.Generator) -> Row:
    """A uniform draw among the untried candidates; a repeated one where hardly any are left."""
    for count in _MORE:
        drawn = setting.domain.feasible.random(count, rng)
        fresh = drawn[setting.history.untried(drawn)]
        if len(fresh):
            return np.asarray(fresh[0])
    return np.asarray(drawn[0])
