"""The root of a space's tree, from which every walk starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nas.architecture import Architecture
from nas.space.dimension import Answers, Ask, Dimension
from nas.space.tree import Decision, Here, Struct, Walk, spread


@dataclass(frozen=True)
class Root:
    """What may vary and how; `resolve` is the only place that walks it.

    Attributes:
        name: what messages call the space.
        top: the tree of stem, head and drop path.
        columns: the tree of a stage.
        stages: the number of stages.
    """

    name: str
    top: Struct
    columns: Struct
    stages: int

    def build(self, ask: Ask) -> Architecture:
        """The architecture that `ask` describes, one answer a decision.

        Raises:
            FieldError: the answers break a rule that joins several fields.
        """
        return self.choices(ask)[0]

    def choices(self, ask: Ask) -> tuple[Architecture, Answers]:
        """The architecture and what was answered, by name; raises as `build` does."""
        walk = Walk(ask)
        return Architecture.from_dict(self.resolve(walk)), walk.answers

    def resolve(self, walk: Walk) -> dict[str, Any]:
        """The canonical form's dict, defaults written or not."""
        return {
            **self.top.resolve(walk, Here()),
            "stages": [self.resolve_stage(walk, stage) for stage in range(self.stages)],
        }

    def resolve_stage(self, walk: Walk, stage: int) -> dict[str, Any]:
        """One stage's dict."""
        row = self.columns.resolve(walk, Here(stage))
        row["block"] = spread(row["block"], row["depth"])
        return row

    def answers(self, ask: Ask) -> Answers:
        """What a walk asks and is answered, by name; nothing is built."""
        walk = Walk(ask)
        self.top.resolve(walk, Here())
        for stage in range(self.stages):
            self.columns.resolve(walk, Here(stage))
        return walk.answers

    def decisions(self) -> Iterator[Decision]:
        """Every decision, whether or not a walk reaches it."""
        yield from self.top.decisions()
        yield from self.columns.decisions()

    def dimensions(self) -> dict[str, Dimension]:
        """Every question a walk may ask, by name."""
        return {name: decision.dimension for decision in self.decisions() for name in decision.names()}
