"""Agreements: a customer's meter on a tariff, from one local date to another."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from gridtally.kernel.periods import Period

ClosingPolicy = Literal["wait", "bill_present"]
GRACE_HOURS_MAX = 24 * 366


@dataclass(frozen=True, slots=True)
class Agreement:
    """In force on local days from `start_on` up to, but without, `end_on`; open where None.

    `closing` and `grace_hours` state how its periods close; `version` counts its changes from 1.
    """

    id: UUID
    customer_id: UUID
    meter_id: UUID
    tariff_id: UUID
    start_on: date
    end_on: date | None
    closing: ClosingPolicy
    grace_hours: int
    version: int

    def __post_init__(self) -> None:
        if self.end_on is not None and self.end_on <= self.start_on:
            raise ValueError("an agreement must begin (start_on) before it ends (end_on)")
        if not 0 <= self.grace_hours <= GRACE_HOURS_MAX:
            raise ValueError(f"grace_hours must lie between 0 and {GRACE_HOURS_MAX}")

    def __contains__(self, day: date) -> bool:
        return self.start_on <= day and (self.end_on is None or day < self.end_on)

    def spans(self, period: Period) -> bool:
        """Whether it is in force on every day of the period."""
        return self.start_on <= period.start_on and (
            self.end_on is None or period.end_on <= self.end_on
        )
