"""What search tests share: a small study, and how one is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nas.cost import Budget
from nas.search.definition import StudyDefinition
from nas.search.progress import Progress
from nas.space import load_space
from nas.train.recipe import Recipe

Runner = Callable[..., Progress]


def make_definition(**changes: Any) -> StudyDefinition:
    space = load_space("tiny")
    fields: dict[str, Any] = {
        "space": space, "budget": Budget.parse("30MFLOPs"), "task": space.task, "data": "digits",
        "fingerprint": "0" * 16, "recipe": Recipe(), "sampler": "random", "seed": 0,
    }  # fmt: skip
    return StudyDefinition(**{**fields, **changes})
