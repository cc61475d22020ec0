"""How complete a portfolio is: by channel and day the intervals that are and should be there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from gridtally.ingest.domain.channels import expectation
from gridtally.ingest.domain.local_days import days_between, slots_per_day
from gridtally.ingest.domain.meters import Channel, Flow, Meter
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period

DAYS_OF_METERS_MAX = 500_000
"""Meters × days of one answer: 10 000 meters for 50 days."""


class PresentDay(NamedTuple):
    """What is there of a channel-day."""

    meter_id: UUID
    flow: str
    minutes: int
    day: date
    present: int
    estimated: int
    substituted: int
    flagged: int


@dataclass(frozen=True, slots=True)
class ChannelCompleteness:
    """A channel's local days, from the window's first: one entry per day in every list."""

    meter_id: UUID
    flow: Flow
    minutes: int
    zone: str
    expected: list[int]
    present: list[int]
    estimated: list[int]
    substituted: list[int]
    flagged: list[int]


def check_size(meters: int, window: Period) -> None:
    """Rejected where so many meters and days are more than one answer has."""
    if meters * window.days > DAYS_OF_METERS_MAX:
        raise Rejected(
            "window",
            f"{meters} meters for {window.days} days: ask for at most {DAYS_OF_METERS_MAX} days of "
            "meters at once",
        )


def completeness(
    meters: Sequence[Meter], window: Period, days: Iterable[PresentDay]
) -> Iterator[ChannelCompleteness]:
    """The channels of the meters in their order; what is stored of no channel is left out."""
    first = window.start_on.toordinal()
    rows: dict[tuple[UUID, str, int], ChannelCompleteness] = {}
    for meter in meters:
        for channel in meter.channels:
            rows[meter.meter_id, channel.flow, channel.minutes] = ChannelCompleteness(
                meter.meter_id,
                channel.flow,
                channel.minutes,
                meter.zone,
                _expected(meter.zone, channel, window),
                *([0] * window.days for _ in range(4)),
            )
    for day in days:
        row = rows.get(day[:3])
        if row is not None:
            index = day.day.toordinal() - first
            row.present[index] = min(day.present, row.expected[index])
            row.estimated[index] = day.estimated
            row.substituted[index] = day.substituted
            row.flagged[index] = day.flagged
    yield from rows.values()


def _expected(zone: str, channel: Channel, window: Period) -> list[int]:
    """How many intervals each day should have: all of it, unless the channel began or ended."""
    if not channel.is_bounded:
        return list(slots_per_day(zone, channel.minutes, window))
    days = days_between(window.start_on, window.end_on)
    return [expectation(zone, Period(day, day + ONE_DAY), channel).count for day in days]
