"""Read cycles: a tenant's named lists of dates, on which meters are read and periods begin."""

from dataclasses import dataclass
from datetime import date

from gridtally.kernel.billing_calendars import check_read_dates


@dataclass(frozen=True, slots=True)
class ReadCycle:
    """The dates of a cycle so far, in order; the period after the last one ends on the next."""

    name: str
    dates: tuple[date, ...]

    def __post_init__(self) -> None:
        check_read_dates(self.dates)
