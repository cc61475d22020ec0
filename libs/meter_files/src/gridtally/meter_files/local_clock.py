"""Times on a local clock as instants: of hours that the clock skips or repeats too.

Owns how rows of a file are placed on days of 23 and 25 hours. Refuses to guess: a time that does
not exist, or is there twice, is a fault of its row.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import ONE_DAY, midnight_utc, zone_named

MINUTES_PER_DAY = 1440
Instants = NDArray[np.int64]
"""Minutes from 1970 in UTC."""
NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the local clock's
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ON = date(1970, 1, 1)
_MINUTE = timedelta(minutes=1)


def on_clock(
    local: Instants, zone: str, taken: set[int], fault: Callable[[int, str], ValueError]
) -> Instants:
    """Instants of local minutes; days of another length than usual row by row, in file order.

    Of an hour that the clock repeats, the first rows are before and the next ones after the change.
    `taken` are instants that other rows have; `fault` makes the error of a row by its index.
    """
    days, minutes = np.divmod(local, MINUTES_PER_DAY)
    instants = np.zeros(len(local), np.int64)
    unusual = np.zeros(len(local), bool)
    for day in np.unique(days).tolist():
        on = _EPOCH_ON + timedelta(days=day)
        begin, end = (minute_of(midnight_utc(zone, edge_on)) for edge_on in (on, on + ONE_DAY))
        chosen = days == day
        if end - begin == MINUTES_PER_DAY:
            instants[chosen] = begin + minutes[chosen]
        else:
            unusual |= chosen
    latest: dict[int, int] = {}
    repeated: set[int] = set()
    for index in np.flatnonzero(unusual).tolist():
        at, text, day = local[index], _written(int(local[index])), int(days[index])
        candidates = instants_of(int(at), zone)
        if not candidates:
            raise fault(index, f"{text} does not exist in {zone}: the clock skips it")
        left = [instant for instant in candidates if instant not in taken]
        if not left:
            raise fault(index, f"{text} is there twice")
        if len(candidates) > 1:
            repeated.add(day)
        if day in repeated and left[0] < latest.get(day, left[0]):
            raise fault(
                index,
                f"{text}: the clock of {zone} repeats an hour of this day, and the rows are not in "
                "order of time: use start_utc, or an offset",
            )
        latest[day] = max(left[0], latest.get(day, left[0]))
        taken.add(left[0])
        instants[index] = left[0]
    return instants


def instants_of(local: int, zone: str) -> list[int]:
    """The instants at which the clock shows a local minute: none, one, or two in order."""
    at = (NAIVE_EPOCH + local * _MINUTE).replace(tzinfo=zone_named(zone))
    instants = {at.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(
        minute_of(instant)
        for instant in instants
        if instant.astimezone(zone_named(zone)).replace(tzinfo=None) == at.replace(tzinfo=None)
    )


def skipped_by_clock(local: Instants, zone: str) -> NDArray[np.bool_]:
    """Which local minutes the clock of a zone never shows."""
    skipped = np.zeros(len(local), np.bool_)
    for day in np.unique(local // MINUTES_PER_DAY).tolist():
        on = _EPOCH_ON + timedelta(days=day)
        if midnight_utc(zone, on + ONE_DAY) - midnight_utc(zone, on) < ONE_DAY:
            for index in np.flatnonzero(local // MINUTES_PER_DAY == day).tolist():
                skipped[index] = not instants_of(int(local[index]), zone)
    return skipped


def minute_of(at: datetime) -> int:
    """The minute since 1970 of an instant."""
    return (at - _EPOCH) // _MINUTE


def instant(minute: int) -> datetime:
    """The instant of a minute since 1970."""
    return _EPOCH + minute * _MINUTE


def _written(local: int) -> str:
    return f"{NAIVE_EPOCH + local * _MINUTE:%Y-%m-%d %H:%M}"
