"""Intervals of which some are archived, as the lines of CSV that the database would have made.

Owns that nobody can tell from a file whether what it has was archived: the same columns in the same
form and order (`store.exports`). Only meters of which something is archived come this way.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import numpy as np

from gridtally.database import ReadConnection, copy
from gridtally.database.copy_out import TakeLines
from gridtally.ingest.domain.archive import ArchivedChannel
from gridtally.ingest.domain.merge import MISSING
from gridtally.kernel.periods import Period

DAYS_AT_ONCE = 30
"""Of a channel: the lines of so many are in memory."""
_SECONDS = "%Y-%m-%d %H:%M:%S"


class IntervalDay(NamedTuple):
    """A channel-day with its values in Wh (varh), MISSING where there is none."""

    meter_id: UUID
    flow: str
    day: date
    minutes: int
    zone: str
    recorded_at: datetime
    quality: str
    values: list[int]


_DAYS = """
SELECT meter_id, flow, day, minutes, zone, recorded_at, quality, array_send(values) AS sent
  FROM channel_day
 WHERE tenant_id = $1 AND meter_id = ANY($2::uuid[]) AND flow = ANY($3::text[])
   AND day >= $4 AND day < $5
"""


async def fetch_interval_days(
    read: ReadConnection,
    tenant_id: str,
    meter_ids: Sequence[UUID],
    flows: Sequence[str],
    window: Period,
) -> list[IntervalDay]:
    """What the database has of these channels."""
    rows = await read.raw.fetch(
        _DAYS, tenant_id, list(meter_ids), list(flows), window.start_on, window.end_on
    )
    values, lengths = copy.joined_int4_arrays(b"".join([row["sent"] for row in rows]))
    parts = np.split(values, np.cumsum(lengths)[:-1]) if lengths else []
    return [
        IntervalDay(
            row["meter_id"], row["flow"], row["day"], row["minutes"], row["zone"],
            row["recorded_at"], row["quality"], part.tolist(),
        )
        for row, part in zip(rows, parts, strict=True)
    ]  # fmt: skip


def interval_days(channels: Iterable[ArchivedChannel]) -> Iterator[IntervalDay]:
    """What the archive has of channels, with the facts of their days."""
    for channel in channels:
        days = channel.stored.by_day().items()
        for (day, (values, letters)), facts in zip(days, channel.facts, strict=True):
            yield IntervalDay(
                channel.meter_id, channel.flow, day, channel.minutes, facts.zone,
                facts.recorded_at, letters.tobytes().decode(), values.tolist(),
            )  # fmt: skip


# The server says when local days begin, as it does in the view `reading`.
_BEGINS = """
SELECT zone, day, day::timestamp AT TIME ZONE zone AS begin_at
  FROM unnest($1::text[], $2::date[]) AS k (zone, day)
"""


async def take_intervals(
    read: ReadConnection, days: Sequence[IntervalDay], take: TakeLines
) -> None:
    """Hand the lines of all intervals to `take`, by meter, flow and time."""
    named = sorted({(own.zone, own.day) for own in days})
    rows = await read.raw.fetch(_BEGINS, *(list(column) for column in zip(*named, strict=True)))
    begins = {(row["zone"], row["day"]): row["begin_at"] for row in rows}
    channels: dict[tuple[UUID, str], list[IntervalDay]] = {}
    for own in days:
        channels.setdefault((own.meter_id, own.flow), []).append(own)
    for name in sorted(channels):
        by_day: dict[date, list[IntervalDay]] = {}
        for own in channels[name]:
            by_day.setdefault(own.day, []).append(own)
        dates = sorted(by_day)
        for first in range(0, len(dates), DAYS_AT_ONCE):
            part = [by_day[day] for day in dates[first : first + DAYS_AT_ONCE]]
            await take(await asyncio.to_thread(_lines, part, begins))


def _lines(
    days: Sequence[Sequence[IntervalDay]], begins: dict[tuple[str, date], datetime]
) -> bytes:
    """The lines of a channel's days; where one has intervals of two lengths, by their beginning."""
    lines: list[str] = []
    for lengths in days:
        of_day = [line for own in lengths for line in _of_day(own, begins[own.zone, own.day])]
        if len(lengths) > 1:
            of_day.sort()
        lines += (line for _, line in of_day)
    return "".join(lines).encode()


def _of_day(own: IntervalDay, begin_at: datetime) -> Iterator[tuple[str, str]]:
    """When each interval begins, and its line."""
    head = f"{own.meter_id},{own.flow},{own.day},"
    tail = f",{_instant(own.recorded_at)}\n"
    starts = _starts(begin_at, own.minutes, len(own.values))
    for start, value, letter in zip(starts, own.values, own.quality, strict=True):
        energy = "" if value == MISSING else value
        yield start, f"{head}{start},{own.minutes},{energy},{letter}{tail}"


@lru_cache(maxsize=2_048)
def _starts(begin_at: datetime, minutes: int, count: int) -> tuple[str, ...]:
    """When intervals begin, as the server writes it; cached, since many meters share days."""
    step = timedelta(minutes=minutes)
    return tuple(_instant(begin_at + index * step) for index in range(count))


def _instant(at: datetime) -> str:
    """An instant in UTC as the server writes it: without zeros at the end of a fraction."""
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at.strftime(_SECONDS)}{fraction}+00"
