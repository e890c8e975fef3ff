"""Search spaces as text: one to vary by hand, and random ones that use the whole language of a leaf."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import assume, strategies as st

from nas.architecture import Architecture
from nas.schema.nodes import parse_yaml
from nas.schema.problems import SchemaError
from nas.space import Ask, SearchSpace, Value, enumerating
from nas.space.load import read_space

Point = tuple[Architecture, dict[str, Value]]
Draw = Callable[[st.SearchStrategy[Any]], Any]

_TEXT = """\
task: {{resolution: 32, classes: 10}}
stem: {stem}
stages:
  depth: {depth}
  width: {width}
  block: {block}
  downsample: {downsample}
{more}head: pool_norm_linear
drop_path: {drop_path}
"""
_FIRST = {
    "stem": "{kind: patchify, patch: 2}", "depth": "[1, 2]", "width": "[8, 16]", "block": "mixer_first",
    "downsample": "conv", "more": "", "drop_path": "0.0",
}  # fmt: skip

# Branches of different size, a condition, a shared and a repeated choice, an answer that leaves no trace.
BRANCHED = {
    "width": "[8, {choice: [8, 16]}]",
    "depth": "[1, {int: [1, 3]}]",
    "block": "{choice: [mixer_first, {kind: mixer_first, ratio: {choice: [2, 3]}, mixer: {kind: depthwise, "
    "kernel: {pattern: [3, {choice: [5, 7]}]}}}], per: stage}",
    "downsample": "{choice: [conv, {kind: conv, kernel: {choice: [3, 5]}}]}",
    "drop_path": "{when: {stem: patchify}, then: {choice: [0, 0.1]}, else: 0}",
}


def text_with(**fields: str) -> str:
    """A small valid space with some fields written differently; `more` adds lines to the stages."""
    return _TEXT.format(**{**_FIRST, **fields})


def kernels(leaf: str, bias: str = "true") -> str:
    """A block whose depthwise kernel (and bias) is this leaf."""
    return f"{{kind: mixer_first, mixer: {{kind: depthwise, kernel: {leaf}, bias: {bias}}}}}"


def space_of(text: str) -> SearchSpace:
    """The space of a text that messages call 'x.yaml'."""
    return read_space(*parse_yaml(text, "x.yaml"))


def space_with(**fields: str) -> SearchSpace:
    """`text_with`, read."""
    return space_of(text_with(**fields))


class _Answered:
    """A space whose points come with their answers."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space

    def build(self, ask: Ask) -> Point:
        return self._space.choices(ask)


def every_point(space: SearchSpace, most: int = 100_000) -> list[Point]:
    """All points of a space, or the first `most`."""
    return list(itertools.islice(enumerating(_Answered(space)), most))


@dataclass(frozen=True)
class Place:
    """What the language allows where a leaf is written.

    Attributes:
        stages: number of stages; 0 outside of them.
        in_list: whether a list of stages is around.
        in_block: whether patterns mean something.
        tests: conditions that may be written here.
        open: how many more levels of openness may be nested.
    """

    stages: int = 0
    in_list: bool = False
    in_block: bool = False
    tests: tuple[dict[str, Any], ...] = ()
    open: int = 2


@st.composite
def space_texts(draw: Draw) -> str:
    """The text of a random space. JSON is YAML too."""
    stages = draw(st.integers(1, 3))
    place = Place(stages=stages)
    depths = draw(st.sampled_from([[1, 2, 3], [1, 2, 3], [0, 1, 2]]))
    fewest = draw(st.integers(1, stages))
    columns = {
        "count": draw(st.sampled_from([stages, {"choice": [stages, fewest]}])) if fewest < stages else stages,
        "depth": leaf(draw, depths, place),
        "width": leaf(draw, [8, 16, 24], place, scaled=True),
        "block": leaf(draw, [lambda inner: _block(draw, inner)] * 2, replace(place, in_block=True)),
    }
    if draw(st.booleans()):
        tests = ({"width": ">= 16"}, {"depth": [1, 3]}, {"width": 8, "depth": "< 3"})
        columns["norm"] = leaf(draw, ["layernorm", "batchnorm", None], replace(place, tests=tests))
    if draw(st.booleans()):
        columns["downsample"] = leaf(draw, ["conv", {"kind": "conv", "kernel": 3}], replace(place, in_list=True))
    text = json.dumps({
        "task": {"resolution": 64, "classes": 10},
        "stem": leaf(draw, ["patchify", {"kind": "patchify", "patch": 2}], Place()),
        "stages": columns,
        "head": "pool_norm_linear",
        "drop_path": leaf(draw, [0, 0.1, 0.25], Place(tests=({"stem": "patchify"}, {"head": "norm_pool_linear"}))),
    })  # fmt: skip
    assume(depths[0] or _has_stages(text))
    return text


