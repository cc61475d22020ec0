"""The archive: what leaves the database for files, month by month, and how it is told apart.

Owns which months are old enough, how a month's meters are divided into shards, and the values that
come back. A channel-day is in one place: in the database, unless a shard has it and it was not
recalled since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import compress, pairwise
from typing import NamedTuple
from uuid import UUID

import numpy as np

from gridtally.ingest.domain.bulk_series import NOTHING_STORED, StoredChannel
from gridtally.ingest.domain.merge import Wh
from gridtally.kernel.periods import Period, month_of

MONTHS_MIN, MONTHS_MAX = 3, 600
"""The least and most whole months that a tenant may keep in the database beside the current one."""
YOUNG_DAYS = 80
"""A day that is younger is in no archive, whatever the limits: three whole months are longer."""
SHARD_DAYS_MAX = 16_000
"""Channel-days of a shard: some 500 meters with one channel, which fit in memory at once."""
DAYS, BLOCKS = "channel-days", "reading-blocks"
"""A shard's two files."""
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """For how many whole months before the current one the tenant's readings stay in the database;
    None: for ever. `version` counts the changes."""

    months: int | None = None
    version: int = 0


class Shard(NamedTuple):
    """A part of a tenant's month: the meters from one id to another, both inclusive. The shards of
    a month cover all ids there may be, so that a late meter has its place."""

    tenant_id: str
    month_on: date
    number: int
    meter_from: UUID
    meter_to: UUID

    @property
    def month(self) -> Period:
        """Its local days."""
        return month_of(self.month_on)


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """How many values, and how much energy in Wh (varh), channel-days of a flow have."""

    present: int
    energy_wh: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as it must be: its rows, bytes and SHA-256 (hex)."""

    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ArchivedShard:
    """A shard's files: in each `generation` they are new ones, under another name."""

    shard: Shard
    generation: int
    days: FileFacts
    blocks: FileFacts
    events: int
    energy: Mapping[str, FlowTotal]
    archived_at: datetime

    @property
    def folder(self) -> str:
        """Where they lie, below the archive's directory."""
        month = f"{self.shard.month_on:%Y-%m}"
        return f"{self.shard.tenant_id}/{month}/{self.shard.number:04d}-{self.generation}"

    @property
    def files(self) -> dict[str, FileFacts]:
        """Its files by their names."""
        return {DAYS: self.days, BLOCKS: self.blocks}


class DayFacts(NamedTuple):
    """What is stored of a channel-day beside its values."""

    zone: str
    version: int
    present: int
    recorded_at: datetime
    correlation_id: str


@dataclass(frozen=True, slots=True)
class ArchivedChannel:
    """Days of a channel from one file; `facts` of each day, where they were asked for."""

    meter_id: UUID
    flow: str
    minutes: int
    stored: StoredChannel
    facts: Sequence[DayFacts] = ()


@dataclass(frozen=True, slots=True)
class ArchivedBlock:
    """A piece of a block, as it is stored; `values` in Wh, MISSING where there is none."""

    meter_id: UUID
    flow: str
    day: date
    event_id: UUID
    start_at: datetime
    minutes: int
    slot: int
    piece: int
    quality: str
    read_at: datetime
    recorded_at: datetime
    source: str
    correlation_id: str
    values: Wh = field(repr=False)

    @property
    def channel_day(self) -> tuple[UUID, str, int, date]:
        """The channel-day that it lies in, of its tenant."""
        return self.meter_id, self.flow, self.minutes, self.day


def is_young(day: date, now: datetime) -> bool:
    """Whether no archive can have this day yet."""
    return day > now.date() - timedelta(days=YOUNG_DAYS)


def archived_until(settings: ArchiveSettings, now: datetime) -> date | None:
    """The first day that stays in the database; None where everything does.

    The month that is current anywhere on earth counts, so a day of tolerance.
    """
    if settings.months is None:
        return None
    month = (now - timedelta(days=1)).date().replace(day=1)
    first = month.year * 12 + month.month - 1 - settings.months
    return date(first // 12, first % 12 + 1, 1)


def divide(tenant_id: str, month_on: date, days_of: Sequence[tuple[UUID, int]]) -> list[Shard]:
    """The shards of a month that has none yet; `days_of` has how many channel-days each meter has,
    by id."""
    begins, days = [FIRST_ID], 0
    for meter_id, count in days_of:
        if days and days + count > SHARD_DAYS_MAX:
            begins.append(meter_id)
            days = 0
        days += count
    ends = [*(UUID(int=begin.int - 1) for begin in begins[1:]), LAST_ID]
    return [
        Shard(tenant_id, month_on, number, *bounds)
        for number, bounds in enumerate(zip(begins, ends, strict=True))
    ]


def kept(channel: ArchivedChannel, window: Period, left_out: Collection[date]) -> ArchivedChannel:
    """The channel's days within the window, without those that are left out."""
    stored = channel.stored
    stays = [window.start_on <= day < window.end_on and day not in left_out for day in stored.days]
    if all(stays):
        return channel
    mask = np.repeat(stays, stored.lengths)
    letters = np.frombuffer(stored.quality, np.uint8)[mask]
    return replace(
        channel,
        stored=StoredChannel(
            list(compress(stored.days, stays)),
            stored.values[mask],
            list(compress(stored.lengths, stays)),
            letters.tobytes(),
        ),
        facts=list(compress(channel.facts, stays)),
    )


def merged(parts: Iterable[StoredChannel]) -> StoredChannel:
    """Days of one channel from several places, each in one of them, in order of time."""
    ordered = sorted((part for part in parts if part.days), key=lambda part: part.days[0])
    if len(ordered) < 2:
        return ordered[0] if ordered else NOTHING_STORED
    if any(before.days[-1] > after.days[0] for before, after in pairwise(ordered)):
        by_day = {day: own for part in ordered for day, own in part.by_day().items()}
        days = sorted(by_day)
        return StoredChannel(
            days,
            np.concatenate([by_day[day][0] for day in days]),
            [by_day[day][0].size for day in days],
            b"".join(by_day[day][1].tobytes() for day in days),
        )
    return StoredChannel(
        [day for part in ordered for day in part.days],
        np.concatenate([part.values for part in ordered]),
        [length for part in ordered for length in part.lengths],
        b"".join(part.quality for part in ordered),
    )
