"""Billing periods: when they close, what they carry, and when a close is a new revision.

A period closes when every interval that its meter's channels measure is there and its end has
passed; under the policy `bill_present` also when its grace time has passed, with what is there;
under `estimate` what it lacks then is estimated first. `wait` waits. What comes after a close makes
the next revision, if it changes anything (ING-6); so do values that are voided after it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

import numpy as np

from gridtally.ingest.domain.agreements import AgreementKey, Closing
from gridtally.ingest.domain.channels import expectation, is_whole, limit_to_channel
from gridtally.ingest.domain.derived_meters import PartTotal
from gridtally.ingest.domain.local_days import OLDEST_ON, slots_per_day
from gridtally.ingest.domain.merge import MISSING, NO_CHANNEL, NO_QUALITY, Qualities, Wh
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.kernel.billing_calendars import MONTHLY, Calendars
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import Period, midnight_utc, month_of

ClosedBy = Literal["complete", "grace", "forced"]
T = TypeVar("T")
PeriodKey = tuple[str, UUID, date]
"""Tenant, agreement and first day."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How an agreement's periods close."""

    closing: Closing
    grace: timedelta


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """A period of an agreement that may be closed, or closed again.

    `closed_by` is None where it is open: also where it was closed before, by other terms of its
    agreement, and goes on from that `revision`.
    """

    tenant_id: str
    agreement_id: UUID
    meter: Meter
    period: Period
    policy: Policy
    revision: int = 0
    digest: str | None = None
    closed_by: ClosedBy | None = None
    can_be_estimated: bool = True
    """Whether nobody has tried in vain."""

    @property
    def key(self) -> PeriodKey:
        """What identifies the period."""
        return (self.tenant_id, self.agreement_id, self.period.start_on)

    @property
    def end_at(self) -> datetime:
        """The instant at which it has passed."""
        return midnight_utc(self.meter.zone, self.period.end_on)

    @property
    def grace_ends_at(self) -> datetime:
        """The instant from which it is billed without waiting for more, unless it is to wait."""
        return self.end_at + self.policy.grace

    def has_lost_values(self, present: int) -> bool:
        """Whether it was closed as complete, and is complete no more."""
        return self.closed_by == "complete" and present < self.expected

    @property
    def expected(self) -> int:
        """How many intervals make it complete."""
        zone = self.meter.zone
        return sum(expectation(zone, self.period, channel).count for channel in self.meter.channels)

    @property
    def is_partly_measured(self) -> bool:
        """Whether a channel begins or ends within it, or did not measure at all."""
        zone = self.meter.zone
        return not all(is_whole(zone, self.period, channel) for channel in self.meter.channels)

    def expected_present(self, series: "Sequence[FlowSeries]") -> int:
        """How many of the intervals that make it complete have a value."""
        total = 0
        for channel, flow_series in zip(self.meter.channels, series, strict=True):
            expected = expectation(self.meter.zone, self.period, channel)
            total += int(
                np.count_nonzero(flow_series.values[expected.first : expected.end] != MISSING)
            )
        return total


@dataclass(frozen=True, slots=True)
class UnplannedAgreement:
    """An agreement whose periods are to be planned; `zone` is its meter's."""

    tenant_id: str
    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date | None
    zone: str
    calendars: Calendars = MONTHLY

    @property
    def key(self) -> AgreementKey:
        """Tenant and agreement."""
        return self.tenant_id, self.agreement_id


@dataclass(frozen=True, slots=True)
class PlannedPeriod:
    """A period that may be closed from `check_at` on, when it has ended."""

    tenant_id: str
    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    check_at: datetime


def planning_horizon(now: datetime) -> date:
    """Periods are planned that begin before the end of next month."""
    return month_of(month_of(now.date()).end_on).end_on


def plan_agreement(
    agreement: UnplannedAgreement, horizon_on: date, known: Sequence[Period] = ()
) -> list[PlannedPeriod]:
    """The agreement's periods that begin before the horizon, cut at its own begin and end.

    Of the days of its `known` periods, which stay as they are, none is planned again: a period that
    was closed before its agreement changed, and lies within it still, is followed by what is left
    of the one that it lies in.
    """
    start_on = max(agreement.start_on, OLDEST_ON)
    ordered = sorted(known)
    return [
        PlannedPeriod(
            agreement.tenant_id,
            agreement.agreement_id,
            agreement.meter_id,
            period.start_on,
            period.end_on,
            midnight_utc(agreement.zone, period.end_on),
        )
        for whole in agreement.calendars.periods(start_on, agreement.end_on, horizon_on)
        for period in _without(whole, ordered)
    ]


def _without(period: Period, known: Sequence[Period]) -> list[Period]:
    """What is left of a period without the days of others, which are in order."""
    left: list[Period] = []
    start_on = period.start_on
    for other in known:
        if (days := period.overlap(other)) is not None:
            if start_on < days.start_on:
                left.append(Period(start_on, days.start_on))
            start_on = days.end_on
    if start_on < period.end_on:
        left.append(Period(start_on, period.end_on))
    return left


