"""What can go wrong, in the words a user reads.

`UserError` is the root of everything that is the input's fault: the command line turns it into exit code 2 and prints
its message without a traceback. Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_SHOWN = 80  # characters of a value that a message quotes


def shortened(text: str) -> str:
    """A value as a message quotes it: in quotation marks, and only its beginning where it is long.

    >>> shortened("depht"), len(shortened("x" * 5000)) < 100
    ("'depht'", True)
    """
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"


def system_reason(error: OSError) -> str:
    """What the operating system has against writing something, and what helps where the disk is full."""
    advice = "; free some space and give the same command again" if error.errno in _FULL else ""
    return f"{error.strerror or error}{advice}"


class NasError(Exception):
    """Root of the errors this package raises on purpose."""


class UserError(NasError):
    """The input is wrong; the message says where, what is wrong and what to do."""


class FieldError(UserError):
    """A rule about one field of a spec is broken; the loader adds file, line and column.

    Attributes:
        field: the name of the offending field, in the words of the YAML.
        rule: the broken rule with the value that broke it.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class MisfitError(FieldError):
    """A part cannot stand at its place in a network: its groups do not divide the width there, it cannot stride.

    Attributes:
        part: the part, by its name in `Architecture.parts`.
    """

    def __init__(self, part: str, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.part = part


class UnknownNameError(UserError, LookupError):
    """A name that nothing is registered under; the message proposes the nearest one."""


class BudgetError(UserError):
    """A budget that cannot be read, or that nothing in the space can meet."""


class DataError(UserError):
    """A data set that is missing, empty, corrupt or too small for what was asked."""


class LedgerError(UserError):
    """A database that cannot be opened, is of another version, or does not hold what was asked for."""


class StudyError(UserError):
    """A study that does not exist, exists already, or disagrees with what it is resumed with."""
