"""Tier step: energy allocated to tiers, of a flow or of each of its bands.

Owns the declared ways to bring tiers and bands together, and progress from bill to bill. Refuses
negative energy, which no tier can hold.
"""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.batch import FLOAT_EXACT_BELOW, INT64_BELOW, Batch, Energy
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.limit_unit import ByMeter, LimitUnit, Units
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.state import BandKwh, Progress, own_state
from gridtally.rating.tiers import Mode, Tier, graduated, upper_limits, volume
from gridtally.rating.usage import RoundedFlow, Summed

Split = Literal["per_band", "pro_rata", "chronological"]
"""How bands fill tiers: each band its own; the total's tiers divided over the bands in proportion
to their energy; or interval by interval, in the tier that the running total has reached."""
Limits = tuple[tuple[Decimal | None, Decimal | None], ...]
"""Of each tier, in kWh and per kW."""


@dataclass(frozen=True, slots=True)
class BandTiers:
    """The tiers of a band's energy; of all energy where `band` is None."""

    band: str | None
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TierCycle:
    """Days of the bill on which energy of some bands is counted from one start through the tiers.

    1 of a limit is a `unit`. `lines` are the step's lines by their indexes, one for each tier of
    each band. The count begins with what the state has where it `continues` another's, and is left
    there where it `carries_forward`. `columns` of the batch's sums hold each band's energy on these
    days and `total` that of all; `columns_of_all` and `total_of_all` that of all days that the
    limits are for. `slots` are these days' intervals, of which `of_band` (intervals × bands, 0 or
    1) marks the band of each.
    """

    bands: tuple[BandTiers, ...]
    lines: tuple[int, ...]
    unit: LimitUnit
    continues: bool
    carries_forward: bool
    columns: tuple[int, ...]
    total: int
    columns_of_all: tuple[int, ...]
    total_of_all: int
    slots: slice
    of_band: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TierAllocation(Step):
    """Energy of a flow in the tiers of its bands; one line for each tier of each band.

    Where it `continues` an earlier step's count, that is of the same days if it began on
    `began_on`. `left_on` is when the count began that it leaves, if it `carries_forward`; bands in
    `retained` are not in force on these days, and go on being counted after them.
    """

    lines: tuple[Item, ...]
    component_id: str
    flow: Summed
    mode: Mode
    split: Split
    cycles: tuple[TierCycle, ...]
    continues: bool
    carries_forward: bool
    began_on: date
    left_on: date
    retained: frozenset[str | None]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return any(len(band.tiers) > 1 for cycle in self.cycles for band in cycle.bands)

    @property
    def denominator(self) -> int:
        return math.lcm(*(cycle.unit.denominator for cycle in self.cycles))

    def divisors(self, batch: Batch) -> list[int] | None:
        """With `pro_rata` also each cycle's energy of all bands, by which tiers are divided."""
        divisors = _least_common([cycle.unit.divisors(batch) for cycle in self.cycles])
        if self.split != "pro_rata" or self.mode == "volume":
            return divisors
        divisors = divisors or [1] * len(batch.usages)
        for cycle in self.cycles:
            totals = batch.sums[self.flow][cycle.total]
            divisors = [
                divisor * max(total, 1) for divisor, total in zip(divisors, totals, strict=True)
            ]
        return divisors

    def charge(self, batch: Batch) -> list[StepResult]:
        """The energy of each line, added up over the cycles.

        Everything is by line (or band) and meter: a list of lines, each a list of Decimals in the
        order of the batch. Only sums of energy come from arrays; the tiers themselves are a few
        min and max per meter, since limits are exact fractions of kWh that no array type holds.
        """
        before, retained = self._already_used(batch)
        unused = [ZERO] * len(batch.usages)
        quantities: list[ByMeter] = [[] for _ in self.lines]
        left: list[tuple[str | None, ByMeter]] = []
        for cycle in self.cycles:
            self._refuse_negative(batch, cycle)
            counted = self._counted_bands(cycle)
            used = [before.get(band, unused) if cycle.continues else unused for band in counted]
            allocated = self._allocate(batch, cycle, cycle.unit.in_parts(batch), used)
            for line, kwh in zip(cycle.lines, allocated, strict=True):
                so_far = quantities[line]
                quantities[line] = (
                    [a + b for a, b in zip(so_far, kwh, strict=True)] if so_far else kwh
                )
            if cycle.carries_forward:
                left.extend(zip(counted, self._counts_after(batch, cycle, used), strict=True))
        if self.carries_forward:
            self._store_progress(batch, left, retained)
        return [StepResult(line) for line in quantities]

    def _allocate(
        self, batch: Batch, cycle: TierCycle, unit: Units, used: list[ByMeter]
    ) -> list[ByMeter]:
        """The energy of each line and meter on the days of a cycle, on top of what is `used`."""
        if self.split == "chronological":
            return _chronological(self, batch, cycle, unit, used[0])
        if self.mode == "volume":
            return self._by_volume(batch, cycle, unit)
        if self.split == "per_band":
            return self._per_band(batch, cycle, unit, used)
        return self._pro_rata(batch, cycle, unit, used[0])

    def _per_band(
        self, batch: Batch, cycle: TierCycle, unit: Units, used: list[ByMeter]
    ) -> list[ByMeter]:
        lines: list[ByMeter] = []
        for band, column, used_of_band in zip(cycle.bands, cycle.columns, used, strict=True):
            kwh = batch.kwh_in_parts(batch.sums[self.flow][column])
            tiers_by_meter = [
                graduated(before, energy, upper_limits(band.tiers, *units))
                for before, energy, units in zip(used_of_band, kwh, unit, strict=True)
            ]
            lines.extend(map(list, zip(*tiers_by_meter, strict=True)))
        return lines

    def _pro_rata(
        self, batch: Batch, cycle: TierCycle, unit: Units, used: ByMeter
    ) -> list[ByMeter]:
        """Each tier of the total times the band's energy over that of all, which is in `divisors`.

        Bands with the same limits divide the same tiers, which are therefore made once per limits.
        """
        sums = batch.sums[self.flow]
        totals = sums[cycle.total]
        kwh = batch.kwh_in_parts(totals)
        total_in_tiers: dict[Limits, list[list[Decimal]]] = {}
        lines: list[ByMeter] = []
        for band, column in zip(cycle.bands, cycle.columns, strict=True):
            limits = tuple((tier.limit, tier.limit_per_kw) for tier in band.tiers)
            if limits not in total_in_tiers:
                total_in_tiers[limits] = [
                    graduated(before, energy, upper_limits(band.tiers, *units))
                    for before, energy, units in zip(used, kwh, unit, strict=True)
                ]
            tiers_by_meter = [
                [tier * of_band / of_all if of_all else ZERO for tier in tiers]
                for tiers, of_band, of_all in zip(
                    total_in_tiers[limits], sums[column], totals, strict=True
                )
            ]
            lines.extend(map(list, zip(*tiers_by_meter, strict=True)))
        return lines

    def _by_volume(self, batch: Batch, cycle: TierCycle, unit: Units) -> list[ByMeter]:
        """All energy of a band in the tier of its own total, or of the total of all bands."""
        sums = batch.sums[self.flow]
        lines: list[ByMeter] = []
        for band, column, own_total in zip(
            cycle.bands, cycle.columns, cycle.columns_of_all, strict=True
        ):
            total_column = own_total if self.split == "per_band" else cycle.total_of_all
            tiers_by_meter = [
                volume(total, energy, upper_limits(band.tiers, *units))
                for total, energy, units in zip(
                    batch.kwh_in_parts(sums[total_column]),
                    batch.kwh_in_parts(sums[column]),
                    unit,
                    strict=True,
                )
            ]
            lines.extend(map(list, zip(*tiers_by_meter, strict=True)))
        return lines

    def _counts_after(self, batch: Batch, cycle: TierCycle, used: list[ByMeter]) -> list[ByMeter]:
        """What is counted in the end of a cycle, for each count that `_counted_bands` tells."""
        columns = cycle.columns if self.split == "per_band" else (cycle.total,)
        return [
            [
                before + kwh
                for before, kwh in zip(
                    used_of_band, batch.kwh_in_parts(batch.sums[self.flow][column]), strict=True
                )
            ]
            for used_of_band, column in zip(used, columns, strict=True)
        ]

    def _counted_bands(self, cycle: TierCycle) -> list[str | None]:
        """The bands whose energy is counted by itself; None for the total of all bands."""
        return [band.band for band in cycle.bands] if self.split == "per_band" else [None]

    def _already_used(
        self, batch: Batch
    ) -> tuple[dict[str | None, ByMeter], list[tuple[BandKwh, ...]]]:
        """The energy counted before these days, by counted band and meter, in parts.

        The total of all bands (None) is also that of a version that counted each by itself. And of
        each meter what is counted of bands that are retained.
        """
        used: dict[str | None, ByMeter] = {}
        retained: list[tuple[BandKwh, ...]] = [()] * len(batch.usages)
        if not self.continues:
            return used, retained
        for meter, (states, divisor) in enumerate(zip(batch.states, batch.divisors, strict=True)):
            state = own_state(states, self.component_id, Progress)
            if state is None:
                continue
            del states[self.component_id]
            if state.since_on != self.began_on:
                continue
            for entry in state.used:
                counted = entry.band if self.split == "per_band" else None
                kwh = used.setdefault(counted, [ZERO] * len(batch.usages))
                kwh[meter] += divisor * entry.kwh
            retained[meter] = tuple(entry for entry in state.used if entry.band in self.retained)
        return used, retained

    def _store_progress(
        self,
        batch: Batch,
        left: list[tuple[str | None, ByMeter]],
        retained: list[tuple[BandKwh, ...]],
    ) -> None:
        for meter, (states, divisor) in enumerate(zip(batch.states, batch.divisors, strict=True)):
            entries = tuple(BandKwh(band, kwh[meter] / divisor) for band, kwh in left)
            progress = Progress(self.left_on, entries + retained[meter])
            states[self.component_id] = progress

    def _refuse_negative(self, batch: Batch, cycle: TierCycle) -> None:
        for column in cycle.columns:
            if min(batch.sums[self.flow][column]) < 0:
                raise negative_energy(self.component_id, self.flow)


