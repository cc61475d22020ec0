"""Supplements: what a customer or supplier knows, and a record needs besides and does not say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gridtally.rating.components.coincident_demand import PEAKS_MAX
from gridtally.rating.field_types import LIMIT_FORM, check_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplements:
    """What is not in any record; nothing of it is needed where the record has no charge for it."""

    meters: int | None = None
    """How many meters the customer has; None for not known."""
    system_peaks: Sequence[datetime] = ()
    """The instants of the system's peaks, for charges on the power at them."""
    reactive_free_share: Decimal | None = None
    """So many kvar for each kW of demand are free of the charge on reactive power; None for not
    known."""

    def __post_init__(self) -> None:
        if self.meters is not None and self.meters < 1:
            raise ValueError(f"{self.meters} meters: there is at least one")
        if len(self.system_peaks) > PEAKS_MAX:
            raise ValueError(f"at most {PEAKS_MAX} system peaks")
        for at in self.system_peaks:
            if at.tzinfo is None:
                raise ValueError(f"a system peak at {at} has no offset from UTC")
            check_days(at.date(), at.date())
        if len(set(self.system_peaks)) < len(self.system_peaks):
            raise ValueError("a system peak is there twice")
        share = self.reactive_free_share
        if share is not None and not LIMIT_FORM.fits(share):
            raise ValueError(
                f"a free share of {share} must be 0 or more: 0.5 is half a kvar for each kW"
            )