def _has_stages(text: str) -> bool:
    """Whether not every network is without a stage."""
    try:
        space_of(text)
    except SchemaError as error:
        if "no stage is left" not in str(error):
            raise
        return False
    return True


def _block(draw: Draw, place: Place) -> Any:
    plain = replace(place, tests=())
    tests = ({"norm": "batchnorm"}, {"act_placement": ["everywhere"]}, {"bias": False})
    return {
        "kind": "mixer_first",
        "mixer": leaf(draw, ["depthwise", *[lambda inner: _mixer(draw, inner)] * 2], plain),
        "norm": leaf(draw, ["layernorm", "batchnorm"], plain),
        "ratio": leaf(draw, [1, 2, 3], replace(place, tests=tests)),
    }


def _mixer(draw: Draw, place: Place) -> Any:
    kind = draw(st.sampled_from(["depthwise", "dense"]))
    bias = leaf(draw, [True, False], replace(place, tests=({"kernel": ">= 5"}, {"kernel": [1, 7]})))
    return {"kind": kind, "kernel": leaf(draw, [1, 3, 5, 7], replace(place, tests=())), "bias": bias}


def leaf(draw: Draw, pool: Sequence[Any], place: Place, *, scaled: bool = False) -> Any:
    """A value of the pool, or anything open that leads to one; functions in the pool write parts."""
    forms = ["value"] * 4
    if place.open:
        forms += ["choice"] * 2
        forms += ["int"] * all(isinstance(one, int) and not isinstance(one, bool) for one in pool)
        forms += ["list"] * bool(place.stages and not place.in_list)
        forms += ["pattern"] * place.in_block
        forms += ["when"] * bool(place.tests)
        forms += ["base"] * bool(scaled and place.stages and not place.in_list)
    form = draw(st.sampled_from(forms))
    inner = replace(place, open=max(0, place.open - 1))
    if form == "value":
        one = draw(st.sampled_from(pool))
        return one(inner) if callable(one) else one
    if form == "choice":
        options = [leaf(draw, pool, inner, scaled=scaled) for _ in range(draw(st.integers(1, 3)))]
        distinct = {json.dumps(option): option for option in options}
        return {"choice": list(distinct.values()), **_per_stage(draw, place), **_at_most(draw, options, place)}
    if form == "int":
        low, high = sorted(draw(st.tuples(st.sampled_from(pool), st.sampled_from(pool))))
        step = pool[1] - pool[0]
        return {"int": [low, high], "step": step, **_per_stage(draw, place), **_at_most(draw, [low, high], place)}
    if form == "list":
        return [leaf(draw, pool, replace(inner, in_list=True)) for _ in range(place.stages)]
    if form == "pattern":
        return {"pattern": [leaf(draw, pool, inner) for _ in range(draw(st.integers(1, 3)))]}
    if form == "when":
        branches = {word: leaf(draw, pool, inner, scaled=scaled) for word in ("then", "else")}
        return {"when": draw(st.sampled_from(place.tests)), **branches}
    ratios = [draw(st.sampled_from([1, 1.5, 2])) for _ in range(place.stages)]
    return {"base": leaf(draw, pool, replace(inner, in_list=True)), "ratio": ratios}


def _per_stage(draw: Draw, place: Place) -> dict[str, str]:
    return {"per": "stage"} if place.stages and draw(st.booleans()) else {}


def _at_most(draw: Draw, options: Sequence[Any], place: Place) -> dict[str, Any]:
    """A limit that leaves something, sometimes."""
    numbers = [one for one in options if isinstance(one, int) and not isinstance(one, bool)]
    if not (numbers and place.stages and draw(st.booleans())):
        return {}
    return {"at_most": "2 maps" if max(numbers) < 8 else draw(st.sampled_from(numbers))}


def shallow(architecture: Architecture) -> Architecture:
    """At most two blocks a stage, so that a test can run many."""
    data = architecture.to_dict()
    for stage in data["stages"]:
        stage["depth"] = min(stage["depth"], 2)
    return Architecture.from_dict(data)
