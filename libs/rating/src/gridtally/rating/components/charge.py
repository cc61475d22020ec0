"""Charge: what every component of a tariff carries."""

from dataclasses import dataclass

from gridtally.rating.bands import Bands
from gridtally.rating.field_types import PAYEE_CHARS_MAX, ROUNDING_ID, Name, Payee, check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What every component carries; a kind adds its `kind` and its own fields."""

    id: Name
    """Stands on each of the component's bill lines, and is its own within the tariff version."""
    payee: Payee | None = None
    """Who the money is for, where that is not the seller; it stands on the bill lines."""
    tax_class: Name | None = None
    """A name by which taxes find the components that they are levied on."""

    @property
    def banded(self) -> Bands | None:
        """When each of its bands is in force; None for a charge without bands."""
        return None

    @property
    def carries_state(self) -> bool:
        """Whether a bill carries something of it forward to the next."""
        return False

    @property
    def after_tax(self) -> bool:
        """Whether all of it comes after the taxes, which it may count and does not change."""
        return False


def check_charge(charge: Charge) -> None:
    """ValueError unless what every component carries is well formed."""
    check_name("id", charge.id)
    if charge.id == ROUNDING_ID:
        raise ValueError(f"id {ROUNDING_ID!r} is kept for the line that rounds a bill's total")
    if charge.tax_class is not None:
        check_name("tax class", charge.tax_class)
    if charge.payee is not None and not 1 <= len(charge.payee) <= PAYEE_CHARS_MAX:
        raise ValueError(f"payee must be 1 to {PAYEE_CHARS_MAX} characters long")
