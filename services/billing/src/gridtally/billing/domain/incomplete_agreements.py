"""Agreements that name a meter or a tariff that nobody knows yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gridtally.billing.domain.agreements import Agreement

Missing = Literal["meter", "tariff"]


@dataclass(frozen=True, slots=True)
class IncompleteAgreement:
    """An agreement that was made at an instant, and what it still lacks of what it names."""

    agreement: Agreement
    missing: Sequence[Missing]
    made_at: datetime

    def age_hours(self, now: datetime) -> int:
        """How many whole hours ago it was made."""
        return (now - self.made_at) // timedelta(hours=1)
