"""Mandates: by which a customer's bank account may be debited, and until when.

Source: the SEPA Direct Debit rulebooks of the European Payments Council (Core and B2B).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from gridtally.kernel.periods import month_of, months_after

Sequence = Literal["first", "recurrent", "one_off"]
Scheme = Literal["core", "b2b"]
MandateState = Literal["in_force", "not_yet", "used", "lapsed", "revoked"]
UNUSED_MONTHS_MAX = 36
"""A mandate that was not used for so long has lapsed."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a customer signed.

    mandate_id         what it is called, towards the customer and the banks
    sequence           whether the next debit is the first, a later one, or the only one
    holder             whose account it is, who need not be the customer
    last_collected_on  when it was last collected by; None for never
    revoked_on         since when it may not be used; None while it may
    """

    mandate_id: str
    signed_on: date
    sequence: Sequence
    scheme: Scheme
    iban: str
    bic: str | None
    holder: str
    last_collected_on: date | None = None
    revoked_on: date | None = None

    def sent(self) -> "Mandate":
        """The mandate after a debit by it went to the bank: the next one is not the first. Since
        2016 banks take as a later one what in truth is the first, as where that was refused."""
        return replace(self, sequence="recurrent") if self.sequence == "first" else self

    def collected(self, on: date | None) -> "Mandate":
        """The mandate after a debit was collected by it."""
        if on is None:
            return self
        return replace(self.sent(), last_collected_on=max(on, self.last_collected_on or on))

    @property
    def lapses_on(self) -> date:
        """The first day on which it has lapsed, if it is not used before."""
        used_on = max(self.signed_on, self.last_collected_on or self.signed_on)
        month = month_of(months_after(month_of(used_on).start_on, UNUSED_MONTHS_MAX))
        last_on = month.end_on - timedelta(days=1)
        return min(month.start_on + timedelta(days=used_on.day - 1), last_on)

    def state(self, on: date) -> MandateState:
        """Whether a debit may be collected by it on a day."""
        if self.revoked_on is not None and on >= self.revoked_on:
            return "revoked"
        if self.sequence == "one_off" and self.last_collected_on is not None:
            return "used"
        if on >= self.lapses_on:
            return "lapsed"
        return "in_force" if on >= self.signed_on else "not_yet"

    def stands(self, on: date) -> bool:
        """Whether a debit may be collected by it on a day, or on a later one; by one that was
        revoked since, never more."""
        return self.revoked_on is None and self.state(on) in ("in_force", "not_yet")


def masked(iban: str) -> str:
    """An account for people who need to recognize it, and not to know it."""
    return f"{iban[:4]}…{iban[-4:]}"
