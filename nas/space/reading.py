"""What whoever reads a space file knows of the place and of the file around it, and how it notes what is wrong."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nas.errors import shortened
from nas.registry import did_you_mean
from nas.schema.fields import FieldType
from nas.schema.nodes import Node
from nas.schema.problems import Problems
from nas.space.tree import Tree


@dataclass(frozen=True)
class Scope:
    """What a reader knows about the place it reads.

    Attributes:
        path: the name of decisions here, below `stages` or from the top.
        count: number of stages.
        in_stages: whether it is under `stages`.
        stages: the stages it belongs to one by one; None where it holds for all of them.
        in_list: whether it is an entry of a list, for one stage.
        in_block: whether it is in a block, where patterns mean something.
        per_block: whether it is asked for every block already.
        beside: the other fields of the mapping around, which conditions may name.
    """

    path: str = ""
    count: int = 1
    in_stages: bool = False
    stages: tuple[int, ...] | None = None
    in_list: bool = False
    in_block: bool = False
    per_block: bool = False
    beside: Mapping[str, FieldType] = dataclasses.field(default_factory=dict)

    def below(self, name: str | int) -> Scope:
        """The scope of a field or an entry."""
        return replace(self, path=f"{self.path}.{name}" if self.path else str(name))

    @property
    def column(self) -> str:
        """The field of a stage, or of the whole, that it is in."""
        return self.path.partition(".")[0]

    @property
    def every_stage(self) -> tuple[int, ...]:
        """The stages that have this field."""
        return tuple(range(1 if self.column == "downsample" else 0, self.count))


@dataclass(frozen=True, kw_only=True)
class Reading(ABC):
    """Reads what stands in a space file, by what is known of all of it.

    Attributes:
        problems: where what is wrong is noted; nothing is raised.
        decided: what the number of stages was taken from, in words.
        maps: the side of each stage's map, for limits; empty where stem or downsample have problems.
        deepest: the most blocks that each stage can have; empty where depth has problems.
        numbers: the numbers of the linear rule, for `same`; empty without it.
    """

    problems: Problems
    decided: str = ""
    maps: Sequence[int] = ()
    deepest: Sequence[int] = ()
    numbers: Mapping[str, Tree] = dataclasses.field(default_factory=dict)

    @abstractmethod
    def value(self, node: Node, kind: FieldType, scope: Scope) -> Tree | None:
        """The tree of one leaf or part; None when it has problems."""

    def has_one_a_stage(self, listed: Node, scope: Scope) -> bool:
        """Whether a list has an entry for each stage; notes it if not."""
        if len(listed.items) == scope.count:
            return True
        if not listed.items:
            self.problems.add(listed.mark, f"{scope.path}: an empty list; a list has one entry a stage")
            return False
        entries = f"{len(listed.items)} {'entry' if len(listed.items) == 1 else 'entries'}"
        stages = f"{scope.count} {'stage' if scope.count == 1 else 'stages'}"
        self.problems.add(listed.mark, f"{scope.path}: a list of {entries} for {stages} (by {self.decided})")
        return False

    def refuse(self, node: Node, known: Collection[str], what: str) -> None:
        """Note every key that is not known."""
        for key in node.mapping:
            if key not in known:
                self.problems.add(node.key_mark(key), partial(_unknown_key, key, known, what))


def _unknown_key(key: str, known: Collection[str], what: str) -> str:
    return f"unknown key {shortened(key)} of {what}; {did_you_mean(key, known)}"
