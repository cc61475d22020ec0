"""Coincident demand: a record's charges on the power that a meter took at the system's peaks.

A record says what they cost by the month and hour, and not when the peaks were. Conventions: of
several peaks in a month the mean is charged, on the days of that month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from gridtally.kernel.errors import Fault
from gridtally.kernel.periods import Period, month_of, months_between, zone_named
from gridtally.urdb.record import (
    HOURS,
    MONTHS,
    Record,
    invalid,
    schedule_at,
    structure_at,
    twelve_at,
)
from gridtally.urdb.record import Period as Tiers
from gridtally.urdb.tiers import tiers_of

STRUCTURE, SCHEDULE = "coincidentratestructure", "coincidentschedule"
UNITS = {"": "month", "kw": "month", "kw daily": "day"}
"""What a rate is for besides a kW, by the record's unit."""


@dataclass(frozen=True, slots=True)
class _SystemPeak:
    """A peak, the local month in which it is charged, and the period that its rate is of."""

    at: datetime
    month: Period
    period: int


def coincident_charges(
    record: Record, peaks: Sequence[datetime], zone: str, measured: dict[str, object]
) -> list[dict[str, object]]:
    """A charge for each period of the schedule in which a peak lies; what is lacking is reported.

    `measured` says over how many minutes power is the mean.
    """
    periods = structure_at(record, STRUCTURE)
    value = record.fields.get(SCHEDULE)
    schedule = _schedule(record, value, len(periods)) if periods else None
    record.take(SCHEDULE)
    unit = record.text("coincidentrateunit")
    if not any(tier.get("rate") or tier.get("adj") for tiers in periods for tier in tiers):
        return []
    if schedule is None and len(periods) > 1:
        raise invalid([Fault(f"/{SCHEDULE}", f"is needed: {len(periods)} periods")])
    schedule = schedule or [[0] * HOURS] * MONTHS
    rates = _rates(record, periods, schedule)
    if unit.lower() not in UNITS:
        record.lack(STRUCTURE, f"charges power in {unit} at the system's peaks, not in kW")
        return []
    if rates is None:
        return []
    if not peaks:
        description = (
            "charges the power at the system's peaks, whose times a record does not name: give "
            "them (--system-peaks FILE, a date and time a line)"
        )
        record.lack(STRUCTURE, description)
        return []
    system_peaks = [_system_peak(at, zone, schedule) for at in sorted(peaks)]
    _report_months(record, system_peaks, schedule, rates)
    charged = [period for period, rate in enumerate(rates) if rate]
    charges = []
    for period in charged:
        own = [peak for peak in system_peaks if peak.period == period]
        if own:
            number = f"-{period}" if len(charged) > 1 else ""
            charges.append(
                {
                    "kind": "coincident_demand",
                    "id": f"coincident-demand{number}",
                    "rate": format(rates[period], "f"),
                    "peak_sets": _peak_sets(own),
                    "per": UNITS[unit.lower()],
                }
                | measured
            )
    return charges


def _schedule(record: Record, value: object, periods: int) -> list[list[int]] | None:
    """The period of each month and hour; a record may also have one for each month."""
    if isinstance(value, list) and not any(isinstance(row, list) for row in value):
        months = twelve_at(record, SCHEDULE) or []
        record.fields[SCHEDULE] = [[period] * HOURS for period in months]
    return schedule_at(record, SCHEDULE, periods)


def _rates(
    record: Record, periods: Sequence[Tiers], schedule: Sequence[Sequence[int]]
) -> list[Decimal] | None:
    """The rate per kW of each period; None where one that is in force has tiers, as reported."""
    used = {period for row in schedule for period in row}
    rates = [Decimal(0)] * len(periods)
    for period in sorted(used):
        tiers = tiers_of(record, periods[period], f"/{STRUCTURE}/{period}", "rate")
        if len(tiers) > 1:
            record.lack(f"{STRUCTURE}/{period}", "charges the power at the system's peaks in tiers")
            return None
        rates[period] = Decimal(str(tiers[0]["rate"]))
    return rates


def _system_peak(at: datetime, zone: str, schedule: Sequence[Sequence[int]]) -> _SystemPeak:
    local = at.astimezone(zone_named(zone))
    return _SystemPeak(at, month_of(local.date()), schedule[local.month - 1][local.hour])


def _peak_sets(peaks: Sequence[_SystemPeak]) -> list[dict[str, object]]:
    """A set for each month, with all of its peaks."""
    at_by_month: dict[Period, list[datetime]] = {}
    for peak in peaks:
        at_by_month.setdefault(peak.month, []).append(peak.at)
    return [
        {
            "name": f"{month.start_on:%Y-%m}",
            "at": [at.astimezone(UTC).isoformat() for at in instants],
            "from_on": month.start_on.isoformat(),
            "to_on": month.end_on.isoformat(),
        }
        for month, instants in at_by_month.items()
    ]


def _report_months(
    record: Record,
    peaks: Sequence[_SystemPeak],
    schedule: Sequence[Sequence[int]],
    rates: Sequence[Decimal],
) -> None:
    """Notes on which months are charged, and warnings of peaks and months that are not."""
    free = [peak.at for peak in peaks if not rates[peak.period]]
    if free:
        shown = ", ".join(f"{at:%Y-%m-%dT%H:%M%z}" for at in free[:3])
        record.note("not_imported", STRUCTURE, f"no rate is in force at the peaks of {shown}")
    first, last = peaks[0].month, peaks[-1].month
    given = {peak.month.start_on for peak in peaks}
    for month in months_between(first.start_on, last.end_on):
        costs = any(rates[period] for period in schedule[month.start_on.month - 1])
        if costs and month.start_on not in given:
            description = f"no peak of {month.start_on:%Y-%m} is given: that month has no charge"
            record.note("not_imported", STRUCTURE, description)
    description = (
        f"each month from {first.start_on:%Y-%m} to {last.start_on:%Y-%m} is charged by its own "
        "peaks, of several by their mean; bills before and after have no such charge"
    )
    record.note("convention", STRUCTURE, description)
