"""Which failures of a handler are met again with the same message, and so are the message's own.

A handler checks what it can; what it cannot is left to the database, which refuses values out of
range (SQLSTATE class 22), rows that contradict others (23) and what is too large for an index (54),
and to Python. An error of Python that nobody foresaw is a defect of ours, but one that a single
message shows: that message is given up too, so that none can end a process. What tells of the
machine, of the database as a whole or of missing tables would befall any message, and blames none.
"""

from typing import Literal

from gridtally.database.engine import AccessRefused, causes
from gridtally.kernel.errors import Transient

Blame = Literal["data", "defect"]
"""A value that cannot be stored, or one that our code does not survive."""
_OF_THE_DATA = ("22", "23", "54")
"""Classes of SQLSTATE: data exceptions, violated constraints, exceeded limits."""
_OF_NO_MESSAGE = (AccessRefused, MemoryError, OSError, Transient)


def blame_of(failure: Exception) -> Blame | None:
    """What of a message made its handler fail, so that it fails again; None for what is not its.

    A constraint may also be violated by what another process writes at the same moment: whoever
    acts on this tries once more before giving the message up.
    """
    is_foreseen = False
    for cause in causes(failure):
        if isinstance(cause, _OF_NO_MESSAGE):
            return None
        if (sqlstate := getattr(cause, "sqlstate", None)) is not None:
            return "data" if str(sqlstate)[:2] in _OF_THE_DATA else None
        is_foreseen |= isinstance(cause, UnicodeError | OverflowError | RecursionError)
    return "data" if is_foreseen else "defect"
