"""On which local days a meter is a customer's: by agreements, and by the property that it is at.

Owns that a customer is shown, and enters, nothing of another's time of a meter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gridtally.kernel.periods import EARLIEST_ON, LATEST_ON, Period, local_date

BACK_DAYS_MAX = 60
"""For so many days a reading can be sent of a day, also by who has moved out since."""


@dataclass(frozen=True, slots=True)
class AgreedDays:
    """The days of an agreement for a meter, and whether it is the customer's own."""

    is_own: bool
    start_on: date
    end_on: date | None


@dataclass(frozen=True, slots=True)
class AskedDays:
    """Which days a customer asks about: a local day, today without one, and so many before it."""

    now: datetime
    day: date | None = None
    days_before: int = 0

    def within(self, zone: str) -> Period:
        """The local days of a zone."""
        last = self.day or local_date(zone, self.now)
        return Period(last - timedelta(days=self.days_before), last + timedelta(days=1))

    @property
    def anywhere(self) -> Period:
        """Days that have those of every zone among them."""
        days = self.within("UTC")
        return Period(days.start_on - timedelta(days=1), days.end_on + timedelta(days=1))


def tenures_of(
    agreements: Sequence[AgreedDays], *, is_at_own: bool, since_on: date | None
) -> list[Period]:
    """When a meter is a customer's, oldest first; what follows at once is one.

    With an agreement of the customer's, and at its own property, which it has `since_on` where
    somebody else had it before, while nobody else has an agreement.
    """
    own = list(_days(agreement for agreement in agreements if agreement.is_own))
    if is_at_own:
        others = _days(agreement for agreement in agreements if not agreement.is_own)
        own += _between(sorted(others), since_on or EARLIEST_ON)
    joined: list[Period] = []
    for period in sorted(own):
        if joined and period.start_on <= joined[-1].end_on:
            before = joined[-1]
            joined[-1] = Period(before.start_on, max(before.end_on, period.end_on))
        else:
            joined.append(period)
    return joined


def newest_within(tenures: Sequence[Period], asked: Period) -> Period | None:
    """The newest of them that has one of the days; None where none has."""
    having = [
        tenure
        for tenure in tenures
        if tenure.start_on < asked.end_on and asked.start_on < tenure.end_on
    ]
    return having[-1] if having else None


def _days(agreements: Iterator[AgreedDays]) -> Iterator[Period]:
    """Their days; of one that was cancelled before it began there are none."""
    for agreement in agreements:
        end_on = agreement.end_on or LATEST_ON
        if agreement.start_on < end_on:
            yield Period(agreement.start_on, end_on)


def _between(others: Sequence[Period], start_on: date) -> Iterator[Period]:
    """The days from `start_on` on that are in none of the others, which come by their start."""
    for other in others:
        if start_on < other.start_on:
            yield Period(start_on, other.start_on)
        start_on = max(start_on, other.end_on)
    if start_on < LATEST_ON:
        yield Period(start_on, LATEST_ON)