def _least_common(divisors: list[list[int] | None]) -> list[int] | None:
    """For each meter a multiple of all its divisors; None where each is 1."""
    lists = [by_meter for by_meter in divisors if by_meter is not None]
    return [math.lcm(*of_meter) for of_meter in zip(*lists, strict=True)] or None


def negative_energy(component_id: str, flow: Summed) -> Rejected:
    """Why no bill is made of energy below zero."""
    name = flow.flow if isinstance(flow, RoundedFlow) else flow
    return Rejected("negative_energy", f"{component_id}: {name} energy is below zero")


def _chronological(
    step: TierAllocation, batch: Batch, cycle: TierCycle, unit: Units, used: ByMeter
) -> list[ByMeter]:
    """The energy of each line and meter, interval by interval in order of time.

    `energy` and `reached` are meters × the cycle's intervals: the energy, and the running total at
    each interval's end. A tier's part of a band is the band's energy below the tier's limit less
    that below the limit before, so that only limits need looking at, not tiers per interval: two
    array passes per different limit, whatever the number of intervals, bands and tiers.
    """
    energy = batch.summable(step.flow)[:, cycle.slots]
    if energy.min() < 0:
        raise negative_energy(step.component_id, step.flow)
    reached = np.empty_like(energy)
    np.cumsum(energy, axis=1, out=reached)
    below: dict[tuple[Decimal, ...], list[ByMeter]] = {}
    lines: list[ByMeter] = []
    for band_index, band in enumerate(cycle.bands):
        below_floor = [ZERO] * len(unit)
        ends_by_meter = [upper_limits(band.tiers, *units) for units in unit]
        for tier_index in range(len(band.tiers)):
            if tier_index == len(band.tiers) - 1:
                column = cycle.columns[band_index]
                below_limit = batch.kwh_in_parts(batch.sums[step.flow][column])
            else:
                ends = tuple(ends_of_meter[tier_index] for ends_of_meter in ends_by_meter)
                if ends not in below:
                    limits = [end - before for end, before in zip(ends, used, strict=True)]
                    below[ends] = _energy_below(batch, cycle, energy, reached, limits)
                below_limit = below[ends][band_index]
            lines.append([a - b for a, b in zip(below_limit, below_floor, strict=True)])
            below_floor = below_limit
    return lines


