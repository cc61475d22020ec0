"""Limit unit: what 1 of a tier's limit is for each meter: months or days, times kW if any."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.demand_windows import DemandWindows, HighestDays, kw_in_parts
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.steps import Connected

ByMeter = list[Decimal]
"""A number for each meter of the batch: kWh in parts of the meter's divisor."""
Units = list[tuple[Decimal, Decimal]]
"""For each meter what 1 of a limit is, and what 1 of a limit per kW is beside it, in such parts."""


@dataclass(frozen=True, slots=True, eq=False)
class LimitUnit:
    """What 1 of a limit is, in kWh: `times` months, days or 1; times connected or peak kW, if any.

    Connected kW have the times in them, and a `share` of them is due. With `windows` and no
    `highest` there is no window to measure, and the peak is 0. With `besides_kwh` the kW are for
    limits per kW alone, and limits in kWh are due `times` and `share` too.
    """

    times: Fraction
    share: Fraction = Fraction(1)
    connected: Connected | None = None
    windows: DemandWindows | None = None
    highest: HighestDays | None = None
    besides_kwh: bool = False

    @property
    def denominator(self) -> int:
        """The denominator that all meters have in common."""
        of_kw = 1 if self.windows is None else self.windows.kw_per_unit.denominator
        return self.times.denominator * self.share.denominator * of_kw

    def divisors(self, batch: Batch) -> list[int] | None:
        """Each meter's further factor of it; None where it is 1."""
        return None if self.connected is None else self.connected.divisors(batch)

    def in_parts(self, batch: Batch) -> Units:
        """The units of each meter, in kWh in parts of the meter's divisor: of a limit, per kW."""
        with_kw = self._with_kw(batch)
        if not self.besides_kwh:
            return [(of_limit, ZERO) for of_limit in with_kw]
        in_kwh = batch.in_parts([self.times * self.share] * len(batch.usages))
        return list(zip(in_kwh, with_kw, strict=True))

    def _with_kw(self, batch: Batch) -> ByMeter:
        """Times and kW of each meter."""
        if self.connected is not None:
            up, down = self.share.numerator, self.share.denominator
            return [kw * up / down for kw in self.connected.kw_times_in_parts(batch)]
        if self.windows is None:
            return batch.in_parts([self.times] * len(batch.usages))
        sums = [0] * len(batch.usages)
        if self.highest is not None:
            sums = self.highest.sums(self.windows.measure(batch))
        up, down = self.times.numerator, self.times.denominator
        return [kw * up / down for kw in kw_in_parts(batch, sums, self.windows.kw_per_unit)]
