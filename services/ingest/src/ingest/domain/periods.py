"""Billing periods: when they close, what they carry, and how equal ones are recognised.

A period closes when every interval of all its meter's channels is there and its end has passed;
under the policy `bill_present` also when its grace time has passed, with what is there. `wait`
waits. What comes after a close makes the next revision, if it changes anything (ING-6); also what
is taken back after it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import numpy as np

from ingest.domain.days import slots_per_day
from ingest.domain.merge import MISSING, NO_QUALITY, Letters, Wh
from ingest.domain.meters import Channel, Meter
from kernel.periods import Period, midnight_utc

ClosedBy = Literal["complete", "grace", "forced"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How an agreement's periods close."""

    closing: Literal["wait", "bill_present"]
    grace: timedelta


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """A period of an agreement that may be closed, or (`revision` > 0) closed anew."""

    tenant_id: str
    agreement_id: UUID
    meter: Meter
    period: Period
    policy: Policy
    revision: int = 0
    digest: str | None = None
    closed_by: ClosedBy | None = None

    @property
    def end_at(self) -> datetime:
        """The instant at which it has passed."""
        return midnight_utc(self.meter.zone, self.period.end_on)

    @property
    def grace_ends_at(self) -> datetime:
        """The instant from which it is billed with what is there, if its policy is so."""
        return self.end_at + self.policy.grace

    def has_lost_values(self, present: int) -> bool:
        """Whether it was closed as complete, and is no more."""
        return self.closed_by == "complete" and present < self.expected

    @property
    def expected(self) -> int:
        """How many intervals make it complete."""
        zone = self.meter.zone
        return sum(sum(slots_per_day(zone, c.minutes, self.period)) for c in self.meter.channels)


@dataclass(frozen=True, slots=True)
class Close:
    """The period is to be closed, for this reason, and looked at again `again_at`."""

    by: ClosedBy
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`; None: before something changes."""

    until: datetime | None


def decide(
    it: OpenPeriod,
    *,
    present: int,
    changed_at: datetime | None,
    revision_delay: timedelta,
    now: datetime,
) -> Close | Wait:
    """Whether to close a period; one that is closed waits until its readings have settled.

    A Close of a closed period makes a revision only if its series turns out to be another one, or
    if its grace has ended since values of it were taken back.
    """
    complete = bool(it.meter.channels) and present == it.expected
    if it.revision:
        settled_at = changed_at + revision_delay if changed_at else now
        if settled_at > now:
            return Wait(settled_at)
        return Close("complete") if complete else _close_incomplete(it, present, now)
    if now < it.end_at:
        return Wait(it.end_at)
    if complete:
        return Close("complete")
    if it.policy.closing == "wait":
        return Wait(None)
    return Close("grace") if now >= it.grace_ends_at else Wait(it.grace_ends_at)


def _close_incomplete(it: OpenPeriod, present: int, now: datetime) -> Close:
    """For what reason a closed period that lacks intervals is closed anew.

    One that has lost them stays `complete`, which billing holds for what it lacks, until it is
    complete again or its grace has ended: so it is told at once that its invoice has no ground.
    """
    if it.closed_by is not None and not it.has_lost_values(present):
        return Close(it.closed_by)
    if it.policy.closing == "wait":
        return Close("complete")
    if now < it.grace_ends_at:
        return Close("complete", again_at=it.grace_ends_at)
    return Close("grace")


@dataclass(frozen=True, slots=True)
class FlowSeries:
    """All intervals of one flow of a period."""

    flow: str
    minutes: int
    values: Wh
    quality: Letters

    @property
    def present(self) -> int:
        """How many intervals have a value."""
        return int(np.count_nonzero(self.values != MISSING))

    @property
    def energy_wh(self) -> int:
        """The sum of what is there."""
        return int(self.values[self.values != MISSING].sum(dtype=np.int64))


StoredDay = tuple[date, Wh, Letters]


def assemble(zone: str, period: Period, channel: Channel, days: Sequence[StoredDay]) -> FlowSeries:
    """The period's series of a channel out of the days that are stored; the rest is missing."""
    slots = slots_per_day(zone, channel.minutes, period)
    begins = np.concatenate(([0], np.cumsum(slots)))
    values = np.full(int(begins[-1]), MISSING, np.int32)
    quality = np.full(values.size, NO_QUALITY, np.uint8)
    for day, day_values, day_quality in days:
        begin = int(begins[(day - period.start_on).days])
        values[begin : begin + day_values.size] = day_values
        quality[begin : begin + day_values.size] = day_quality
    return FlowSeries(channel.flow, channel.minutes, values, quality)


def digest(series: Sequence[FlowSeries]) -> str:
    """SHA-256 over flow, length, values (64-bit little-endian) and quality of each series."""
    sha = hashlib.sha256()
    for one in series:
        sha.update(f"{one.flow}|{one.minutes}|{one.values.size}|".encode())
        sha.update(one.values.astype("<i8").tobytes())
        sha.update(one.quality.tobytes())
    return sha.hexdigest()
