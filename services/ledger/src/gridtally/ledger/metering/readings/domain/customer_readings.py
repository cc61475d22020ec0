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
"""The note of these readings, for people: whose they are does not follow from it."""
SENT_OF_DAY_MAX = 10
"""So many entries of a register and day are taken from customers."""
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
    sent_ids: frozenset[UUID]
    """The entries among them that the customer has sent."""

    @property
    def end_on(self) -> date | None:
        """The first local day on which it is the customer's no more; None while none is known."""
        return None if self.tenure.end_on == LATEST_ON else self.tenure.end_on

    def in_own_time(self, entry: Entry | None) -> Entry | None:
        """The entry, if it was taken while the meter was the customer's."""
        if entry is None or local_date(self.zone, entry.read_at) not in self.tenure:
            return None
        return entry


@dataclass(frozen=True, slots=True)
class SentOfDay:
    """What customers have sent of a register and local day: the customer's own reading, unless
    somebody else has changed it since, and the number of entries in all."""

    own: Entry | None
    count: int

    def is_repeated(self, value: Decimal) -> bool:
        """Whether this very value was sent before."""
        return self.own is not None and self.own.value == value

    def check_count(self) -> None:
        """Rejected where so many entries were sent that no more are taken."""
        if self.count >= SENT_OF_DAY_MAX:
            fault = Fault("/meter_id", f"was sent {SENT_OF_DAY_MAX} times for this day")
            raise Rejected(
                "reading_sent_too_often", "ask the supplier to correct this reading", (fault,)
            )


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


def check_between(value: Decimal, before: Entry | None, after: Entry | None) -> None:
    """Rejected for a value that does not fit between two readings that count, or is higher than the
    next: a register would have gone back once more than it has so far.

    Where nothing follows, a lower value may be right: the register began again at zero.
    """
    if after is None:
        return
    least = None if before is None else before.value
    was_back = least is not None and least > after.value
    is_back = (least is not None and value < least) + (value > after.value)
    if is_back > was_back:
        around = f"at most {after.value:f}" if least is None else f"{least:f} to {after.value:f}"
        fault = Fault("/value", f"must fit the readings before and after it: {around}")
        raise Rejected("reading_contradicts", "ask the supplier if this reading is right", (fault,))


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
