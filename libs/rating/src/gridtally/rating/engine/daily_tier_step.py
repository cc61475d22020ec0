"""Daily tier step: energy allocated to tiers that start again with each local day.

Such tiers add up over days. Days of the meter's midnights leave nothing to the next bill; of days
that begin later on the tariff's clock, what is used of the last one goes on counting there.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from gridtally.rating.engine.batch import INT64_BELOW, Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.limit_unit import ByMeter
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.engine.tier_step import BandTiers, Split, negative_energy
from gridtally.rating.state import BandKwh, Progress, own_state
from gridtally.rating.tiers import Mode
from gridtally.rating.usage import Summed

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CarriedDays:
    """The first day, of which earlier bills may have counted some, and the last."""

    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DailyTierAllocation(Step):
    """Energy of a flow in the tiers of its bands, day by day; a line for each tier of each band.

    `slots` are the intervals of the days, of which `first_slots` begins each day and `of_band`
    (intervals × bands) marks the bands. With `carried` the first day may have been begun by what
    was charged before, and the last go on afterwards.
    """

    lines: tuple[Item, ...]
    component_id: str
    flow: Summed
    mode: Mode
    split: Split
    bands: tuple[BandTiers, ...]
    slots: slice
    first_slots: Integers
    of_band: NDArray[np.bool_]
    carried: CarriedDays | None

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return any(len(band.tiers) > 1 for band in self.bands)

    # All days of all meters at once (meters × intervals): what lies below a limit is a sum of whole
    # numbers and the limit times a number of days, so that only one product per limit is a Decimal.
    # Cutting day by day would take meters × days × tiers steps in Python, 31 times a month's tiers.
    def charge(self, batch: Batch) -> list[StepResult]:
        """The energy of each line, added up over the days."""
        energy = batch.energy(self.flow)[:, self.slots]
        if energy.min() < 0:
            raise negative_energy(self.component_id, self.flow)
        used = self._used_before(batch)
        unused = [ZERO] * len(batch.usages)
        quantities: list[ByMeter] = []
        left: list[tuple[str | None, Integers]] = []
        for band_index, band in enumerate(self.bands):
            own = np.where(self.of_band[:, band_index], energy, 0)
            counted = own if self.split == "per_band" else energy
            if self.mode == "volume":
                quantities.extend(self._volume(batch, own, counted, band))
                continue
            name = self._counted(band)
            before = used.get(name, unused)
            quantities.extend(self._graduated(batch, own, counted, band, before))
            if not left or self.split == "per_band":
                left.append((name, counted[:, self.first_slots[-1] :]))
        if self.carried is not None:
            self._store_used(batch, self.carried, used, left)
        return [StepResult(line) for line in quantities]

    def _counted(self, band: BandTiers) -> str | None:
        """The band whose energy is counted by itself; None for the total of all."""
        return band.band if self.split == "per_band" else None

    def _used_before(self, batch: Batch) -> dict[str | None, ByMeter]:
        """The kWh of the first day that were counted before, by counted band and meter."""
        used: dict[str | None, ByMeter] = {}
        for meter, states in enumerate(batch.states if self.carried is not None else ()):
            progress = own_state(states, self.component_id, Progress)
            if progress is None or progress.since_on != self.carried_days.first_on:
                continue
            for entry in progress.used:
                name = entry.band if self.split == "per_band" else None
                used.setdefault(name, [ZERO] * len(batch.usages))[meter] += entry.kwh
        return used

    @property
    def carried_days(self) -> CarriedDays:
        """The days whose counts are carried; there are such."""
        assert self.carried is not None  # noqa: S101 - the callers have looked
        return self.carried

    def _store_used(
        self,
        batch: Batch,
        days: CarriedDays,
        used: dict[str | None, ByMeter],
        left: list[tuple[str | None, Integers]],
    ) -> None:
        """Leaves what is counted of the last day; if that is the first, with what was before."""
        goes_on = days.first_on == days.last_on
        sums = {name: energy.sum(axis=1).tolist() for name, energy in left}
        names = sorted({*sums, *(used if goes_on else ())}, key=str)
        for meter, (states, usage) in enumerate(zip(batch.states, batch.usages, strict=True)):
            entries = []
            for name in names:
                kwh = Decimal(sums[name][meter] if name in sums else 0).scaleb(-usage.kwh_decimals)
                before = used[name][meter] if goes_on and name in used else ZERO
                entries.append(BandKwh(name, kwh + before))
            states[self.component_id] = Progress(days.last_on, tuple(entries))

    def _graduated(
        self, batch: Batch, own: Integers, counted: Integers, band: BandTiers, used: ByMeter
    ) -> list[ByMeter]:
        """By tier and meter what of a band's `own` energy lies in it; `counted` fills the tiers.

        What was `used` of the first day lowers its limits, for which there is one more product.
        """
        reached = self._reached(counted)
        before = reached - counted
        days = [slice(0, None)]
        if any(used):
            second = int(self.first_slots[1]) if len(self.first_slots) > 1 else own.shape[1]
            days = [slice(0, second), slice(second, None)]
        below_floor = [ZERO] * len(own)
        lines: list[ByMeter] = []
        for limit in [tier.limit for tier in band.tiers]:
            below = [ZERO] * len(own)
            if limit is None:
                below = batch.kwh_in_parts(own.sum(axis=1).tolist())
            for part in days if limit is not None else ():
                limits = [limit or ZERO] * len(own)
                if len(days) > 1 and part.start == 0:
                    limits = [max(top - kwh, ZERO) for top, kwh in zip(limits, used, strict=True)]
                of_part = _below(batch, own[:, part], reached[:, part], before[:, part], limits)
                below = [a + b for a, b in zip(below, of_part, strict=True)]
            lines.append([a - b for a, b in zip(below, below_floor, strict=True)])
            below_floor = below
        return lines

    def _volume(
        self, batch: Batch, own: Integers, counted: Integers, band: BandTiers
    ) -> list[ByMeter]:
        """By tier and meter a band's `own` energy of the days whose `counted` total lies in it."""
        own_of_days = self._by_day(own)
        totals = self._by_day(counted)
        tier_of_day = np.zeros_like(totals)
        for tier in band.tiers:
            if tier.limit is not None:
                tier_of_day += totals > _whole_units(batch, [tier.limit] * len(totals))
        return [
            batch.kwh_in_parts((own_of_days * (tier_of_day == tier)).sum(axis=1).tolist())
            for tier in range(len(band.tiers))
        ]

    def _by_day(self, energy: Integers) -> Integers:
        """Meters × days."""
        sums: Integers = np.add.reduceat(energy, self.first_slots, axis=1)
        return sums

    def _reached(self, energy: Integers) -> Integers:
        """The day's total at each interval's end."""
        running = np.cumsum(energy, axis=1)
        lengths = np.diff(self.first_slots, append=energy.shape[1])
        earlier_days = running[:, self.first_slots] - energy[:, self.first_slots]
        reached: Integers = running - np.repeat(earlier_days, lengths, axis=1)
        return reached


def _below(
    batch: Batch, own: Integers, reached: Integers, before: Integers, limits: ByMeter
) -> ByMeter:
    """Each meter's energy (meters × intervals) of what is used up to its limit of each day."""
    whole_units = _whole_units(batch, limits)
    inside = reached <= whole_units
    crossing = ~inside & (before <= whole_units) & (own > 0)
    whole = (own * inside).sum(axis=1) - (before * crossing).sum(axis=1)
    return [
        kwh + limit * (days * divisor)
        for kwh, limit, days, divisor in zip(
            batch.kwh_in_parts(whole.tolist()),
            limits,
            crossing.sum(axis=1).tolist(),
            batch.divisors,
            strict=True,
        )
    ]


def _whole_units(batch: Batch, limits: ByMeter) -> Integers:
    """Each meter's limit in its unit, rounded down, which no comparison with whole units sees."""
    units = [
        min(int(limit.scaleb(usage.kwh_decimals)), INT64_BELOW - 1)
        for limit, usage in zip(limits, batch.usages, strict=True)
    ]
    return np.array(units, np.int64)[:, None]