def _energy_below(
    batch: Batch, cycle: TierCycle, energy: Energy, reached: Energy, limits: ByMeter
) -> list[ByMeter]:
    """By band and meter, the energy used while the meter's total was still below its limit.

    Whole intervals below the limit are a mask (meters × intervals) times intervals × bands. Only
    the one interval of each meter that crosses the limit is divided, exactly: what fits in it
    below the limit is the limit less the total before it, and belongs to that interval's band.
    Limits are exact fractions; rounding them down to the meter's whole units for the comparison
    changes nothing, since totals are whole. Cutting every interval at every limit in Decimals would
    take meters × intervals × tiers steps in Python, some 10 000 per bill and month.
    """
    most = FLOAT_EXACT_BELOW if energy.dtype == np.float64 else INT64_BELOW - 1
    whole_units = [
        min(int(limit.scaleb(usage.kwh_decimals) // divisor), most) if limit >= 0 else -1
        for limit, usage, divisor in zip(limits, batch.usages, batch.divisors, strict=True)
    ]
    inside = reached <= np.array(whole_units, dtype=energy.dtype)[:, None]
    sums = (energy * inside) @ cycle.of_band.astype(energy.dtype, copy=False)
    bands = [batch.kwh_in_parts(column) for column in sums.T.astype(np.int64).tolist()]
    counts = inside.sum(axis=1)
    last = reached[np.arange(len(limits)), np.maximum(counts, 1) - 1] * (counts > 0)
    filled = batch.kwh_in_parts(last.astype(np.int64).tolist())
    crossing_band = cycle.of_band.argmax(axis=1)
    for meter, (limit, count) in enumerate(zip(limits, counts.tolist(), strict=True)):
        if limit > 0 and count < energy.shape[1]:
            bands[int(crossing_band[count])][meter] += limit - filled[meter]
    return bands
