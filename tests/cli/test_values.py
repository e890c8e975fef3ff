"""What no value of any option may be, tried on every parameter of the command tree."""

from __future__ import annotations

import pytest
import typer
from command_tree import parameters

from nas.cli.main import main
from nas.errors import UserError

USAGE_ERROR = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")

TAKING = [one for one in parameters() if not one.is_flag]


@pytest.mark.parametrize("value", ["", " ", "a\0b", "9" * 5000], ids=["empty", "blank", "NUL", "5,000 digits"])
def test_no_parameter_takes_it(value: str) -> None:
    for parameter in TAKING:
        given = ["--", value] if parameter.option is None else [f"{parameter.option}={value}"]
        with pytest.raises((UserError, USAGE_ERROR)) as refused:
            parameter.parser.make_context(" ".join(parameter.command), given)
        assert 0 < len(str(refused.value)) < 1000, parameter


def test_an_unset_variable_does_not_mean_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--space", "tiny", "--budget", "30MFLOPs", "--data", ""]) == 2
    assert "--data: the value is empty" in capsys.readouterr().err
