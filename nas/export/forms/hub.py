"""The timm folder with a model card, ready for `hf upload`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.architecture import estimate
from nas.export.bundle import About, about_of
from nas.export.forms.base import Subject, Written, forms
from nas.export.forms.timm import Timm
from nas.export.timm_class import timm_class
from nas.units import format_count


class Hub(Timm):
    """`config.json`, weights and `README.md`, the card; its licence is for the user to fill in."""

    file = "hub/config.json"
    weights = "hub/model.safetensors"

    def cards(self, subject: Subject, written: Sequence[Written]) -> Mapping[str, str]:
        """The model card."""
        return {"hub/README.md": _card(subject, about_of(subject.folder), written)}


def _card(subject: Subject, about: About, written: Sequence[Written]) -> str:
    task, results = subject.task, about.provenance.results
    cost = estimate(subject.architecture, task)
    lines = [
        "---",
        "license: other  # fill in",
        "library_name: timm",
        "pipeline_tag: image-classification",
        "tags: [image-classification, timm, convnet, neural-architecture-search]",
        "---",
        f"# ConvNet {subject.architecture.id}",
        "",
        f"{format_count(cost.params)} parameters and {format_count(cost.flops)}FLOPs (multiply-adds of convolutions "
        f"and linear layers, parallel branches merged) for {task.classes} classes at {task.resolution} x "
        f"{task.resolution}.",
        "",
        *_accuracy(results),
        "## How it came about",
        "",
        *(f"* {name}: {_words(results[name])}" for name in _ORIGINS if name in results),
        "",
        "## Use",
        "",
        "    import timm" if timm_class(subject.architecture) else "    import nas, timm",
        '    network = timm.create_model("local-dir:FOLDER", pretrained=True)  # or hf-hub:NAME',
        "",
        "`pretrained=True` is what gives timm's own classes their weights."
        if timm_class(subject.architecture)
        else "The folder is opened with its weights; `scratch=True` gives fresh ones.",
        "",
        f"Images are scaled to [0, 1] and normalised with mean {list(about.provenance.mean)} and deviation "
        f"{list(about.provenance.std)}.",
        "",
        *_comparison(written),
        "",
    ]
    return "\n".join(lines)


def _comparison(written: Sequence[Written]) -> list[str]:
    """What every form that was written together with this one differs by."""
    return [
        "## Compared",
        "",
        "The largest difference of each form, opened again in its own runtime, to the network that was exported, over "
        "the largest output:",
        "",
        f"| form | random images | {written[0].real} |",
        "|---|---|---|",
        *(f"| {one.format} | {one.on_random:.1e} | {one.on_real:.1e} |" for one in written),
    ]


_ORIGINS = ("study", "preset", "checkpoint", "data", "recipe", "seed", "trained")


def _accuracy(results: dict[str, Any]) -> list[str]:
    test = results.get("test")
    if not isinstance(test, dict):
        return []
    return [
        f"Top-1 accuracy {test['accuracy']:.1%} (95 % interval {test['low']:.1%} to {test['high']:.1%}) on the "
        f"{test['images']:,} images of the test split, which no search has seen.",
        "",
    ]


def _words(value: Any) -> str:
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name  # whose folder is nobody's business
    return f"`{json.dumps(value)}`" if isinstance(value, dict) else str(value)


forms.register("hub")(Hub())
