"""What separates two architectures, in the words of the grammar, and what that changes in cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from nas.architecture import Architecture, Stage
from nas.layers import Spec
from nas.report.cost import CostRow, cost_row
from nas.schema.fields import field_types
from nas.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that two architectures set differently.

    Attributes:
        part: `stem`, `stages`, `head`, or `drop_path`.
        field: the field below the part, such as `block.mixer.kernel`; `kind` is the part's own.
        before, after: its values in words; one a stage where stages differ, `-` where there is no such field.
        stages: the stages it differs in, counted from 1; None for all of them, or outside the stages.
    """

    part: str
    field: str
    before: str
    after: str
    stages: tuple[int, ...] | None = None

    @property
    def where(self) -> str:
        """The part and, where it is not all, the stages: `stages`, `stage 3`, `stages 2-4`."""
        if self.stages is None:
            return self.part
        first, last = self.stages[0], self.stages[-1]
        if first == last:
            return f"stage {first}"
        listed = ", ".join(map(str, self.stages))
        return f"stages {first}-{last}" if last - first + 1 == len(self.stages) else f"stages {listed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two architectures beside each other.

    Attributes:
        before, after: names, ids and prices.
        differences: what is not equal; empty for equal architectures.
    """

    before: CostRow
    after: CostRow
    differences: tuple[Difference, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `change` is after minus before."""
        change = {name: getattr(self.after, name) - getattr(self.before, name) for name in ("params", "flops")}
        return {**asdict(self), "change": change}


def diff(names: tuple[str, str], architectures: tuple[Architecture, Architecture], task: Task) -> Diff:
    """The differences between two architectures and their prices for a task."""
    before, after = (cost_row(name, one, task) for name, one in zip(names, architectures, strict=True))
    return Diff(before=before, after=after, differences=tuple(_differences(*architectures)))


_PARTS = {
    "stem": "stem",
    "stages.depth": "depths",
    "stages.width": "widths",
    "stages.block": "block",
    "stages.downsample": "downsample",
    "stages.norm": "norms after the stages",
    "head": "head",
    "drop_path": "drop path",
}


def in_prose(found: Diff) -> str:
    """One sentence: what the second architecture changes, what it keeps, and what that does to its cost."""
    before, after = found.before, found.after
    changed = {_PARTS[_owner(one)]: one for one in found.differences}
    if not changed:
        return f"{after.name} is the architecture of {before.name}."
    kept = [words for words in _PARTS.values() if words not in changed]
    told = _listed([words for words in _PARTS.values() if words in changed])
    keeping = f" and keeps its {_listed(kept)}" if kept else ""
    costs = _listed([_more(before.params, after.params, "parameters"), _more(before.flops, after.flops, "FLOPs")])
    return f"{after.name} changes the {told} of {before.name}{keeping}; it has {costs}."


def _owner(difference: Difference) -> str:
    field = difference.field.split(".")[0]
    return f"stages.{field}" if difference.part == "stages" else difference.part


def _listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _more(before: int, after: int, what: str) -> str:
    if before == after:
        return f"as many {what}"
    share = f"{abs(after / before - 1):.1%} " if before else ""
    return f"{share}{'more' if after > before else 'fewer'} {what}"


class Cell(NamedTuple):
    """A field's value in words, and whether it is what the field is anyway."""

    words: str
    is_default: bool


ABSENT = Cell("-", is_default=True)
Flat = dict[str, Cell]


def _differences(before: Architecture, after: Architecture) -> Iterator[Difference]:
    yield from _between("stem", [flat_part(before.stem)], [flat_part(after.stem)])
    yield from _between("stages", [flat_stage(one) for one in before.stages], [flat_stage(one) for one in after.stages])
    yield from _between("head", [flat_part(before.head)], [flat_part(after.head)])
    if before.drop_path != after.drop_path:
        yield Difference(part="drop_path", field="", before=f"{before.drop_path:g}", after=f"{after.drop_path:g}")


def _between(part: str, before: Sequence[Flat], after: Sequence[Flat]) -> Iterator[Difference]:
    """Field by field, over the stages of both; a stem or head counts as one stage."""
    for field in _part_by_part(dict.fromkeys(name for row in (*before, *after) for name in row)):
        old = [row.get(field, ABSENT) for row in before]
        new = [row.get(field, ABSENT) for row in after]
        if len(old) != len(new):
            pairs = [(one, other) for one in old for other in new]
            if _joined(old) != _joined(new) and any(_is_news(*pair) for pair in pairs):
                yield Difference(part=part, field=field, before=_joined(old), after=_joined(new))
            continue
        differ = [
            index
            for index, pair in enumerate(zip(old, new, strict=True))
            if _is_news(*pair) and not _follows(field, before[index], after[index])
        ]
        there = [index for index, pair in enumerate(zip(old, new, strict=True)) if pair != (ABSENT, ABSENT)]
        for group in _told_together(differ, old, new):
            yield Difference(
                part=part,
                field=field,
                before=_joined([old[index] for index in group]),
                after=_joined([new[index] for index in group]),
                stages=None if group == there else tuple(index + 1 for index in group),
            )


