"""A tenant's payment terms: when what it issues is due, and how its customers' credit is used."""

from dataclasses import dataclass
from typing import Literal

PAYMENT_DAYS_DEFAULT = 14
"""From issue to due, where neither the invoice nor the tenant says."""
CreditRule = Literal["oldest_first", "manual"]
DeallocationRule = Literal["newest_first", "oldest_first"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tenant has declared; one that has declared nothing has these.

    payment_days        from the issue of an invoice to its due day
    credit_allocation   whether credit pays what is open by itself, the oldest due first, or waits
                        for `POST /v1/allocations`
    credit_deallocation in which order invoices lose what credit had paid of them, when the payment
                        bounces that the credit came from
    """

    payment_days: int = PAYMENT_DAYS_DEFAULT
    credit_allocation: CreditRule = "oldest_first"
    credit_deallocation: DeallocationRule = "newest_first"
