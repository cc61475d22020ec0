"""Ladders: tiers with their limits, and what the limits are multiplied by.

Owns how far a tier reaches and what part of a quantity lies in it. Refuses limits that do not rise
and conventions that contradict one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from kernel.money import DECIMALS_MAX
from kernel.periods import Period, months_between
from rating.exact import NOTHING
from rating.limits import check_rate, decimals_in
from rating.peaks import FromCoarser, WindowMinutes
from rating.proration import Proration, Term
from rating.span import Span

Mode = Literal["graduated", "volume"]
"""Each tier's part at its rate, or everything at the rate of the tier that the total lies in."""
OnVersionChange = Literal["keep", "reset"]
TIERS_MAX = 50
LIMIT_MAX = Decimal(10**9)
MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """`rate` per unit up to and with `limit`, which counts from nothing; the last has none."""

    rate: Decimal
    limit: Decimal | None = None

    def __post_init__(self) -> None:
        check_rate(self.rate)
        limit = self.limit
        if limit is not None and (
            not limit.is_finite() or not 0 < limit < LIMIT_MAX or decimals_in(limit) > DECIMALS_MAX
        ):
            raise ValueError(
                f"a tier's limit of {limit} must lie above nothing and below {LIMIT_MAX}, with at "
                f"most {DECIMALS_MAX} decimals"
            )


def check_tiers(tiers: Sequence[Tier]) -> None:
    """ValueError unless the limits rise and only the last tier has none."""
    if not 1 <= len(tiers) <= TIERS_MAX:
        raise ValueError(f"a ladder has 1 to {TIERS_MAX} tiers")
    *lower, last = tiers
    if last.limit is not None:
        raise ValueError(f"the last tier has no limit: what is above {last.limit} has no rate")
    limits = [tier.limit for tier in lower if tier.limit is not None]
    if len(limits) < len(lower):
        raise ValueError("only the last tier may do without a limit")
    if any(above <= below for below, above in pairwise(limits)):
        raise ValueError(f"the tiers' limits must rise: {', '.join(map(str, limits))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a tier's limit in kWh is for.

    `per` month (prorated), day or billed period; times the `kw` of the period's peak (measured in
    blocks of `peak_minutes`) or of the connected load: "hours use of demand". With `reset_months`
    a limit is for that many calendar months, of which one begins with `anchor_month`, and bills
    hand on how far the ladder was climbed. `on_version_change` says whether a new version within a
    billed period goes on with the whole period's limits (`keep`), or starts from nothing with
    limits for its own days (`reset`).
    """

    per: Literal["month", "day", "period"] = "month"
    proration: Proration = "actual_days"
    kw: Literal["peak", "connected"] | None = None
    peak_minutes: WindowMinutes | None = None
    from_coarser: FromCoarser = "refused"
    reset_months: Literal[1, 2, 3, 4, 6, 12] | None = None
    anchor_month: int = 1
    on_version_change: OnVersionChange = "keep"

    def __post_init__(self) -> None:
        if (self.kw == "peak") != (self.peak_minutes is not None):
            raise ValueError("limits per kW of peak, and only they, need peak_minutes")
        if not 1 <= self.anchor_month <= MONTHS_PER_YEAR:
            raise ValueError(f"anchor_month {self.anchor_month} is no month (1 to 12)")
        if self.reset_months is None:
            if self.anchor_month != 1:
                raise ValueError("anchor_month says nothing without reset_months")
            return
        if self.per != "period":
            raise ValueError("limits for reset_months are per 'period', which is that long")
        if self.kw == "peak":
            raise ValueError("limits for reset_months cannot follow the peak of each bill")
        if self.on_version_change != "keep":
            raise ValueError("a ladder over reset_months goes on when the version changes ('keep')")

    @property
    def needs_more_than_days(self) -> bool:
        """Whether a single day says nothing about them: no share of them is a day's."""
        return self.per == "period" or self.kw == "peak"

    def days(self, span: Span) -> Period:
        """The days that the limits are for."""
        return span.period if self.on_version_change == "keep" else span.within

    def term(self, span: Span) -> Term:
        """How often every limit is due, besides kW, on the days that the limits are for."""
        return Term(self.per, self.proration, self.days(span), span.period)

    def climbs(self, span: Span) -> list[tuple[date, Period]]:
        """The version's days, cut where the ladder starts anew, each with when its ladder began."""
        if self.reset_months is None:
            return [(self.days(span).start_on, span.within)]
        months = months_between(span.within.start_on, span.within.end_on)
        climbs: list[tuple[date, Period]] = []
        for month in months:
            began_on = self._began_on(month.start_on)
            if climbs and climbs[-1][0] == began_on:
                climbs[-1] = (began_on, Period(climbs[-1][1].start_on, month.end_on))
            else:
                climbs.append((began_on, month))
        return climbs

    def _began_on(self, day: date) -> date:
        assert self.reset_months is not None  # noqa: S101 - the caller asked
        since = (day.month - self.anchor_month) % self.reset_months
        months = day.year * MONTHS_PER_YEAR + day.month - 1 - since
        return date(months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1, 1)


def labels(band: str | None, tiers: Sequence[Tier]) -> list[str | None]:
    """What a bill's lines call the tiers of a band, or of everything (None)."""
    if len(tiers) == 1:
        return [band]
    names = [f"tier-{number}" for number in range(1, len(tiers) + 1)]
    return [name if band is None else f"{band}:{name}" for name in names]


def tops(tiers: Sequence[Tier], unit: Decimal) -> list[Decimal]:
    """The limits of all tiers but the last, `unit` being what one of a limit is."""
    return [tier.limit * unit for tier in tiers if tier.limit is not None]


def graduated(before: Decimal, quantity: Decimal, tops: Sequence[Decimal]) -> list[Decimal]:
    """How much of a quantity on top of `before` lies in each tier; nothing is below nothing."""
    reach, floor = before + quantity, NOTHING
    parts = []
    for top in tops:
        parts.append(max(min(reach, top) - max(before, floor), NOTHING))
        floor = top
    parts.append(max(reach - max(before, floor), NOTHING))
    return parts


def volume(total: Decimal, quantity: Decimal, tops: Sequence[Decimal]) -> list[Decimal]:
    """The whole quantity in the tier that `total` lies in."""
    place = sum(total > top for top in tops)
    return [quantity if tier == place else NOTHING for tier in range(len(tops) + 1)]


def check_limits(limits: Limits, mode: Mode) -> None:
    """ValueError where the limits do not go with the mode."""
    if mode == "volume" and limits.reset_months is not None:
        raise ValueError("with volume later bills would change earlier ones: no reset_months")
