"""Ingest's tables of meters, agreements, periods and channel-days, in memory.

Each class stands in for a module of `gridtally.ingest.store`, with functions of the same names and
arguments; `stand_in` puts them in its place. Nothing is locked, since one test runs at a time.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np

from gridtally.ingest.domain.agreements import Agreement
from gridtally.ingest.domain.local_days import OLDEST_ON
from gridtally.ingest.domain.periods import (
    ClosedPeriod,
    OpenPeriod,
    PlannedPeriod,
    Policy,
    Presence,
    UnplannedAgreement,
    assemble,
)
from gridtally.ingest.handlers import agreements as agreement_handlers
from gridtally.ingest.handlers import alerts as alert_handlers
from gridtally.ingest.handlers import derived_meters as derived_handlers
from gridtally.ingest.handlers import device_events as device_event_handlers
from gridtally.ingest.handlers import meters as meter_handlers
from gridtally.ingest.handlers import periods as period_handlers
from gridtally.kernel.periods import ONE_DAY, Period, month_of


@dataclass
class AgreementRow:
    """A stored agreement, and up to where its periods are planned."""

    agreement: Agreement
    planned_until: date = OLDEST_ON


@dataclass
class PeriodRow:
    """A stored period; `closed` is its newest close."""

    planned: PlannedPeriod
    check_at: datetime | None
    closed: ClosedPeriod | None = None
    revision_before: int = 0
    is_cancelled: bool = False

    @property
    def revision(self):
        return self.closed.revision if self.closed else self.revision_before


@dataclass
class DayRow:
    """A stored channel-day."""

    values: np.ndarray
    quality: np.ndarray
    recorded_at: datetime
    correlation_id: str


@dataclass
class Tables:
    """All rows, by their keys; `marks` are of `period_check`."""

    meters: dict = field(default_factory=dict)
    agreements: dict = field(default_factory=dict)
    periods: dict = field(default_factory=dict)
    days: dict = field(default_factory=dict)
    marks: list = field(default_factory=list)
    outbox: list = field(default_factory=list)

    def stand_in(self, monkeypatch):
        """Put the double in the store's place, in the handlers of periods and what they rest on."""
        meters, agreements, periods = Meters(self), Agreements(self), Periods(self)
        sums = NoSums()
        monkeypatch.setattr(meter_handlers, "meters", meters)
        monkeypatch.setattr(meter_handlers, "store", sums)
        monkeypatch.setattr(period_handlers, "derived_meters", sums)
        monkeypatch.setattr(derived_handlers, "derived_meters", sums)
        monkeypatch.setattr(meter_handlers, "periods", periods)
        monkeypatch.setattr(alert_handlers, "alert_rules", NoAlerts())
        monkeypatch.setattr(device_event_handlers, "fetch_rule_sets", fetch_no_rule_sets)
        for handlers in (agreement_handlers, period_handlers):
            monkeypatch.setattr(handlers, "agreements", agreements)
            monkeypatch.setattr(handlers, "periods", periods)
        monkeypatch.setattr(period_handlers, "enqueue", self.enqueue)

    async def enqueue(self, _tx, messages):
        self.outbox += messages


class NoAlerts:
    """`store.alert_rules`, of tenants that have none on."""

    async def fetch_tenants(self, read):
        return frozenset()


async def fetch_no_rule_sets(_read):
    """That of `store.validation_rules`, of tenants that have no rule on."""
    return {}


class NoSums:
    """`store.derived_meters`, of a tenant without any."""

    async def insert_built_in(self, tx, defined):
        assert not defined

    async def fetch_billed_sums(self, read, keys):
        return []

    async def fetch_part_totals(self, read, periods):
        return {}


class Meters:
    """`store.meters`."""

    def __init__(self, tables):
        self._rows = tables.meters

    async def upsert_meters(self, tx, registrations):
        for registration in registrations:
            key = (registration.tenant_id, registration.meter.meter_id)
            known = self._rows.get(key)
            if known is None:
                self._rows[key] = registration
            elif known.version <= registration.version:
                meter = replace(registration.meter, zone=known.meter.zone)
                self._rows[key] = replace(registration, meter=meter)

    async def fetch_meters(self, read, keys):
        return {key: self._rows[key].meter for key in keys if key in self._rows}

    async def delete_meters(self, tx, keys):
        for key in keys:
            self._rows.pop(key, None)


class Agreements:
    """`store.agreements`."""

    def __init__(self, tables):
        self._tables, self._rows = tables, tables.agreements

    async def upsert_agreements(self, tx, agreements):
        changed = []
        for agreement in agreements:
            key = (agreement.tenant_id, agreement.id)
            known = self._rows.get(key)
            if known is None or known.agreement.version < agreement.version:
                self._rows[key] = AgreementRow(agreement)
                changed.append(key)
        return changed

    async def delete_agreements(self, tx, keys):
        for key in keys:
            self._rows.pop(key, None)

    async def lock_unplanned(self, tx, horizon_on, agreements_max):
        due = []
        for row in sorted(self._rows.values(), key=lambda row: row.planned_until):
            agreement = row.agreement
            meter = self._tables.meters.get((agreement.tenant_id, agreement.meter_id))
            end_on = agreement.end_on or date.max
            if meter and row.planned_until < min(horizon_on, end_on):
                due.append(
                    UnplannedAgreement(
                        agreement.tenant_id,
                        agreement.id,
                        agreement.meter_id,
                        agreement.start_on,
                        agreement.end_on,
                        meter.meter.zone,
                        agreement.calendars,
                    )
                )
        return due[:agreements_max]

    async def mark_planned(self, tx, agreements, horizon_on):
        for agreement in agreements:
            self._rows[agreement.tenant_id, agreement.agreement_id].planned_until = horizon_on


