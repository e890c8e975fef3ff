"""The networks behind the candidates of a report: drawings, fields to compare and files, each part kept once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from nas.architecture import Architecture, Stage
from nas.architecture.text import to_yaml
from nas.errors import NasError
from nas.ledger import Ledger
from nas.report.diff import Flat, flat_part, flat_stage
from nas.report.drawing import DrawnPart, Placed, drawn_parts, placed
from nas.report.study.rows import ReportRows, StudyRows
from nas.task import Task

_FILES = 200  # winners of a study whose files travel along

H = TypeVar("H", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Kept(Generic[H]):
    """Things that come again and again, each kept once."""

    places: dict[H, int] = field(default_factory=dict)

    def place(self, item: H) -> int:
        """Where it is kept."""
        return self.places.setdefault(item, len(self.places))

    @property
    def items(self) -> list[H]:
        """In the order of their places."""
        return list(self.places)


@dataclass(frozen=True, slots=True)
class Networks:
    """What a page needs to draw and compare any candidate.

    Attributes:
        words: lines of the drawings.
        parts: of the drawings: name, facts, places of its words, height, length of bars, pitch, opacity, blocks and the
            length of their pattern.
        cells: field, value in words and whether it is the default, as `nas diff` compares them.
        rows: places of the cells of stems, stages without depth and width, and heads.
        of: by study and id.
    """

    words: Kept[str] = field(default_factory=Kept)
    parts: Kept[tuple[Any, ...]] = field(default_factory=Kept)
    cells: Kept[tuple[str, str, bool]] = field(default_factory=Kept)
    rows: Kept[tuple[int, ...]] = field(default_factory=Kept)
    of: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    _stages: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def add(self, study: str, architecture: Architecture, task: Task) -> None:
        """Keep what it takes to draw a candidate and to compare it.

        Raises:
            UserError: the task's resolution is too small for its strides.
        """
        self.of[study, architecture.id] = {
            "drawing": [self._part(one) for one in placed(drawn_parts(architecture, architecture.task_of(task)))],
            "fields": {
                "stem": self._row(flat_part(architecture.stem)),
                "stages": [[stage.depth, stage.width, self._stage(stage)] for stage in architecture.stages],
                "head": self._row(flat_part(architecture.head)),
                "drop_path": architecture.drop_path,
            },
        }

    def _part(self, row: Placed) -> int:
        part: DrawnPart = row.part
        return self.parts.place(
            (
                part.name,
                part.facts,
                tuple(map(self.words.place, part.words)),
                round(row.height, 1),
                round(row.bar, 1),
                round(row.pitch, 2),
                round(row.opacity, 2),
                len(part.bars),
                max(part.bars) + 1,
            )
        )

    def _stage(self, stage: Stage) -> int:
        """Its row without depth and width, flattened once for all stages that agree in the rest."""
        key = (stage.blocks, stage.downsample, stage.norm)
        if key not in self._stages:
            rest = {name: cell for name, cell in flat_stage(stage).items() if name not in ("depth", "width")}
            self._stages[key] = self._row(rest)
        return self._stages[key]

    def _row(self, flat: Flat) -> int:
        return self.rows.place(
            tuple(self.cells.place((name, cell.words, cell.is_default)) for name, cell in flat.items())
        )

    def to_dict(self) -> dict[str, Any]:
        """What all candidates share, JSON-ready."""
        return {
            "words": self.words.items,
            "parts": self.parts.items,
            "cells": self.cells.items,
            "rows": self.rows.items,
        }


def read_networks(ledger: Ledger, report: ReportRows) -> tuple[Networks, tuple[str, ...]]:
    """The networks of a report, and why some are missing: parts of plug-ins that are not loaded, for one."""
    networks, problems = Networks(), []
    for study in report.studies:
        problem = _add(networks, study, ledger.architectures_of(study.name))
        if problem:
            problems.append(f"{study.name}: some networks cannot be drawn: {problem}")
    return networks, tuple(problems)


def _add(networks: Networks, study: StudyRows, canonical: Mapping[str, Mapping[str, Any]]) -> str:
    """Add a study's candidates; returns the first problem, or nothing."""
    task, problem = Task(**study.definition.get("task", {})), ""
    files = _first(study)
    for one in study.candidates:
        try:
            architecture = Architecture.from_dict(canonical[one.id])
            networks.add(study.name, architecture, task)
            if one.id in files:
                heading = f"Architecture {one.id}, of study {study.name}"
                networks.files[study.name, one.id] = to_yaml(architecture, heading=heading)
        except NasError as error:
            problem = problem or str(error)
    return problem


def _first(study: StudyRows) -> set[str]:
    """The candidates whose files travel along: the most accurate ones of the front."""
    front: Sequence[Any] = sorted(study.front, key=lambda one: -one.accuracy)
    return {one.id for one in front[:_FILES]}
