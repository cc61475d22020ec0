"""When a channel measures: what of a period it is expected to have, and what it cannot have.

A channel may begin or end inside a period: panels go up, a meter is removed. An interval that lies
wholly in its time is expected, so that it is missing where it has no value. One that it measures in
part may have a value, which counts. Of all others nothing is expected and nothing counts, whatever
is stored of them; they are no gap, and nothing flowed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from gridtally.ingest.domain.local_days import slots_per_day
from gridtally.ingest.domain.merge import MISSING, NO_CHANNEL, NO_QUALITY, Qualities, Wh
from gridtally.ingest.domain.meters import Channel
from gridtally.kernel.periods import Period, midnight_utc


@dataclass(frozen=True, slots=True)
class Expectation:
    """The intervals of a period, by index, that a channel is expected to have, [first, end), and
    those that may have a value, [first_possible, end_possible)."""

    first: int
    end: int
    first_possible: int
    end_possible: int

    @property
    def count(self) -> int:
        """How many intervals are expected."""
        return max(0, self.end - self.first)


def expectation(zone: str, period: Period, channel: Channel) -> Expectation:
    """What a channel is expected to have of a period."""
    slots = sum(slots_per_day(zone, channel.minutes, period))
    if not channel.is_bounded:
        return Expectation(0, slots, 0, slots)
    begin_at, step = midnight_utc(zone, period.start_on), timedelta(minutes=channel.minutes)

    def index(at: datetime | None, otherwise: int, *, up: bool) -> int:
        if at is None:
            return otherwise
        whole = -((begin_at - at) // step) if up else (at - begin_at) // step
        return min(max(whole, 0), slots)

    return Expectation(
        first=index(channel.start_at, 0, up=True),
        end=index(channel.end_at, slots, up=False),
        first_possible=index(channel.start_at, 0, up=False),
        end_possible=index(channel.end_at, slots, up=True),
    )


def is_whole(zone: str, period: Period, channel: Channel) -> bool:
    """Whether the channel measures for all of the period."""
    return not channel.is_bounded or expectation(zone, period, channel) == expectation(
        zone, period, Channel(channel.flow, channel.minutes, channel.interval_wh_max)
    )


def limit_to_channel(values: Wh, quality: Qualities, expected: Expectation) -> None:
    """Take off what the channel cannot have measured, and mark it as such, in place."""
    possible = np.zeros(values.size, np.bool_)
    possible[expected.first_possible : expected.end_possible] = True
    values[~possible] = MISSING
    quality[~possible] = NO_CHANNEL
    partly = possible.copy()
    partly[expected.first : max(expected.first, expected.end)] = False
    quality[partly & (quality == NO_QUALITY)] = NO_CHANNEL
