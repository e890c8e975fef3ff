"""The root of a space's tree, from which every walk starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nas.architecture import Architecture
from nas.errors import MisfitError
from nas.space.dimension import Answers, Ask, Dimension, Value
from nas.space.tree import Computed, Decision, Here, Struct, Tree, Walk, is_per_block, numbers, spread


@dataclass(frozen=True)
class Root:
    """What may vary and how; `resolve` is the only place that walks it.

    Attributes:
        name: what messages call the space.
        top: the tree of stem, head and drop path.
        columns: the tree of a stage.
        stages: the number of stages, the largest where it is open.
        count: the tree of the number of stages, where it is open: the last ones are left out.
    """

    name: str
    top: Struct
    columns: Struct
    stages: int
    count: Tree | None = None

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
        """The canonical form's dict, defaults written or not.

        Raises:
            MisfitError: every stage is left out, or the linear rule gives another number of them.
        """
        top = self.top.resolve(walk, Here())
        depth = self.columns.fields["depth"]
        if isinstance(depth, Computed) and depth.resolve(walk, Here()) < 0:  # four of five: not worth the whole walk
            raise MisfitError("head", "linear", f"it does not give {self.stages} stages")
        rows = [self.resolve_stage(walk, stage) for stage in range(self.stages)]
        stages = [row for row in rows if row is not None]
        if not stages:
            raise MisfitError("head", "stages", "no stage is left; at least one must have a depth above 0")
        return {**top, "stages": stages}

    def resolve_stage(self, walk: Walk, stage: int) -> dict[str, Any] | None:
        """One stage's dict; None where it is left out."""
        row = self.resolve_fields(walk, stage, self.columns)
        if row is not None:
            row["block"] = spread(row["block"], row["depth"])
        return row

    def resolve_fields(self, walk: Walk, stage: int, fields: Struct) -> dict[str, Any] | None:
        """Some fields of a stage; None where it is left out.

        A stage of depth 0 is left out with its downsample, its width and its norm: what comes before it goes into the
        stage after it. Of its decisions only those are asked that it shares with other stages.
        """
        if self.is_left_out(walk, stage):
            self.pass_over(walk, stage, fields)
            return None
        return fields.resolve(walk, self._here(walk, stage))

    def _here(self, walk: Walk, stage: int) -> Here:
        """Where the fields of a stage are resolved; asks for its depth first where questions depend on it."""
        if not self.asks_per_block:
            return Here(stage)
        return Here(stage, {}, self.columns.fields["depth"].resolve(walk, Here(stage)))

    def is_left_out(self, walk: Walk, stage: int) -> bool:
        """Whether a network has no such stage; asks what decides that."""
        if self.count is not None and stage >= self._fewest and stage >= self.count.resolve(walk, Here(stage)):
            return True
        return self._may_be_empty and self.columns.fields["depth"].resolve(walk, Here(stage)) == 0

    def pass_over(self, walk: Walk, stage: int, fields: Struct) -> None:
        """Ask what a stage that is left out shares with others, and nothing else."""
        own = f"stages.{stage}."

        def shared(name: str, dimension: Dimension) -> Value:
            return dimension.values[0] if name.startswith(own) else walk.answer(name, dimension)

        fields.resolve(Walk(shared), Here(stage))

    def may_leave_out(self, stage: int) -> bool:
        """Whether some networks have no such stage."""
        return self._may_be_empty or stage >= self._fewest

    @cached_property
    def counts(self) -> list[int]:
        """The numbers of stages there can be, those of depth 0 counted too."""
        return [self.stages] if self.count is None else sorted(set(numbers(self.count)))

    @cached_property
    def asks_per_block(self) -> bool:
        """Whether some decisions are asked for every block, so that a deeper stage has more of them."""
        return is_per_block(self.columns)

    @property
    def _fewest(self) -> int:
        return self.counts[0]

    @cached_property
    def _may_be_empty(self) -> bool:
        return 0 in numbers(self.columns.fields["depth"])

    def answers(self, ask: Ask) -> Answers:
        """What a walk asks and is answered, by name; nothing is built."""
        walk = Walk(ask)
        self.top.resolve(walk, Here())
        for stage in range(self.stages):
            self.resolve_fields(walk, stage, self.columns)
        return walk.answers

    def decisions(self) -> Iterator[Decision]:
        """Every decision, whether or not a walk reaches it."""
        yield from self.top.decisions()
        if self.count is not None:
            yield from self.count.decisions()
        yield from self.columns.decisions()

    def dimensions(self) -> dict[str, Dimension]:
        """Every question a walk may ask, by name."""
        return {name: decision.dimension for decision in self.decisions() for name in decision.names()}
