"""Coincident demand: a record's charges on the power that a meter took at the system's peaks.

A record says what they cost by the month and hour, and not when the peaks were. Conventions: of
several peaks in a month the mean is charged, on the days of that month; months of which no peak is
given are not billed, unless no hour of theirs costs anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
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
PricedTiers = Sequence[Mapping[str, object]]
"""Rates per kW with their limits, as components have them."""


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
    if not peaks:
        description = (
            "charges the power at the system's peaks, whose times a record does not name: give "
            "them (--system-peaks FILE, a date and time a line)"
        )
        record.lack(STRUCTURE, description)
        return []
    system_peaks = [_system_peak(at, zone, schedule) for at in sorted(peaks)]
    _report_months(record, system_peaks, schedule, rates)
    charged = [period for period, tiers in rates.items() if _costs(tiers)]
    known = _known_months(system_peaks, schedule, rates)
    return [
        {
            "kind": "coincident_demand",
            "id": f"coincident-demand-{period}" if len(charged) > 1 else "coincident-demand",
            **_rate_fields(rates[period]),
            "peak_sets": _peak_sets(
                [peak for peak in system_peaks if peak.period == period], known
            ),
            "per": UNITS[unit.lower()],
        }
        | measured
        for period in charged
    ]


def _schedule(record: Record, value: object, periods: int) -> list[list[int]] | None:
    """The period of each month and hour; a record may also have one for each month."""
    if isinstance(value, list) and not any(isinstance(row, list) for row in value):
        months = twelve_at(record, SCHEDULE) or []
        record.fields[SCHEDULE] = [[period] * HOURS for period in months]
    return schedule_at(record, SCHEDULE, periods)


def _rates(
    record: Record, periods: Sequence[Tiers], schedule: Sequence[Sequence[int]]
) -> dict[int, PricedTiers]:
    """The tiers per kW of each period that is in force; one rate is a single tier."""
    used = {period for row in schedule for period in row}
    return {
        period: tiers_of(record, periods[period], f"/{STRUCTURE}/{period}", "rate")
        for period in sorted(used)
    }


def _costs(tiers: PricedTiers) -> bool:
    return any(Decimal(str(tier["rate"])) for tier in tiers)


def _rate_fields(tiers: PricedTiers) -> dict[str, object]:
    return {"rate": tiers[0]["rate"]} if len(tiers) == 1 else {"tiers": [*tiers]}


def _system_peak(at: datetime, zone: str, schedule: Sequence[Sequence[int]]) -> _SystemPeak:
    local = at.astimezone(zone_named(zone))
    return _SystemPeak(at, month_of(local.date()), schedule[local.month - 1][local.hour])


def _known_months(
    peaks: Sequence[_SystemPeak],
    schedule: Sequence[Sequence[int]],
    rates: Mapping[int, PricedTiers],
) -> list[Period]:
    """The months of the peaks' years of which it is known what they cost: those with a peak, and
    those in which no hour costs anything."""
    first, last = peaks[0].month.start_on, peaks[-1].month.start_on
    given = {peak.month for peak in peaks}
    return [
        month
        for month in months_between(date(first.year, 1, 1), date(last.year + 1, 1, 1))
        if month in given
        or not any(_costs(rates[period]) for period in schedule[month.start_on.month - 1])
    ]


def _peak_sets(peaks: Sequence[_SystemPeak], known: Sequence[Period]) -> list[dict[str, object]]:
    """A set for each month with peaks, and one without for the known months between two such."""
    at_by_month: dict[Period, list[datetime]] = {}
    for peak in peaks:
        at_by_month.setdefault(peak.month, []).append(peak.at)
    sets: list[tuple[Period, list[datetime]]] = []
    for month in known:
        at = at_by_month.get(month, [])
        if not at and sets and not sets[-1][1] and sets[-1][0].end_on == month.start_on:
            sets[-1] = (Period(sets[-1][0].start_on, month.end_on), [])
        else:
            sets.append((month, at))
    return [
        {
            "name": f"{days.start_on:%Y-%m}",
            "at": [at.astimezone(UTC).isoformat() for at in instants],
            "from_on": days.start_on.isoformat(),
            "to_on": days.end_on.isoformat(),
        }
        for days, instants in sets
    ]


def _report_months(
    record: Record,
    peaks: Sequence[_SystemPeak],
    schedule: Sequence[Sequence[int]],
    rates: Mapping[int, PricedTiers],
) -> None:
    """Notes on which months can be billed, and warnings of peaks that cost nothing and of months
    that are left out between others."""
    free = [peak.at for peak in peaks if not _costs(rates[peak.period])]
    if free:
        shown = ", ".join(f"{at:%Y-%m-%dT%H:%M%z}" for at in free[:3])
        record.note("not_imported", STRUCTURE, f"no rate is in force at the peaks of {shown}")
    first, last = peaks[0].month, peaks[-1].month
    given = {peak.month.start_on for peak in peaks}
    for month in months_between(first.start_on, last.end_on):
        costs = any(_costs(rates[period]) for period in schedule[month.start_on.month - 1])
        if costs and month.start_on not in given:
            description = f"no peak of {month.start_on:%Y-%m} is given: it cannot be billed"
            record.note("not_imported", STRUCTURE, description)
    description = (
        f"each month from {first.start_on:%Y-%m} to {last.start_on:%Y-%m} is charged by its own "
        "peaks, of several by their mean; months that cost something cannot be billed without one"
    )
    record.note("convention", STRUCTURE, description)
