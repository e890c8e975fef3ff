"""The drawing of an architecture, from the image to the logits: rows that say what is drawn, and SVG text.

A stage is a stack of bars, one a block: as long as the side of its map (in octaves), as dark as its channels are many;
in a pattern of different blocks, those that are not the first of it have another colour.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape

from nas.architecture import Architecture
from nas.architecture.architecture import Part
from nas.layers import Block, Downsample, Norm, Spec
from nas.schema.fields import field_types
from nas.task import Task

WIDTH = 384
"""Of a drawing, in its own units; an architecture decides the height."""

TEXT = 122
"""Where the words of a part begin, across."""
LINE = 14
"""From a line of words to the next."""
TOP = 34
"""Where the parts begin, below the title; their own tops count from there."""
BASELINE = 9
"""Of the first line of words, from the top of its part."""

_BARS = 56  # where stacks have their middle
_LONGEST, _SHORTEST = 100.0, 6.0  # bars
_PITCH, _HIGHEST = 7.0, 126.0  # from a bar to the next; of a stack
_GAP = 10  # between parts
_COLUMNS = 42  # characters of a line
_PALEST = 0.3  # opacity of the fewest channels
_FIRST, _LATER = "#4269d0", "#d9822b"
_INK, _PAPER = "#1b1f24", "#ffffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPart:
    """Stem, stage or head, ready to be drawn.

    Attributes:
        name: `stem`, `stage 1`, `head`.
        facts: its numbers in words.
        words: what it is, a line each.
        size: side of the map it puts out, in pixels; 1 for a head.
        width: channels it puts out.
        bars: its blocks by their place in the stage's repeating pattern; one bar for stem and head.
    """

    name: str
    facts: str
    words: tuple[str, ...]
    size: int
    width: int
    bars: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A part with its place in the drawing, in units of it.

    Attributes:
        part: what it is.
        top, height: of its row.
        bar: length of its bars.
        pitch: from a bar to the next.
        opacity: of its bars.
    """

    part: DrawnPart
    top: float
    height: float
    bar: float
    pitch: float
    opacity: float


def drawn_parts(architecture: Architecture, task: Task) -> list[DrawnPart]:
    """Stem, stages and head of an architecture, for the images and classes of a task.

    Raises:
        UserError: the task's resolution is too small for the strides.
    """
    return [
        _stage(architecture, stage, list(parts)) if stage is not None else _end(next(parts))
        for stage, parts in groupby(architecture.parts(task), key=lambda part: part.stage)
    ]


def placed(parts: Sequence[DrawnPart]) -> list[Placed]:
    """The layout: where each part stands, how long and how dark its bars are."""
    octaves = math.log2(max(part.size for part in parts) + 1)
    fewest, most = (math.log(pick(part.width for part in parts[:-1])) for pick in (min, max))
    rows: list[Placed] = []
    top = 0.0
    for part in parts:
        pitch = min(_PITCH, _HIGHEST / len(part.bars))
        height = max(LINE * (1 + len(part.words)), pitch * len(part.bars)) + _GAP
        share = (math.log(part.width) - fewest) / (most - fewest) if most > fewest else 1.0
        rows.append(
            Placed(
                part=part,
                top=top,
                height=height,
                bar=_SHORTEST + (_LONGEST - _SHORTEST) * math.log2(part.size + 1) / octaves,
                pitch=pitch,
                opacity=_PALEST + (1 - _PALEST) * min(max(share, 0.0), 1.0),
            )
        )
        top += height
    return rows


def svg(parts: Sequence[DrawnPart], *, title: str) -> str:
    """A drawing as SVG text, which is a file of its own and an element of a page.

    Colours are attributes, which the style of a page may overrule: `.paper` is the ground, text has the page's colour.
    """
    rows = placed(parts)
    height = height_of(rows)
    described = "; ".join(f"{part.name}: {', '.join((part.facts, *part.words))}" for part in parts)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" color="{_INK}" fill="currentColor" font-family="system-ui, sans-serif" '
            'font-size="11">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(described)}</desc>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" fill="{_PAPER}"/>',
            f'<text x="{_GAP}" y="{LINE + 4}" font-size="13" font-weight="bold">{escape(title)}</text>',
            f'<g transform="translate(0 {TOP})">',
            *(line for row in rows for line in _drawn(row)),
            "</g>",
            "</svg>\n",
        ]
    )


class Bar(NamedTuple):
    """A block, as a rectangle in a drawing's units."""

    x: float
    y: float
    width: float
    height: float
    colour: str


def bars_of(row: Placed) -> list[Bar]:
    """The blocks of a part, from the top."""
    thick = max(row.pitch - 2, row.pitch * 0.6)
    return [
        Bar(_BARS - row.bar / 2, row.top + index * row.pitch, row.bar, thick, _FIRST if kind == 0 else _LATER)
        for index, kind in enumerate(row.part.bars)
    ]


def height_of(rows: Sequence[Placed]) -> int:
    """Of a whole drawing with its title."""
    return round(rows[-1].top + rows[-1].height + TOP)