def _part_by_part(fields: Iterable[str]) -> list[str]:
    """The fields in their order, but those of a part right after it, whichever architecture has them."""
    places = {field: place for place, field in enumerate(fields)}

    def place(field: str) -> list[int]:
        names = field.split(".")
        return [places.get(".".join(names[:end]), -1) for end in range(1, len(names) + 1)]

    return sorted(places, key=place)


def _told_together(differ: Sequence[int], old: Sequence[Cell], new: Sequence[Cell]) -> list[list[int]]:
    """All stages in one line, unless their values are of several words, as layers are: then equal ones in one line."""
    is_plain = all(" " not in cell.words for index in differ for cell in (old[index], new[index]))
    groups: dict[tuple[Cell, Cell] | None, list[int]] = {}
    for index in differ:
        groups.setdefault(None if is_plain else (old[index], new[index]), []).append(index)
    return list(groups.values())


def _is_news(old: Cell, new: Cell) -> bool:
    """Not where only one side has a field, and at its default: that follows from the other kind of its part."""
    if old is ABSENT or new is ABSENT:
        return not (old.is_default and new.is_default)
    return old.words != new.words


def _follows(field: str, before: Flat, after: Flat) -> bool:
    """Whether a norm's eps differs only because the norm does."""
    norm, _, name = field.rpartition(".")
    if name != "eps" or field not in before or field not in after:
        return False
    return before[norm].words != after[norm].words and before[field].is_default and after[field].is_default


def flat_stage(stage: Stage) -> Flat:
    """A stage's fields; where its blocks follow a pattern, a field that varies has one value a block."""
    blocks = [flat_part(block, "block") for block in stage.blocks]
    row: Flat = {"depth": Cell(str(stage.depth), is_default=False), "width": Cell(str(stage.width), is_default=False)}
    for field in dict.fromkeys(name for block in blocks for name in block):
        cells = [block.get(field, ABSENT) for block in blocks]
        words = [cell.words for cell in cells]
        shown = words[0] if len(set(words)) == 1 else f"({', '.join(words)})"
        row[field] = Cell(shown, is_default=all(cell.is_default for cell in cells))
    for field, part in (("downsample", stage.downsample), ("norm", stage.norm)):
        row |= {field: Cell("null", is_default=True)} if part is None else flat_part(part, field)
    return row


def flat_part(spec: Spec, path: str = "") -> Flat:
    """Every field of a part and of the parts in it, by path; the part's kind stands under the path itself."""
    flat: Flat = {path or "kind": Cell(spec.kind, is_default=False)}
    for name, kind in field_types(type(spec)).items():
        value = getattr(spec, name)
        where = f"{path}.{name}" if path else name
        if isinstance(value, Spec):
            inner = flat_part(value, where)
            flat |= {**inner, where: Cell(value.kind, is_default=value == kind.default)}
        else:
            flat[where] = Cell(_words(value), is_default=value == kind.default)
    return flat


def _words(value: Any) -> str:
    """A value as YAML writes it; layers without brackets."""
    return _told(value)[1:-1] if _are_layers(value) else _told(value)


def _told(value: Any) -> str:
    """A value on one line; of a part what is not its default, and its kernel even if it is."""
    if isinstance(value, tuple):
        return f"[{(' > ' if _are_layers(value) else ', ').join(map(_told, value))}]"
    if isinstance(value, Spec):
        types = field_types(type(value))
        fields = {name: getattr(value, name) for name in types}
        shown = [f"{name}={_told(one)}" for name, one in fields.items() if _is_told(name, one, types[name].default)]
        return f"{value.kind}({', '.join(shown)})" if shown else value.kind
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _are_layers(value: Any) -> bool:
    """Whether these are parts that a map passes in their order."""
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, Spec) for one in value)


def _is_told(field: str, value: Any, default: Any) -> bool:
    """A default goes without saying, but for the size of a kernel of more than a pixel."""
    return bool(value != default or (field == "kernel" and value != 1))


def _joined(cells: Sequence[Cell]) -> str:
    words = [cell.words for cell in cells]
    return words[0] if len(set(words)) == 1 else ", ".join(words)
