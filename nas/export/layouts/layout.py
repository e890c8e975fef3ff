"""How a code base names the tensors of its checkpoints: rules from our names to theirs, nothing else.

A layout is tried on every tensor name of one of our networks; the first rule that matches renames it. Reading in this
direction makes both errors exact: a name the checkpoint lacks, and a name of the checkpoint nothing asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

BLOCK = "stages.{i}.blocks.{j}."
"""What the names of our blocks begin with: stage `i`, block `j`."""

_NUMBER = re.compile(r"\{(\w)\}")
_SHIFTED = re.compile(r"\{(?:(\d)\*)?(\w)([+-]\d+)?\}")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The names of one code base.

    Attributes:
        name: what messages call it.
        rules: the beginning of our names and what stands in the checkpoint instead. `{i}` is a number; in what stands
            instead it may be multiplied and shifted, as in `block{i+1}.{2*j+1}.`.
        merged: whether it holds the deployed form, with parallel branches merged.
    """

    name: str
    rules: tuple[tuple[str, str], ...]
    merged: bool = False

    def official(self, key: str) -> str:
        """The name in the checkpoint of our tensor `key`; a tensor no rule knows keeps its name."""
        for pattern, replacement in self._patterns:
            found = pattern.match(key)
            if found is not None:
                return _filled(replacement, found) + key[found.end() :]
        return key

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [(_pattern(ours), theirs) for ours, theirs in self.rules]


def _pattern(ours: str) -> re.Pattern[str]:
    """The rule's beginning as an expression, numbers as groups of their letters."""
    return re.compile(_NUMBER.sub(r"(?P<\1>\\d+)", ours.replace(".", r"\.")))


def _filled(theirs: str, found: re.Match[str]) -> str:
    def number(place: re.Match[str]) -> str:
        times, letter, shift = place.groups()
        return str(int(times or 1) * int(found[letter]) + int(shift or 0))

    return _SHIFTED.sub(number, theirs)
