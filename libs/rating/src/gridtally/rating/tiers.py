"""Tiers: consecutive ranges of energy or power with a rate each.

Owns how far a tier reaches and what part of a quantity lies in it. Refuses limits that do not
rise. What a limit refers to (a month, a day, times kW) is `rating.limits`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from gridtally.kernel.money import DECIMALS_MAX
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.field_types import LIMIT_FORM, Length, Rate, UpperLimit, check_rate

Mode = Literal["graduated", "volume"]
"""Each tier's part at its rate, or everything at the rate of the tier that the total lies in."""
TIERS_MAX = 50
TIER_SEPARATOR = ":"
"""Between a band and a tier, in what a line calls them."""
INFINITE = Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A rate for what lies above the tier before, up to and with a limit."""

    rate: Rate
    """Money per unit: per kWh, or per kW of demand."""
    limit: UpperLimit | None = None
    """The highest quantity of the tier, counted from 0: in kWh, or kW; null in the last tier."""
    limit_per_kw: UpperLimit | None = None
    """Of energy, beside a limit in kWh or in its place: the highest kWh per kW of the tier, which
    ends at the lower of the two. The kW are those of the `limits`, whose `kw` is for this alone
    then."""

    def __post_init__(self) -> None:
        check_rate(self.rate)
        for limit in (self.limit, self.limit_per_kw):
            if limit is not None and not (LIMIT_FORM.fits(limit) and limit > 0):
                raise ValueError(
                    f"a tier's limit of {limit} must lie above nothing and below "
                    f"{LIMIT_FORM.below}, with at most {DECIMALS_MAX} decimals"
                )


Tiers = Annotated[tuple[Tier, ...], Length(1, TIERS_MAX)]


def limited_per_kw(tiers: Sequence[Tier]) -> bool:
    """Whether any limit is for each kW beside others that are not."""
    return any(tier.limit_per_kw is not None for tier in tiers)


def check_energy_tiers(tiers: Sequence[Tier]) -> None:
    """As `check_tiers`, for tiers that may have limits per kW beside those in kWh."""
    if not limited_per_kw(tiers):
        check_tiers(tiers)
        return
    if not 1 <= len(tiers) <= TIERS_MAX:
        raise ValueError(f"there are 1 to {TIERS_MAX} tiers")
    ends = [(tier.limit or INFINITE, tier.limit_per_kw or INFINITE) for tier in tiers]
    if ends[-1] != (INFINITE, INFINITE):
        raise ValueError("the last tier has no limit: what is above it has no rate")
    if (INFINITE, INFINITE) in ends[:-1]:
        raise ValueError("only the last tier may do without a limit")
    for below, above in pairwise(ends):
        if above[0] <= below[0] and above[1] <= below[1]:
            raise ValueError("of two tiers the upper has the higher limit, in kWh or per kW")


def check_tiers(tiers: Sequence[Tier]) -> None:
    """ValueError unless the limits rise and only the last tier has none."""
    if limited_per_kw(tiers):
        raise ValueError("limit_per_kw is for tiers of energy")
    if not 1 <= len(tiers) <= TIERS_MAX:
        raise ValueError(f"there are 1 to {TIERS_MAX} tiers")
    *lower, last = tiers
    if last.limit is not None:
        raise ValueError(f"the last tier has no limit: what is above {last.limit} has no rate")
    limits = [tier.limit for tier in lower if tier.limit is not None]
    if len(limits) < len(lower):
        raise ValueError("only the last tier may do without a limit")
    if any(above <= below for below, above in pairwise(limits)):
        raise ValueError(f"the tiers' limits must rise: {', '.join(map(str, limits))}")


def check_demand_rates(rate: Decimal | None, tiers: Sequence[Tier]) -> None:
    """ValueError unless power has a well-formed rate, or tiers by kW."""
    if (rate is None) == (not tiers):
        raise ValueError("demand has either a rate or tiers")
    if rate is not None:
        check_rate(rate)
    else:
        check_tiers(tiers)


def tier_labels(band: str | None, tiers: Sequence[Tier]) -> list[str | None]:
    """What a bill's lines call the tiers of a band, or of everything (None)."""
    if len(tiers) == 1:
        return [band]
    names = [f"tier-{number}" for number in range(1, len(tiers) + 1)]
    return [name if band is None else f"{band}{TIER_SEPARATOR}{name}" for name in names]


def upper_limits(
    tiers: Sequence[Tier], unit: Decimal, unit_per_kw: Decimal = ZERO
) -> list[Decimal]:
    """The limits of all tiers but the last, each times `unit`, which is what 1 of a limit is.

    A tier with a `limit_per_kw` ends there, if that is lower; none ends before the one below it.
    """
    ends: list[Decimal] = []
    for tier in tiers[:-1]:
        ways = [] if tier.limit is None else [tier.limit * unit]
        if tier.limit_per_kw is not None:
            ways.append(tier.limit_per_kw * unit_per_kw)
        ends.append(max(min(ways), *ends[-1:]) if ends else min(ways))
    return ends


def graduated(before: Decimal, quantity: Decimal, limits: Sequence[Decimal]) -> list[Decimal]:
    """How much of a quantity on top of `before` lies in each tier: one more than `limits`.

    Zero in every tier for a quantity below zero.
    """
    reached, floor = before + quantity, ZERO
    parts = []
    for limit in limits:
        parts.append(max(min(reached, limit) - max(before, floor), ZERO))
        floor = limit
    parts.append(max(reached - max(before, floor), ZERO))
    return parts


def volume(total: Decimal, quantity: Decimal, limits: Sequence[Decimal]) -> list[Decimal]:
    """The whole quantity in the tier that `total` lies in, zero in the others."""
    tier_of_total = sum(total > limit for limit in limits)
    return [
        quantity if tier_index == tier_of_total else ZERO for tier_index in range(len(limits) + 1)
    ]
