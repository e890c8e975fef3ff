"""An architecture as a YAML file that reads back to the same id, in the columns people compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from nas.architecture.architecture import Architecture
from nas.layers import Spec, canonical_value
from nas.plugins import label_of
from nas.schema.fields import field_types


def to_yaml(architecture: Architecture, *, heading: str = "") -> str:
    """The file's text; what is at its default is left out.

    Args:
        architecture: what to write.
        heading: lines for people, written as a comment at the top.
    """
    stages: dict[str, Any] = {}
    if len(architecture.stages) > 1:
        stages["count"] = len(architecture.stages)
    stages["depth"] = _column([stage.depth for stage in architecture.stages])
    stages["width"] = _column([stage.width for stage in architecture.stages])
    stages["block"] = _column([_pattern([_form(block) for block in stage.blocks]) for stage in architecture.stages])
    downsamples = [None if stage.downsample is None else _form(stage.downsample) for stage in architecture.stages]
    if any(form is not None for form in downsamples):
        # one form for all means those after the first, which has a downsample of its own only where a list says so
        later = _column(downsamples[1:])
        all_later = downsamples[0] is None and not isinstance(later, list)
        stages["downsample"] = later if all_later else downsamples
    norms = [None if stage.norm is None else _form(stage.norm) for stage in architecture.stages]
    if any(form is not None for form in norms):
        stages["norm"] = _column(norms)
    data: dict[str, Any] = {"stem": _form(architecture.stem), "stages": stages, "head": _form(architecture.head)}
    if architecture.drop_path:
        data["drop_path"] = architecture.drop_path
    if architecture.resolution is not None:
        data["resolution"] = architecture.resolution
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return comment + yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=110)


def _form(spec: Spec) -> Any:
    """The canonical form with every field written, so that rows of stages can be compared."""
    types = field_types(type(spec))
    origin = {} if spec.plugin is None else {"plugin": label_of(spec.plugin)}
    if not types and not origin:
        return spec.kind
    return {"kind": spec.kind, **origin, **{name: _form_of(getattr(spec, name)) for name in types}}


def _form_of(value: Any) -> Any:
    if isinstance(value, tuple):
        return [canonical_value(one) for one in value]
    return _form(value) if isinstance(value, Spec) else value


def _pattern(forms: list[Any]) -> Any:
    return forms[0] if len(forms) == 1 else {"pattern": forms}


def _column(values: Sequence[Any]) -> Any:
    """One value where all stages agree; one mapping where they differ only inside it; else a list."""
    if all(value == values[0] for value in values):
        return values[0]
    if all(isinstance(value, Mapping) and value.keys() == values[0].keys() for value in values) and _same_kind(values):
        return {key: _column([value[key] for value in values]) for key in values[0]}
    return list(values)


def _same_kind(values: Sequence[Mapping[str, Any]]) -> bool:
    """Whether mappings can be one with a list a stage inside; not where they hold lists of layers that differ."""
    if "pattern" in values[0] or len({value.get("kind") for value in values}) != 1:
        return False
    lists = [key for key, value in values[0].items() if isinstance(value, list)]
    return all(value[key] == values[0][key] for value in values for key in lists)


class _Dumper(yaml.SafeDumper):
    """No aliases: the reader refuses them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
