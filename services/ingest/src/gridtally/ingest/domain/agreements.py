"""An agreement as billing published it: whose meter, from when to when, and how periods close."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from gridtally.kernel.billing_calendars import MONTHLY, Calendars

Closing = Literal["wait", "bill_present", "estimate"]
AgreementKey = tuple[str, UUID]
"""Tenant and agreement."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A version of a tenant's agreement; without `end_on` it has no end, and where that is its
    first day, it was cancelled. `start_on` is the first day that is invoiced. Its periods are those
    of its billing `calendars`."""

    tenant_id: str
    id: UUID
    meter_id: UUID
    start_on: date
    end_on: date | None
    closing: Closing
    grace_hours: int
    version: int
    calendars: Calendars = MONTHLY