def _drawn(row: Placed) -> Iterator[str]:
    part = row.part
    for bar in bars_of(row):
        yield (
            f'<rect x="{bar.x:.1f}" y="{bar.y:.1f}" width="{bar.width:.1f}" '
            f'height="{bar.height:.1f}" rx="1.5" fill="{bar.colour}" fill-opacity="{row.opacity:.2f}"/>'
        )
    yield (
        f'<text x="{TEXT}" y="{row.top + BASELINE:.1f}"><tspan font-weight="bold">{escape(part.name)}</tspan> '
        f"{escape(part.facts)}</text>"
    )
    for index, line in enumerate(part.words, start=1):
        yield f'<text x="{TEXT}" y="{row.top + BASELINE + index * LINE:.1f}" fill-opacity="0.75">{escape(line)}</text>'


def _end(part: Part) -> DrawnPart:
    """A stem or head."""
    if part.name == "head":
        facts = f"{part.site.width} classes" if part.site.width else "features"
        return DrawnPart(
            name="head", facts=facts, words=_wrapped(_said(part.spec)), size=1, width=max(part.site.width, 1)
        )
    size, width = part.spec.size_out(part.site), part.site.width
    return DrawnPart(name=part.name, facts=_map(size, width), words=_wrapped(_said(part.spec)), size=size, width=width)


def _stage(architecture: Architecture, index: int, parts: Sequence[Part]) -> DrawnPart:
    stage = architecture.stages[index]
    last = [part for part in parts if isinstance(part.spec, Block)][-1]
    size = last.spec.size_out(last.site)
    blocks = "block" if stage.depth == 1 else "blocks"
    return DrawnPart(
        name=f"stage {index + 1}",
        facts=f"{_map(size, stage.width)}, {stage.depth} {blocks}",
        words=_stage_words(stage.blocks, stage.downsample, stage.norm),
        size=size,
        width=stage.width,
        bars=tuple(place % len(stage.blocks) for place in range(stage.depth)),
    )


@lru_cache(maxsize=1024)
def _stage_words(pattern: tuple[Block, ...], downsample: Downsample | None, norm: Norm | None) -> tuple[str, ...]:
    """What depth, width and map leave to say; the same for most stages of a space, and slow to say."""
    ends = [f"downsample {_said(downsample)}"] if downsample is not None else []
    ends += [f"norm {_said(norm)} after all"] if norm is not None else []
    return _wrapped(*_blocks(pattern), *ends)


def _map(size: int, width: int) -> str:
    return f"{size}x{size}, {width} {'channel' if width == 1 else 'channels'}"


def _blocks(pattern: Sequence[Block]) -> Iterator[str]:
    """The kind of the blocks of a stage and the parts in them; what changes along the pattern is listed."""
    yield _in_turn([_kind(block) for block in pattern])
    for field in dict.fromkeys(name for block in pattern for name in field_types(type(block))):
        values = [getattr(block, field, None) for block in pattern]
        if any(isinstance(value, Spec) for value in values):
            yield f"{field} {_in_turn(['none' if value is None else _said(value) for value in values])}"
        elif field == "ratio":
            yield f"ratio {_in_turn([f'{value:g}' for value in values])}"
        elif any(isinstance(value, tuple) for value in values):
            yield _in_turn([_listed(value) for value in values])


def _in_turn(words: Sequence[str]) -> str:
    return words[0] if len(set(words)) == 1 else f"{', '.join(words)} in turn"


def _said(spec: Spec) -> str:
    """A part by its kind, its kernel whether default or not, and the mixer or layers inside it.

    Everything else is in `nas show`.
    """
    inside = [
        _listed(value)
        for name in field_types(type(spec))
        if isinstance(value := getattr(spec, name), tuple) or (isinstance(value, Spec) and name == "mixer")
    ]
    return f"{_kind(spec)} ({', '.join(one for one in inside if one)})" if any(inside) else _kind(spec)


def _kind(spec: Spec) -> str:
    kernel = next((getattr(spec, name) for name in ("kernel", "patch") if hasattr(spec, name)), None)
    if not isinstance(kernel, int):
        return spec.kind
    return f"{spec.kind} {kernel}x{getattr(spec, 'columns', None) or kernel}"


def _listed(value: object) -> str:
    """A part, or layers in the order they are passed."""
    if isinstance(value, Spec):
        return _said(value)
    if isinstance(value, tuple):
        return " > ".join(_listed(one) for one in value)
    return str(value)


def _wrapped(*phrases: str) -> tuple[str, ...]:
    """Lines of whole phrases; a phrase that is longer than a line has lines of its own."""
    lines: list[str] = []
    for phrase in phrases:
        joined = f"{lines[-1]} · {phrase}" if lines else phrase
        if lines and len(joined) <= _COLUMNS:
            lines[-1] = joined
        else:
            lines += textwrap.wrap(phrase, _COLUMNS, break_on_hyphens=False)
    return tuple(lines)
