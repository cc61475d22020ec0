"""Which clock a file's times are on, and the instants that they mean.

Owns the choice between a zone's local clock, UTC, and a clock that is never changed; and what the
end of an interval says about its start on days on which clocks change.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from gridtally.kernel.periods import zone_named
from gridtally.meter_files.channels import FileError
from gridtally.meter_files.local_clock import Instants, on_clock
from gridtally.meter_files.stamps import Stamp

_FIXED = re.compile(r"(?:UTC)?([+-])([0-9]{1,2}):?([0-9]{2})?")
OFFSET_MAX = 14 * 60
Fault = Callable[[int, str], ValueError]


def fixed_offset(clock: str) -> int | None:
    """The offset from UTC in minutes of a clock that is never changed (`UTC`, `+10:00`); None for
    a zone's own clock. ValueError for what is neither."""
    if clock == "UTC":
        return 0
    if (parts := _FIXED.fullmatch(clock)) is None:
        zone_named(clock)
        return None
    minutes = int(parts[2]) * 60 + int(parts[3] or 0)
    if minutes > OFFSET_MAX:
        raise ValueError(f"{clock!r} is no offset from UTC")
    return -minutes if parts[1] == "-" else minutes


def starts_of(
    stamps: Sequence[Stamp], clock: str, minutes: int, fault: Fault, *, are_ends: bool
) -> Instants:
    """When the intervals start, in UTC minutes, in the order of the file.

    Stamps with an offset of their own mean that instant. `fault` makes the error of a row.
    """
    back = minutes if are_ends else 0
    local = np.array([stamp.minute for stamp in stamps], np.int64)
    own = [stamp.offset for stamp in stamps]
    if None not in own:
        return local - np.array(own, np.int64) - back
    if any(offset is not None for offset in own):
        raise FileError(
            "some times have an offset from UTC and others have none: which clock is it?"
        )
    offset = fixed_offset(clock)
    if offset is not None:
        return local - offset - back
    if not are_ends:
        return on_clock(local, clock, set(), fault)
    # Two customs: the label of an end is that of its start, an interval later, also where the clock
    # is changed in between; or it is what the clock shows then. Only one of them fits such a day.
    try:
        return on_clock(local - back, clock, set(), fault)
    except ValueError as first:
        try:
            return on_clock(local, clock, set(), fault) - back
        except ValueError:
            raise first from None
