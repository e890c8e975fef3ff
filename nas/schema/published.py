"""What is known of the presets: families, papers, published accuracies, costs. Read from one table, without torch."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from nas.errors import UnknownNameError
from nas.registry import did_you_mean
from nas.schema.packaged import preset_path

_TABLE = "published"
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published network.

    Attributes:
        name: of the preset.
        family: its key, such as `convnextv2`.
        top1: accuracy on ImageNet-1k in percent as published, trained on it alone; None where there is no such figure.
        at: side of the images of that accuracy in pixels; None without one.
        params, flops: of the deployed form, flops at 224 x 224.
        drop_path: rate at the last block that it was trained with; 0 where none is known.
    """

    name: str
    family: str
    top1: float | None
    at: int | None
    params: int
    flops: int
    drop_path: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetFamily:
    """The published networks of one paper or code base, the cheapest first, the steps of a road in its order.

    Attributes:
        key: what `--family` takes.
        title: for people.
        paper: where it is from.
        code: whose code its checkpoints belong to; None for steps that were never published as networks.
        accuracy: the source of the accuracies, and what is particular about them.
        drop_path: the source of the drop-path rates, or why there are none; None for those of the code.
        members: its networks.
    """

    key: str
    title: str
    paper: str
    code: str | None
    accuracy: str
    drop_path: str | None
    members: tuple[Published, ...]


def preset_families(key: str = ALL) -> list[PresetFamily]:
    """The families, or the one of a key.

    Raises:
        UnknownNameError: no such family.
    """
    table = tomllib.loads(preset_path(_TABLE).with_suffix(".toml").read_text(encoding="utf-8"))
    if key != ALL and key not in table:
        raise UnknownNameError(f"unknown family {key!r}; {did_you_mean(key, (*table, ALL))}")
    return [
        PresetFamily(
            key=one,
            title=about["title"],
            paper=about["paper"],
            code=about.get("code"),
            accuracy=about["accuracy"],
            drop_path=about.get("drop_path"),
            members=tuple(
                Published(
                    name=name,
                    family=one,
                    top1=row.get("top1"),
                    at=row.get("at", 224) if "top1" in row else None,
                    params=row["params"],
                    flops=row["flops"],
                    drop_path=row.get("drop_path", 0.0),
                )
                for name, row in about["members"].items()
            ),
        )
        for one, about in table.items()
        if key in (one, ALL)
    ]
