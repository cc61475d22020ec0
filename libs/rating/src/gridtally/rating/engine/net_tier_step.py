"""Net tier step: what is left of import over a version's days, and what is taken of it, by tier."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import localcontext
from fractions import Fraction
from typing import Literal

from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import LOSSLESS, ZERO
from gridtally.rating.engine.limit_unit import ByMeter, LimitUnit, Units
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.netting_step import BandNetting
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.tiers import Tier, graduated, upper_limits

NetSplit = Literal["per_band", "pro_rata"]
"""What fills a band's tiers: what is left of its own import, or of that of all bands, each tier of
which is divided over the bands in proportion."""


@dataclass(frozen=True, slots=True)
class NetTiers(Step):
    """The lines of a netting, each divided into one line for each tier of its band.

    `netting` has a line of net import for each band and may have one, below zero, of the units that
    the band takes of others or a bank: tiers are those of what is left, so that such units empty
    the highest first. What 1 of a band's limits is, is the sum of its `units`: one for each stretch
    of days that its seasons have. With `pro_rata` all bands fill tiers together.
    """

    netting: BandNetting
    lines: tuple[Item, ...]
    tiers: tuple[tuple[Tier, ...], ...]
    split: NetSplit
    units: tuple[tuple[LimitUnit, ...], ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return any(len(of_band) > 1 for of_band in self.tiers)

    @property
    def denominator(self) -> int:
        return math.lcm(*(unit.denominator for of_band in self.units for unit in of_band))

    @property
    def is_rehearsed(self) -> bool:
        return self.split == "pro_rata"

    # Units are drawn of lots, meter by meter, and may be those that an earlier version of the same
    # bill leaves: what is left of all bands is known only when all has been netted once.
    def divisors(self, batch: Batch) -> list[int] | None:
        """What a meter's connected load needs, times with `pro_rata` what is left of all bands,
        before and after units are taken."""
        divisors = self._of_units(batch)
        if batch.rehearsal is None:
            return divisors
        with localcontext(LOSSLESS):
            net, taken = self._netted(batch.rehearsal)
            if self.split != "pro_rata":
                return divisors
            totals_of = [_totals(net)] + ([_totals(_left(net, taken))] if taken else [])
            return [
                divisor * math.lcm(*(Fraction(total).numerator or 1 for total in of_meter))
                for divisor, *of_meter in zip(divisors, *totals_of, strict=True)
            ]

    def _of_units(self, batch: Batch) -> list[int]:
        divisors = [1] * len(batch.usages)
        for unit in (unit for of_band in self.units for unit in of_band):
            if (own := unit.divisors(batch)) is not None:
                divisors = [math.lcm(a, b) for a, b in zip(divisors, own, strict=True)]
        return divisors

    def charge(self, batch: Batch) -> list[StepResult]:
        net, taken = self._netted(batch)
        full = self._in_tiers(batch, net)
        results = [StepResult(of_tier) for of_tier in full]
        if taken:
            left = self._in_tiers(batch, _left(net, taken))
            for after, before in zip(left, full, strict=True):
                less = [a - b + ZERO for a, b in zip(after, before, strict=True)]
                results.append(StepResult(less, omits_zero_lines=True))
        return results

    def _netted(self, batch: Batch) -> tuple[list[ByMeter], list[ByMeter]]:
        """By band and meter, what is left of import, and what is taken of it; none where nothing
        can be."""
        quantities = [result.quantities for result in self.netting.charge(batch)]
        bands = len(self.tiers)
        return quantities[:bands], quantities[bands:]

    def _in_tiers(self, batch: Batch, net: Sequence[ByMeter]) -> list[ByMeter]:
        """By tier of each band and by meter, how much of the energy lies in it."""
        totals = _totals(net)
        lines: list[ByMeter] = []
        for tiers, own, units in zip(self.tiers, net, self.units, strict=True):
            filling = own if self.split == "per_band" else totals
            by_meter = [
                graduated(ZERO, kwh, upper_limits(tiers, *unit))
                for kwh, unit in zip(filling, _summed(units, batch), strict=True)
            ]
            if self.split == "pro_rata":
                by_meter = [
                    [part * kwh / total if total else ZERO for part in parts]
                    for parts, kwh, total in zip(by_meter, own, totals, strict=True)
                ]
            lines.extend(map(list, zip(*by_meter, strict=True)))
        return lines


def _summed(units: Sequence[LimitUnit], batch: Batch) -> Units:
    """What 1 of a limit, and 1 of a limit per kW, is to each meter over several stretches."""
    return [
        (sum((of_limit for of_limit, _ in own), ZERO), sum((per_kw for _, per_kw in own), ZERO))
        for own in zip(*(unit.in_parts(batch) for unit in units), strict=True)
    ]


def _totals(net: Sequence[ByMeter]) -> ByMeter:
    """By meter, the energy of all bands."""
    return [sum(of_meter, ZERO) for of_meter in zip(*net, strict=True)]


def _left(net: Sequence[ByMeter], taken: Sequence[ByMeter]) -> list[ByMeter]:
    """By band and meter, what is left after units were taken, which are below zero."""
    return [
        [kwh + units for kwh, units in zip(of_band, of_others, strict=True)]
        for of_band, of_others in zip(net, taken, strict=True)
    ]