def in_batches(periods: Sequence[T], days_max: int, days: Callable[[T], int]) -> Iterator[list[T]]:
    """The periods in order, in lists of so many days together, or of one period that has more."""
    batch: list[T] = []
    room = days_max
    for period in periods:
        if batch and days(period) > room:
            yield batch
            batch, room = [], days_max
        batch.append(period)
        room -= days(period)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Presence:
    """How many intervals of a period there are, since when, and which cause was the last."""

    intervals: int = 0
    changed_at: datetime | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """The period is to be closed, for this reason, and checked again `again_at`."""

    by: ClosedBy
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`; None: before something changes."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the period lacks is to be estimated; that it has changed then makes it due again."""


def decide(
    open_period: OpenPeriod, presence: Presence, *, revision_delay: timedelta, now: datetime
) -> Close | Wait | Estimate:
    """Whether to close a period; one that is closed waits until its readings have been quiet.

    A Close of a closed period makes a revision only if its series turns out to be another one, or
    if its grace has ended since values of it were voided.
    """
    channels = open_period.meter.channels
    complete = bool(channels) and presence.intervals == open_period.expected
    if open_period.closed_by is not None:
        quiet_at = presence.changed_at + revision_delay if presence.changed_at else now
        if quiet_at > now:
            return Wait(quiet_at)
        if complete:
            return Close("complete")
        return _close_incomplete(open_period, presence.intervals, now)
    if now < open_period.end_at:
        return Wait(open_period.end_at)
    if complete:
        return Close("complete")
    if open_period.policy.closing == "wait":
        return Wait(None)
    grace_ends_at = open_period.grace_ends_at
    return _after_grace(open_period) if now >= grace_ends_at else Wait(grace_ends_at)


def _after_grace(open_period: OpenPeriod) -> Close | Estimate:
    wants_estimates = open_period.policy.closing == "estimate" and open_period.can_be_estimated
    return Estimate() if wants_estimates and open_period.meter.channels else Close("grace")


def _close_incomplete(open_period: OpenPeriod, present: int, now: datetime) -> Close | Estimate:
    """For what reason a closed period that lacks intervals is closed again.

    One that has lost them stays `complete`, and billing holds that revision for the values that are
    missing, until the period is complete again or its grace has ended: so it shows at once that the
    period's invoice rests on a value that is void.
    """
    if open_period.closed_by is not None and not open_period.has_lost_values(present):
        return Close(open_period.closed_by)
    if open_period.policy.closing == "wait":
        return Close("complete")
    if now < open_period.grace_ends_at:
        return Close("complete", again_at=open_period.grace_ends_at)
    return _after_grace(open_period)


@dataclass(frozen=True, slots=True)
class FlowSeries:
    """All intervals of one flow of a period."""

    flow: str
    minutes: int
    values: Wh
    quality: Qualities

    @property
    def measured(self) -> int:
        """How many intervals have a value or lack one that was expected."""
        return int(np.count_nonzero(self.quality != NO_CHANNEL))

    @property
    def present(self) -> int:
        """How many intervals have a value."""
        return int(np.count_nonzero(self.values != MISSING))

    @property
    def energy_wh(self) -> int:
        """The sum of what is there."""
        return int(self.values[self.values != MISSING].sum(dtype=np.int64))


StoredDay = tuple[date, Wh, Qualities]
"""A local day with a value and a quality for each of its intervals."""


def assemble(zone: str, period: Period, channel: Channel, days: Sequence[StoredDay]) -> FlowSeries:
    """The period's series of a channel out of the days that are stored; the rest is missing, or
    lies outside the channel's time."""
    slots = slots_per_day(zone, channel.minutes, period)
    begins = np.concatenate(([0], np.cumsum(slots)))
    values = np.full(int(begins[-1]), MISSING, np.int32)
    quality = np.full(values.size, NO_QUALITY, np.uint8)
    for day, day_values, day_quality in days:
        begin = int(begins[(day - period.start_on).days])
        values[begin : begin + day_values.size] = day_values
        quality[begin : begin + day_values.size] = day_quality
    if channel.is_bounded:
        limit_to_channel(values, quality, expectation(zone, period, channel))
    return FlowSeries(channel.flow, channel.minutes, values, quality)


def digest(series: Sequence[FlowSeries]) -> str:
    """SHA-256 over flow, length, values (64-bit little-endian) and quality of each series."""
    sha = hashlib.sha256()
    for flow_series in series:
        size = flow_series.values.size
        sha.update(f"{flow_series.flow}|{flow_series.minutes}|{size}|".encode())
        sha.update(flow_series.values.astype("<i8").tobytes())
        sha.update(flow_series.quality.tobytes())
    return sha.hexdigest()


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A period as it is closed now, in its next revision, with all that its event carries; `summed`
    is what it was added up from, of a derived meter."""

    period: OpenPeriod
    revision: int
    close: Close
    series: tuple[FlowSeries, ...]
    digest: str
    correlation_id: str
    summed: Sequence[PartTotal] = ()

    @property
    def expected(self) -> int:
        """How many intervals the period has in which its channels measure."""
        return sum(flow_series.measured for flow_series in self.series)

    @property
    def present(self) -> int:
        """How many intervals have a value."""
        return sum(flow_series.present for flow_series in self.series)


def close_period(
    period: OpenPeriod,
    close: Close,
    series: tuple[FlowSeries, ...],
    correlation_id: str | None,
    summed: Sequence[PartTotal] = (),
) -> ClosedPeriod:
    """The next revision of a period; one without any reading is its own cause."""
    cause = correlation_id or str(derive_id("period", *period.key))
    return ClosedPeriod(period, period.revision + 1, close, series, digest(series), cause, summed)


def is_new_revision(closed: ClosedPeriod) -> bool:
    """Whether a close differs from the revision before: in its series, or in that it is billed
    although it is complete no more."""
    before = closed.period
    given_up = before.closed_by == "complete" and closed.close.by != "complete"
    return given_up or closed.digest != before.digest
