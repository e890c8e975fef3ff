from __future__ import annotations

import pytest

from nas import errors


def test_every_error_of_ours_has_one_root() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert all(issubclass(kind, errors.NasError) for kind in kinds)
    assert {kind for kind in kinds if not issubclass(kind, errors.UserError)} == {errors.NasError}


def test_field_error_keeps_field_and_rule_apart() -> None:
    error = errors.FieldError("kernel", "must be odd, got 4")
    assert (error.field, error.rule, str(error)) == ("kernel", "must be odd, got 4", "kernel: must be odd, got 4")


def test_unknown_name_is_a_lookup_error_with_a_readable_message() -> None:
    with pytest.raises(LookupError) as caught:
        raise errors.UnknownNameError("unknown mixer 'x'")
    assert str(caught.value) == "unknown mixer 'x'"  # a KeyError would put it in quotes