class Periods:
    """`store.periods`."""

    def __init__(self, tables):
        self._tables, self._rows = tables, tables.periods

    async def insert_periods(self, tx, planned):
        for period in planned:
            others = [
                row.planned
                for (tenant_id, agreement_id, _), row in self._rows.items()
                if (tenant_id, agreement_id) == (period.tenant_id, period.agreement_id)
                and not row.is_cancelled
            ]
            overlaps = [
                other
                for other in others
                if other.start_on < period.end_on and other.end_on > period.start_on
            ]
            if not overlaps:
                key = (period.tenant_id, period.agreement_id, period.start_on)
                before = self._rows.get(key)
                revision = before.revision if before else 0
                self._rows[key] = PeriodRow(period, period.check_at, revision_before=revision)

    async def fetch_known_periods(self, read, keys):
        known = {}
        for (tenant_id, agreement_id, start_on), row in self._rows.items():
            if (tenant_id, agreement_id) in keys and not row.is_cancelled:
                period = Period(start_on, row.planned.end_on)
                known.setdefault((tenant_id, agreement_id), []).append(period)
        return known

    async def cancel_periods(self, tx, keys):
        for key, row in list(self._rows.items()):
            if key[:2] not in keys:
                continue
            agreement, planned = self._tables.agreements[key[:2]].agreement, row.planned
            is_within = (
                agreement.start_on <= planned.start_on
                and planned.end_on <= (agreement.end_on or date.max)
                and planned.meter_id == agreement.meter_id
            )
            if row.revision == 0:
                del self._rows[key]
            elif row.closed is None or not is_within:
                row.is_cancelled, row.check_at = True, None

    async def delete_periods(self, tx, keys):
        for key in [key for key in self._rows if key[:2] in keys]:
            del self._rows[key]

    async def check_periods_of_meters(self, tx, keys, now, *, state="open"):
        for row in self._rows.values():
            is_of_meters = (row.planned.tenant_id, row.planned.meter_id) in keys
            if is_of_meters and (row.closed is None) == (state == "open"):
                row.check_at = now

    async def claim_due_periods(self, tx, now, periods_max):
        due = [mark for mark in self._tables.marks if mark[3] <= now][:periods_max]
        self._tables.marks = [mark for mark in self._tables.marks if mark not in due]
        marked = {mark[:3] for mark in due}
        changed = {
            key
            for key, row in self._rows.items()
            if not row.is_cancelled
            and any(
                (tenant_id, meter_id) == (key[0], row.planned.meter_id)
                and month_of(month_on).overlap(Period(key[2], row.planned.end_on))
                for tenant_id, meter_id, month_on in marked
            )
        }
        timed = [
            (row.check_at, key)
            for key, row in self._rows.items()
            if row.check_at and row.check_at <= now
        ]
        return list(changed | {key for _, key in sorted(timed)[:periods_max]})

    async def lock_periods(self, tx, keys):
        locked = []
        for key in sorted(keys):
            row = self._rows.get(key)
            agreement = self._tables.agreements.get(key[:2])
            meter = row and self._tables.meters.get((key[0], row.planned.meter_id))
            if row and not row.is_cancelled and agreement and meter:
                agreed, closed = agreement.agreement, row.closed
                locked.append(
                    OpenPeriod(
                        key[0],
                        key[1],
                        meter.meter,
                        Period(row.planned.start_on, row.planned.end_on),
                        Policy(agreed.closing, timedelta(hours=agreed.grace_hours)),
                        row.revision,
                        closed and closed.digest,
                        closed and closed.close.by,
                    )
                )
        return locked

    async def fetch_presence(self, read, periods):
        presences = []
        for period in periods:
            days = [
                (row.recorded_at, day, row)
                for channel in period.meter.channels
                for day, row in self._days_of(period, channel)
            ]
            if days:
                changed_at, _, last = max(days, key=lambda day: day[:2])
                [series] = await self.fetch_series(read, [period])
                intervals = period.expected_present(series)
                presences.append(Presence(intervals, changed_at, last.correlation_id))
            else:
                presences.append(Presence())
        return presences

    async def fetch_series(self, read, periods):
        return [
            tuple(
                assemble(
                    period.meter.zone,
                    period.period,
                    channel,
                    [(day, row.values, row.quality) for day, row in self._days_of(period, channel)],
                )
                for channel in period.meter.channels
            )
            for period in periods
        ]

    def _days_of(self, period, channel):
        key = (period.tenant_id, period.meter.meter_id, channel.flow, channel.minutes)
        for day in period.period.dates():
            if (*key, day) in self._tables.days:
                yield day, self._tables.days[*key, day]

    async def update_check_times(self, tx, check_at):
        for key, until in check_at:
            if key in self._rows:
                self._rows[key].check_at = until

    async def update_closed(self, tx, closed, now):
        for period in closed:
            row = self._rows[period.period.key]
            row.closed, row.check_at = period, period.close.again_at


def mark_ended_months(tables, key, now):
    """What `store.usage.mark_ended_months` does for one channel-day."""
    month = month_of(key.day)
    periods = [
        row.planned for row in tables.periods.values() if row.planned.meter_id == key.meter_id
    ]
    ends = [month.end_on] + [
        period.end_on for period in periods if period.start_on <= key.day < period.end_on
    ]
    if min(ends) <= (now + ONE_DAY).date():
        tables.marks.append((key.tenant_id, key.meter_id, month.start_on, now))
