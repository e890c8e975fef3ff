"""What architectures cost, as rows; and the drawing of one, part by part."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nas.architecture import Architecture, estimate
from nas.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """The price of one architecture: deployed (merged) form, and the form that is trained."""

    name: str
    id: str
    resolution: int
    params: int
    flops: int
    activations: int
    train_params: int
    train_flops: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One line of a drawing: a part, what it is, the map it puts out, and its price.

    Attributes:
        name: `stem`, `stage 1`, `downsample`, `blocks 1-3`, `head`.
        what: the spec in the words of the YAML.
        width: channels it puts out.
        size: side of the map it puts out, in pixels.
        params, flops: of the deployed form.
        indent: 1 for what is inside a stage.
    """

    name: str
    what: str
    width: int
    size: int
    params: int
    flops: int
    indent: int = 0


def cost_row(name: str, architecture: Architecture, task: Task) -> CostRow:
    """The price of an architecture for a task."""
    cost = estimate(architecture, task)
    return CostRow(
        name=name,
        id=architecture.id,
        resolution=task.resolution,
        params=cost.params,
        flops=cost.flops,
        activations=cost.activations,
        train_params=cost.train_params,
        train_flops=cost.train_flops,
    )


def part_rows(architecture: Architecture, task: Task) -> list[PartRow]:
    """An architecture from the image to the logits, one line a part."""
    rows: list[PartRow] = []
    for part in architecture.parts(task):
        cost = part.cost
        rows.append(
            PartRow(
                name=_label(part.name, part.times),
                what=str(part.spec),
                width=part.site.width,
                size=1 if part.name == "head" else part.spec.size_out(part.site),
                params=cost.params,
                flops=cost.flops,
                indent=0 if part.stage is None else 1,
            )
        )
    return rows


def _label(name: str, times: int) -> str:
    """'stages.1.blocks.0' three times -> 'stage 2 · blocks 1-3'."""
    if not name.startswith("stages."):
        return name
    _, stage, what, *first = name.split(".")
    if not first:
        return f"stage {int(stage) + 1} · {what}"
    start = int(first[0]) + 1
    return f"stage {int(stage) + 1} · " + (f"block {start}" if times == 1 else f"blocks {start}-{start + times - 1}")
