"""Which failures of a handler are the message's own fault.

A handler checks what it can; what it cannot is left to the database, which refuses values out of
range (SQLSTATE class 22) and rows that contradict others (class 23), and to Python, which refuses
texts without an encoding. Whatever else a handler raises is a defect.
"""

from gridtally.database.engine import causes

_OF_THE_DATA = ("22", "23")
"""Classes of SQLSTATE: data exceptions and violated constraints."""


def is_of_the_data(failure: Exception) -> bool:
    """Whether the data made a handler fail, so that the same message fails again.

    A constraint may also be violated by what another process writes at the same moment: whoever
    acts on this tries once more before giving the message up.
    """
    return any(
        isinstance(cause, UnicodeError | OverflowError | RecursionError)
        or str(getattr(cause, "sqlstate", None))[:2] in _OF_THE_DATA
        for cause in causes(failure)
    )
