"""Dated charges: those that are in force from a local day to a local day, and on no other.

A discount with an end, a levy that begins with the year, a bonus of the first months. Owned by the
kinds whose days add up, so that a bill with a change inside it is the sum of its days.
"""

from dataclasses import dataclass
from datetime import date

from gridtally.kernel.periods import Period
from gridtally.rating.components.charge import Charge, check_charge


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedCharge(Charge):
    """A charge that may begin and end within the time of its tariff version."""

    from_on: date | None = None
    """The first local day on which it is in force; null for no first."""
    to_on: date | None = None
    """The local day from which it is no longer in force; null for no last."""

    @property
    def changes_on(self) -> list[date]:
        """The days on which it begins or ceases to be in force."""
        return [day for day in (self.from_on, self.to_on) if day is not None]

    def days_in_force(self, days: Period) -> Period | None:
        """Those of `days` on which it is in force; None where it is on none of them."""
        start_on = days.start_on if self.from_on is None else max(days.start_on, self.from_on)
        end_on = days.end_on if self.to_on is None else min(days.end_on, self.to_on)
        return Period(start_on, end_on) if start_on < end_on else None


def check_dated_charge(charge: DatedCharge) -> None:
    """ValueError unless what every charge carries, and its days, are well formed."""
    check_charge(charge)
    if charge.from_on is not None and charge.to_on is not None and charge.from_on >= charge.to_on:
        raise ValueError("it must begin (from_on) before it ends (to_on)")
