"""Candidates that `nas train` has trained in full, from the folders that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nas.errors import UserError
from nas.export.folder import ARCHITECTURE
from nas.report.study.rows import FullTraining, ReportRows
from nas.space import load_architecture
from nas.train.curve import read_curve

_CURVE = "curve.csv"


def with_full_trainings(report: ReportRows, folders: Sequence[Path]) -> ReportRows:
    """The report with the curves of some trainings, each in every study that has its network.

    Args:
        report: of the studies.
        folders: as `nas train -o` wrote them.

    Raises:
        UserError: a folder is none of these, or its network is no candidate of any of the studies.
    """
    trained = [_read(folder) for folder in folders]
    names = ", ".join(study.name for study in report.studies)
    known = {one.id for study in report.studies for one in study.candidates}
    for one in trained:
        if one.id not in known:
            raise UserError(f"{one.name}: its network, {one.id}, is no candidate of {names}")
    studies = []
    for study in report.studies:
        ids = {one.id for one in study.candidates}
        studies.append(replace(study, full=tuple(one for one in trained if one.id in ids)))
    return replace(report, studies=tuple(studies))


def _read(folder: Path) -> FullTraining:
    if not (folder / _CURVE).is_file():
        raise UserError(f"{folder}: there is no {_CURVE} in it; name a folder of `nas train -o`")
    if not (folder / ARCHITECTURE).is_file():
        raise UserError(f"{folder}: its training has not ended; run `nas train -o {folder}` to the end")
    return FullTraining(
        id=load_architecture(folder).id, name=folder.absolute().name, epochs=read_curve(folder / _CURVE)
    )
