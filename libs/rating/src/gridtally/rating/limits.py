"""Limits: what a tier's limit in kWh refers to, and when counting starts again.

Refuses conventions that contradict one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from gridtally.kernel.periods import Period, months_after, months_between
from gridtally.rating.engine.demand_windows import FromCoarser, WindowMinutes
from gridtally.rating.field_types import MONTHS_PER_YEAR, Month
from gridtally.rating.plan.span import Span
from gridtally.rating.proration import Proration, Term
from gridtally.rating.seasons import OnSeasonChange
from gridtally.rating.tiers import Mode, Tier, limited_per_kw

OnVersionChange = Literal["keep", "reset"]
"""What a new version within a billed period does to what is counted over the period."""
LimitKw = Literal["peak", "connected"]
"""The kW that a limit may be multiplied by: the highest of the bill, or the connected load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLimits:
    """What a tier's limit in kWh is for: a month, a day or the billed period, times kW if any.

    With `reset_months` energy is counted over several bills: each carries forward how much of the
    tiers is used, until the months are over.
    """

    per: Literal["month", "day", "period"] = "month"
    """What a limit of so many kWh is for: a month (prorated), a day, or the billed period."""
    proration: Proration = "actual_days"
    """How much of a month's limit falls on some days of the month."""
    kw: LimitKw | None = None
    """Times what kW: of the period's peak or of the connected load ("hours use of demand"). Where
    a tier has a `limit_per_kw`, only these are, and other limits are in kWh."""
    peak_minutes: WindowMinutes | None = None
    """The length in minutes of the blocks over which that peak is measured."""
    from_coarser: FromCoarser = "refused"
    """Whether intervals longer than `peak_minutes` are refused, or give their own mean."""
    reset_months: Literal[1, 2, 3, 4, 6, 12] | None = None
    """So many calendar months a limit is for, after which counting starts again."""
    anchor_month: Month = 1
    """A month of the year (1 is January) with which such a count begins."""
    reset_daily: bool = False
    """Whether counting starts again with each local day of the meter; without it a limit per day
    is for the days of the bill together."""
    on_version_change: OnVersionChange = "keep"
    """Where a new version begins within a billed period: go on with the whole period's limits
    (`keep`), or count from 0 with limits for the version's own days (`reset`)."""
    on_season_change: OnSeasonChange = "by_days"
    """Where seasons with other bands meet within the days that a limit is for: each is counted by
    itself, with limits for its days (`by_days`); all is charged as in the season that most of the
    days lie in (`most_days`); or each season has the limits of all days (`each_in_full`)."""

    def __post_init__(self) -> None:
        _check_peak(self.kw, self.peak_minutes)
        if not 1 <= self.anchor_month <= MONTHS_PER_YEAR:
            raise ValueError(f"anchor_month {self.anchor_month} is no month (1 to 12)")
        if self.reset_daily:
            self._check_daily()
        if self.reset_months is None:
            if self.anchor_month != 1:
                raise ValueError("anchor_month says nothing without reset_months")
            return
        if self.per != "period":
            raise ValueError("limits for reset_months are per 'period', which is that long")
        if self.kw == "peak":
            raise ValueError("limits for reset_months cannot follow the peak of each bill")
        if self.on_version_change != "keep":
            raise ValueError("a count over reset_months continues in a new version ('keep')")
        if self.on_season_change == "most_days":
            raise ValueError("no bill knows in which season most days of its reset_months lie")

    def _check_daily(self) -> None:
        if self.per != "day":
            raise ValueError("limits with reset_daily are per 'day'")
        if self.kw is not None:
            raise ValueError("limits with reset_daily are so many kWh, not times kW")
        if self.on_version_change != "keep" or self.on_season_change != "by_days":
            raise ValueError("with reset_daily each day is counted by the rates of its own day")

    @property
    def needs_more_than_days(self) -> bool:
        """Whether no part of them is a single day's: they need the whole period."""
        return self.per == "period" or self.kw == "peak"

    def days(self, span: Span) -> Period:
        """The days that the limits are for."""
        return span.period if self.on_version_change == "keep" else span.within

    def term(self, span: Span, cycle: Period) -> Term:
        """How often every limit is due, besides kW, on days of a cycle of counting."""
        if self.reset_months is not None:
            return Term(self.per, self.proration, cycle, cycle)
        return Term(self.per, self.proration, cycle, span.period)

    def cycles(self, span: Span) -> list[Period]:
        """The days from one start of counting to the next that the version's days lie in.

        With `reset_months` they reach beyond the bill.
        """
        if self.reset_months is None:
            return [self.days(span)]
        months = months_between(span.within.start_on, span.within.end_on)
        starts = dict.fromkeys(self._began_on(month.start_on) for month in months)
        return [Period(start_on, months_after(start_on, self.reset_months)) for start_on in starts]

    def _began_on(self, day: date) -> date:
        """The first day of the cycle that a day lies in."""
        assert self.reset_months is not None  # noqa: S101 - `cycles` has looked
        since = (day.month - self.anchor_month) % self.reset_months
        return months_after(day.replace(day=1), -since)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetTierLimits:
    """What a tier's limit in kWh is for, where energy is netted over a version's days.

    Each version nets, and counts, its own days.
    """

    per: Literal["month", "day", "period"] = "month"
    """What a limit of so many kWh is for: a month (prorated), a day, or the billed period."""
    proration: Proration = "actual_days"
    """How much of a month's limit falls on some days of the month."""
    kw: LimitKw | None = None
    """Times what kW: of the peak of the days or of the connected load. Where a tier has a
    `limit_per_kw`, only these are, and other limits are in kWh."""
    peak_minutes: WindowMinutes | None = None
    """The length in minutes of the blocks over which that peak is measured."""
    from_coarser: FromCoarser = "refused"
    """Whether intervals longer than `peak_minutes` are refused, or give their own mean."""
    on_season_change: OnSeasonChange = "by_days"
    """Where seasons with other bands meet within these days: each has limits for its days
    (`by_days`); all is netted and priced as in the season that most of the days lie in
    (`most_days`); or each season has the limits of all days (`each_in_full`)."""

    def __post_init__(self) -> None:
        _check_peak(self.kw, self.peak_minutes)

    @property
    def needs_more_than_days(self) -> bool:
        """Whether no part of them is a single day's: they need the whole period."""
        return self.per == "period" or self.kw == "peak"

    def term(self, span: Span) -> Term:
        """How often every limit is due, besides kW, on days of the version."""
        return Term(self.per, self.proration, span.within, span.period)


def _check_peak(kw: LimitKw | None, peak_minutes: int | None) -> None:
    if (kw == "peak") != (peak_minutes is not None):
        raise ValueError("limits per kW of peak, and only they, need peak_minutes")


def check_kw(limits: TierLimits | NetTierLimits, tiers: Sequence[Tier]) -> None:
    """ValueError where tiers have limits per kW, and the limits do not say of which."""
    if limits.kw is None and limited_per_kw(tiers):
        raise ValueError("a limit_per_kw needs kw in the limits: 'peak' or 'connected'")


def check_limits(limits: TierLimits, mode: Mode, tiers: Sequence[Tier]) -> None:
    """ValueError where the limits do not go with the mode or the tiers."""
    check_kw(limits, tiers)
    if mode == "volume" and limits.reset_months is not None:
        raise ValueError("with volume later bills would change earlier ones: no reset_months")
