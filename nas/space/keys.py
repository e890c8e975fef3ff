"""The keys of a space file: those of its mappings, with the types of their values, and the words that open a leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from nas.layers import Block, Downsample, Head, Norm, Stem
from nas.schema.fields import FieldType, within

STAGE_FIELDS: Mapping[str, FieldType] = {
    "depth": FieldType((int,), None, False, (within(0, 1000),), dataclasses.MISSING),
    "width": FieldType((int,), None, False, (within(1, 65536),), dataclasses.MISSING),
    "block": FieldType((), Block, False, (), dataclasses.MISSING),
    "downsample": FieldType((), Downsample, True, (), None),
    "norm": FieldType((), Norm, True, (), None),
}
TOP_FIELDS: Mapping[str, FieldType] = {
    "stem": FieldType((), Stem, False, (), dataclasses.MISSING),
    "head": FieldType((), Head, False, (), dataclasses.MISSING),
    "drop_path": FieldType((float,), None, False, (within(0, 0.99),), 0.0),
    "resolution": FieldType((int,), None, True, (within(1, 1 << 20),), None),
}
LINEAR_FIELDS: Mapping[str, FieldType] = {
    "depth": FieldType((int,), None, False, (within(1, 1000),), dataclasses.MISSING),
    "start": FieldType((int,), None, False, (within(1, 65536),), dataclasses.MISSING),
    "slope": FieldType((float,), None, False, (within(0, 65536),), dataclasses.MISSING),
    "factor": FieldType((float,), None, False, (within(1.01, 1000),), dataclasses.MISSING),
    "group_width": FieldType((int,), None, False, (within(1, 65536),), 1),
}
"""The numbers of the linear rule, see `nas.space.linear`."""

Word = Literal["choice", "int", "base", "pattern", "when", "same"]
WORDS: Mapping[Word, tuple[str, ...]] = {
    "choice": ("choice", "per", "at_most"),
    "int": ("int", "step", "per", "at_most"),
    "base": ("base", "ratio"),
    "pattern": ("pattern",),
    "when": ("when", "then", "else"),
    "same": ("same",),
}
