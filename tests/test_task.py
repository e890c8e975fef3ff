from __future__ import annotations

from typing import Any

import pytest

from nas.errors import FieldError
from nas.task import Task


def test_default_task_is_imagenet() -> None:
    assert Task() == Task(resolution=224, classes=1000, channels=3)


def test_no_classes_means_features() -> None:
    assert Task(classes=0).classes == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("resolution", 0), ("resolution", -224), ("resolution", 10**9), ("resolution", 224.0), ("resolution", True),
     ("resolution", None), ("classes", -1), ("classes", "ten"), ("channels", 0)],
)  # fmt: skip
def test_number_that_makes_no_sense_is_refused(field: str, value: Any) -> None:
    with pytest.raises(FieldError, match="must be a whole number between") as caught:
        Task(**{field: value})
    assert caught.value.field == field
