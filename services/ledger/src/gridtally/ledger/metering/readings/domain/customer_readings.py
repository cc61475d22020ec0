"""Readings that customers send of their own registers: when they were taken, and what is doubtful.

Owns what a customer is asked once more about, before it counts. What a register cannot show at all
is refused as from anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import LATEST_ON, Period, local_date
from gridtally.ledger.metering.readings.domain.readings import Entry
from gridtally.ledger.metering.readings.domain.tenures import BACK_DAYS_MAX
from gridtally.ledger.registry.domain.meters import Register

NOTE = "read by the customer"
"""The note of these readings, by which everybody sees whose they are."""
PACE_DAYS_MIN, PACE_DAYS_MAX = 7, 400
"""How far apart two readings are whose difference says what is used a day."""
TIMES_EXPECTED_MAX = 3
SPARE_KWH = Decimal(50)
"""Above so many times what is expected, and this, a reading is doubtful."""
Doubt = Literal["lower_than_last", "earlier_than_last", "higher_than_expected"]
"""Lower than the last reading; taken before it; higher than use so far lets one expect."""


@dataclass(frozen=True, slots=True)
class OwnRegister:
    """A register of a customer's meter, with the newest readings of the customer's own time of it,
    the last one first: of what was read before and after that it knows nothing."""

    meter_id: UUID
    meter_name: str
    property_name: str
    zone: str
    register: Register
    tenure: Period
    recent: Sequence[Entry]

    @property
    def end_on(self) -> date | None:
        """The first local day on which it is the customer's no more; None while none is known."""
        return None if self.tenure.end_on == LATEST_ON else self.tenure.end_on

    @property
    def last(self) -> Entry | None:
        """The last reading."""
        return self.recent[0] if self.recent else None

    def own_reading_at(self, moment: datetime) -> Entry | None:
        """The reading that the customer sent of the moment's local day, if any."""
        zone = ZoneInfo(self.zone)
        day = moment.astimezone(zone).date()
        of_day = [
            entry
            for entry in self.recent
            if entry.note == NOTE
            and entry.kind == "reading"
            and entry.read_at.astimezone(zone).date() == day
        ]
        return of_day[0] if of_day else None


def check_day(day: date, today: date) -> None:
    """Rejected for a day to come, and for one that is too long ago."""
    if day > today:
        fault = Fault("/read_on", "must not lie in the future")
        raise Rejected("future_reading", "read_on must not lie in the future", (fault,))
    earliest_on = today - timedelta(days=BACK_DAYS_MAX)
    if day < earliest_on:
        fault = Fault("/read_on", f"must not lie before {earliest_on}")
        raise Rejected(
            "read_too_long_ago",
            f"customers send readings of the last {BACK_DAYS_MAX} days: "
            "ask the supplier to enter this one",
            (fault,),
        )


def check_day_anywhere(day: date, now: datetime) -> None:
    """The same where it is so in every zone: of what comes that far off no day is counted."""
    today = local_date("UTC", now)
    if not -1 <= (today - day).days <= BACK_DAYS_MAX + 1:
        check_day(day, today)


def moment_of(day: date | None, zone: str, now: datetime) -> datetime:
    """When a reading of a local day was taken: now for today and without a day, else at noon, since
    only the day is known. Rejected as by `check_day`."""
    if day is None:
        return now
    today = local_date(zone, now)
    check_day(day, today)
    if day == today:
        return now
    return datetime.combine(day, time(12), ZoneInfo(zone))


def expected_value(recent: Sequence[Entry], read_at: datetime) -> Decimal | None:
    """What a register will show at a moment after its last reading, if use goes on as it did since
    an earlier one, without an exchange or a rollover between; None where nothing says so."""
    pace = _kwh_per_day(recent)
    if pace is None or read_at <= recent[0].read_at:
        return None
    return recent[0].value + pace * _days(read_at - recent[0].read_at)


def doubt_about(value: Decimal, read_at: datetime, recent: Sequence[Entry]) -> Doubt | None:
    """Why a value should be looked at once more; None where nothing is odd."""
    if not recent:
        return None
    last = recent[0]
    if read_at < last.read_at:
        return "earlier_than_last"
    if value < last.value:
        return "lower_than_last"
    expected = expected_value(recent, read_at)
    if expected is None:
        return None
    most = (expected - last.value) * TIMES_EXPECTED_MAX + SPARE_KWH
    return "higher_than_expected" if value - last.value > most else None


def _kwh_per_day(recent: Sequence[Entry]) -> Decimal | None:
    """The mean use of a day between the last reading and the earliest that it goes on from."""
    if not recent or recent[0].kind == "exchange_initial":
        return None
    last = earliest = recent[0]
    for entry in recent[1:]:
        is_near = last.read_at - entry.read_at <= timedelta(days=PACE_DAYS_MAX)
        if not is_near or entry.value > earliest.value or entry.kind == "exchange_final":
            break
        earliest = entry
        if entry.kind == "exchange_initial":
            break
    between = last.read_at - earliest.read_at
    if between < timedelta(days=PACE_DAYS_MIN):
        return None
    return (last.value - earliest.value) / _days(between)


def _days(between: timedelta) -> Decimal:
    return Decimal(int(between.total_seconds())) / 86_400
