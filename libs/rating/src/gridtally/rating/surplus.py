"""Surplus: what becomes of energy, or of its worth, that a customer exported and did not use.

Owns the policies that crediting components declare, and when a yearly true-up is due. How credit
is offset against charges is `engine.credit_step`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from gridtally.kernel.periods import Period, month_of, months_between
from gridtally.rating.engine.lines import Kind
from gridtally.rating.field_types import (
    BANDS_MAX,
    LIMIT_FORM,
    MONTHS_PER_YEAR,
    Between,
    Length,
    Month,
    Name,
    Rate,
    UpperLimit,
    check_month,
    check_name,
    check_rate,
)

EXPIRY_MONTHS_MAX = 120
BROUGHT_BAND, UNUSED_BAND, EXCESS_BAND = "brought-forward", "unused", "excess"
"""What a credit's own lines are told apart by: of earlier bills, not paid out on this one, and more
than may be carried forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forfeit:
    """What is left over is worth nothing."""

    kind: ClassVar[str] = "none"
    carries_state: ClassVar[bool] = False
    after_tax: ClassVar[bool] = False
    taxed: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """What is left over is paid at once, also where the bill falls below zero."""

    kind: ClassVar[str] = "payout"
    carries_state: ClassVar[bool] = False
    after_tax: bool = False
    """Whether the credit comes after the taxes, which then do not count it."""
    taxed: bool = False
    """Whether the credit lessens the amounts that the taxes on its component are taken of."""

    def __post_init__(self) -> None:
        _check_taxed(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """The worth of what is left over pays other charges, and no more than they come to.

    What it cannot pay is lost, or carried forward to later bills.
    """

    kind: ClassVar[str] = "offset"
    unused: Literal["lost", "carry_forward"]
    """What becomes of credit that finds no charge on this bill."""
    component_ids: tuple[Name, ...] = ()
    """The components whose charges it pays; all before it where neither these nor kinds are."""
    kinds: tuple[Kind, ...] = ()
    """The kinds of lines that it pays."""
    from_bill: Literal["this", "next"] = "this"
    """Whether it pays from this bill on, or only later ones."""
    true_up_month: Month | None = None
    """The bill that reaches the first day of this month empties the credit; null for never."""
    true_up: Literal["lost", "payout"] = "lost"
    """What becomes of the credit that is left then."""
    max_amount: UpperLimit | None = None
    """The most money that a bill carries forward to the next, with what it was handed itself; null
    for any amount. A `true_up` settles all that is left."""
    max_amount_per_month: UpperLimit | None = None
    """The most money that a bill adds to what is carried forward, for each month that it is for; a
    part of a month counts by its days. Null for any amount."""
    excess: Literal["lost", "payout"] = "lost"
    """What becomes of the credit above these."""
    after_tax: bool = False
    """Whether it comes after the taxes, and may pay them too."""
    taxed: bool = False
    """Whether the credit lessens the amounts that the taxes on its component are taken of."""

    def __post_init__(self) -> None:
        _check_taxed(self)
        if self.unused == "lost" and self.from_bill == "next":
            raise ValueError("a credit that pays from the next bill on must be carried forward")
        if self.true_up_month is None:
            if self.true_up != "lost":
                raise ValueError("true_up needs its true_up_month")
        elif self.unused == "lost":
            raise ValueError("a true_up_month is for a credit that is carried forward")
        else:
            check_month(self.true_up_month)
        if "tax" in self.kinds and not self.after_tax:
            raise ValueError("a credit pays taxes only after_tax")
        caps = {
            "max_amount": self.max_amount,
            "max_amount_per_month": self.max_amount_per_month,
        }
        _check_caps(caps)
        if not any(caps.values()):
            if self.excess != "lost":
                raise ValueError("excess needs a max_amount or a max_amount_per_month")
        elif self.unused == "lost":
            raise ValueError("max_amount and the like are for a credit that is carried forward")

    @property
    def carries_state(self) -> bool:
        """Whether a bill carries credit forward to the next."""
        return self.unused == "carry_forward"


@dataclass(frozen=True, slots=True, kw_only=True)
class BandWorth:
    """What the units of a band are worth when the bank is emptied."""

    band: Name
    """The band in which they were earned."""
    rate: Rate
    """Money per kWh."""

    def __post_init__(self) -> None:
        check_name("band", self.band)
        check_rate(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryForward:
    """Units go to a bank of kWh and pay for units of later bills, oldest first."""

    kind: ClassVar[str] = "carry_forward"
    carries_state: ClassVar[bool] = True
    after_tax: ClassVar[bool] = False
    taxed: ClassVar[bool] = False
    expires_after_months: Annotated[int, Between(1, EXPIRY_MONTHS_MAX)] | None = None
    """Units are lost to bills that begin so many months or more after the end of the period in
    which they were earned; null where they never expire."""
    true_up_month: Month | None = None
    """The bill that reaches the first day of this month empties the bank; null for never."""
    true_up_rate: Rate | None = None
    """Money per kWh that the emptied bank is paid out at; null where its units are lost."""
    true_up_rates: Annotated[tuple[BandWorth, ...], Length(most=BANDS_MAX)] = ()
    """In its place, what a kWh of each band is paid out at; all of the bands, each once."""
    max_kwh: UpperLimit | None = None
    """The most kWh that a bill carries forward to the next, with what it was handed itself; what
    was earned last is above it. Null for any number."""
    max_kwh_per_month: UpperLimit | None = None
    """The most kWh that a bill adds to the bank, for each month that it is for; a part of a month
    counts by its days, to the Wh below. Null for any number."""
    excess_rate: Rate | None = None
    """Money per kWh above these that is paid out at once; null where it is lost."""

    def __post_init__(self) -> None:
        months = self.expires_after_months
        if months is not None and not 1 <= months <= EXPIRY_MONTHS_MAX:
            raise ValueError(f"units expire after 1 to {EXPIRY_MONTHS_MAX} months, not {months}")
        if self.true_up_month is not None:
            check_month(self.true_up_month)
        if self.true_up_rate is not None:
            check_rate(self.true_up_rate)
            if self.true_up_month is None:
                raise ValueError("a true_up_rate needs its true_up_month")
        if self.true_up_rates:
            self._check_true_up_rates()
        caps = {"max_kwh": self.max_kwh, "max_kwh_per_month": self.max_kwh_per_month}
        _check_caps(caps)
        if self.excess_rate is not None:
            check_rate(self.excess_rate)
            if not any(caps.values()):
                raise ValueError("an excess_rate needs a max_kwh or a max_kwh_per_month")

    def _check_true_up_rates(self) -> None:
        if self.true_up_month is None:
            raise ValueError("true_up_rates need their true_up_month")
        if self.true_up_rate is not None:
            raise ValueError("either a true_up_rate or true_up_rates, not both")
        if len({worth.band for worth in self.true_up_rates}) < len(self.true_up_rates):
            raise ValueError("true_up_rates name each band once")


Surplus = Forfeit | Payout | Offset | CarryForward


def check_credit(surplus: Surplus, tax_class: str | None) -> None:
    """ValueError where a tax class is declared for a component whose credit is not taxed."""
    if tax_class is not None and not surplus.taxed:
        raise ValueError("a credit that is not taxed has no tax class")


def only_pays(surplus: Surplus, days: Period) -> bool:
    """Whether a credit of the bill of these days pays charges, and nothing is paid out."""
    if not isinstance(surplus, Offset) or surplus.excess == "payout":
        return False
    return surplus.true_up == "lost" or not reaches(days, surplus.true_up_month)


def reaches(days: Period, month: int | None) -> bool:
    """Whether the first day of the calendar month follows one of these days."""
    if month is None:
        return False
    return any(
        piece.end_on.day == 1 and piece.end_on.month == month
        for piece in months_between(days.start_on, days.end_on)
    )


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, MONTHS_PER_YEAR)
    first = date(day.year + years, month + 1, 1)
    return first.replace(day=min(day.day, month_of(first).days))


def _check_caps(caps: Mapping[str, Decimal | None]) -> None:
    for name, cap in caps.items():
        if cap is not None and not (LIMIT_FORM.fits(cap) and cap > 0):
            raise ValueError(
                f"a {name} of {cap} must lie above nothing and below {LIMIT_FORM.below}, with at "
                f"most {LIMIT_FORM.decimals_max} decimals"
            )


def _check_taxed(surplus: Payout | Offset) -> None:
    if surplus.after_tax and surplus.taxed:
        raise ValueError("a credit that comes after the taxes is not taxed")
