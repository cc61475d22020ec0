"""Climbing ladders: the step that charges energy by tiers, of a flow or of each of its bands.

Owns the declared ways to bring ladders and bands together, and progress from bill to bill. Refuses
energy below nothing, which no ladder can hold.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from rating.batch import FLOAT_EXACT_BELOW, INT64_BELOW, Batch, Energy
from rating.exact import NOTHING
from rating.ladder import Mode, Tier, graduated, tops, volume
from rating.lines import Item
from rating.peaks import Highest, Windows, kw_in_parts
from rating.state import BandKwh, Progress, own_state
from rating.steps import Charged, Connected, Step
from rating.usage import Flow

Split = Literal["per_band", "pro_rata", "chronological"]
"""A ladder for each band's energy; the total's tiers shared over the bands in proportion to their
energy; or interval by interval, in the tier that the running total has reached."""
ByMeter = list[Decimal]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The tiers of a band's energy; of all energy where `band` is None."""

    band: str | None
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """Days on which a ladder that began on `since_on` is climbed.

    `columns` sum each band's energy on these days and `total` that of all; `columns_of_all` and
    `total_of_all` that of all days that the limits are for. `slots` are these days' intervals,
    of which `of_band` (intervals × bands, 0 or 1) says what band each is of.
    """

    since_on: date
    columns: tuple[int, ...]
    total: int
    columns_of_all: tuple[int, ...]
    total_of_all: int
    slots: slice
    of_band: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LimitUnit:
    """What one of a limit is: `times` months, days or 1; of kW connected or of the peak, if any."""

    times: Fraction
    connected: Connected | None = None
    windows: Windows | None = None
    highest: Highest | None = None

    @property
    def denominator(self) -> int:
        """What it is whole parts of."""
        of_kw = 1 if self.windows is None else self.windows.kw_per_unit.denominator
        return self.times.denominator * of_kw

    def divisors(self, batch: Batch) -> list[int] | None:
        """What each meter's is whole parts of besides."""
        return None if self.connected is None else self.connected.divisors(batch)

    def in_parts(self, batch: Batch) -> ByMeter:
        """It for each meter, in kWh (per kWh of the limit) in parts of the meter's divisor."""
        if self.connected is not None:
            return self.connected.kw_times_in_parts(batch)
        if self.windows is None:
            return batch.in_parts([self.times] * len(batch.usages))
        sums = [0] * len(batch.usages)
        if self.highest is not None:
            sums = self.highest.sums(self.windows.measure(batch))
        up, down = self.times.numerator, self.times.denominator
        return [kw * up / down for kw in kw_in_parts(batch, sums, self.windows.kw_per_unit)]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class InTiers(Step):
    """Energy of a flow in the tiers of its ladders; one line for each tier of each ladder.

    Where the climbs `go_on`, the first starts from the state; where they are `handed_on`, the
    last is left there.
    """

    lines: tuple[Item, ...]
    component_id: str
    flow: Flow
    mode: Mode
    split: Split
    ladders: tuple[Ladder, ...]
    climbs: tuple[Climb, ...]
    unit: LimitUnit
    go_on: bool
    handed_on: bool

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def hides_nothing(self) -> bool:
        return any(len(ladder.tiers) > 1 for ladder in self.ladders)

    @property
    def denominator(self) -> int:
        return self.unit.denominator

    def divisors(self, batch: Batch) -> list[int] | None:
        """With `pro_rata` shares, what all bands take together, for each climb."""
        divisors = self.unit.divisors(batch)
        if self.split != "pro_rata" or self.mode == "volume":
            return divisors
        divisors = divisors or [1] * len(batch.usages)
        for climb in self.climbs:
            totals = batch.sums[self.flow][climb.total]
            divisors = [a * max(b, 1) for a, b in zip(divisors, totals, strict=True)]
        return divisors

    def charge(self, batch: Batch) -> list[Charged]:
        unit = self.unit.in_parts(batch)
        before = self._before(batch)
        quantities: list[ByMeter] = [[] for _ in self.lines]
        for climb in self.climbs:
            self._refuse_below_nothing(batch, climb)
            shares = self._shares(batch, climb, unit, before)
            quantities = [
                [a + b for a, b in zip(sums, line, strict=True)] if sums else line
                for sums, line in zip(quantities, shares, strict=True)
            ]
            taken = self._taken(batch, climb)
            if climb is self.climbs[-1]:
                self._leave(batch, climb, before, taken)
            before = [[NOTHING] * len(batch.usages)] * len(taken)
        return [Charged(line) for line in quantities]

    def _shares(
        self, batch: Batch, climb: Climb, unit: ByMeter, before: list[ByMeter]
    ) -> list[ByMeter]:
        """The energy of each line and meter."""
        if self.split == "chronological":
            return _in_order(self, batch, climb, unit, before[0])
        if self.mode == "volume":
            return self._by_volume(batch, climb, unit)
        if self.split == "per_band":
            return self._per_band(batch, climb, unit, before)
        return self._pro_rata(batch, climb, unit, before[0])

    def _per_band(
        self, batch: Batch, climb: Climb, unit: ByMeter, before: list[ByMeter]
    ) -> list[ByMeter]:
        shares: list[ByMeter] = []
        for ladder, column, at in zip(self.ladders, climb.columns, before, strict=True):
            kwh = batch.kwh_in_parts(batch.sums[self.flow][column])
            rows = [
                graduated(start, energy, tops(ladder.tiers, one))
                for start, energy, one in zip(at, kwh, unit, strict=True)
            ]
            shares.extend(map(list, zip(*rows, strict=True)))
        return shares

    def _pro_rata(
        self, batch: Batch, climb: Climb, unit: ByMeter, before: ByMeter
    ) -> list[ByMeter]:
        sums = batch.sums[self.flow]
        totals = sums[climb.total]
        kwh = batch.kwh_in_parts(totals)
        split: dict[tuple[Decimal | None, ...], list[list[Decimal]]] = {}
        shares: list[ByMeter] = []
        for ladder, column in zip(self.ladders, climb.columns, strict=True):
            limits = tuple(tier.limit for tier in ladder.tiers)
            if limits not in split:
                split[limits] = [
                    graduated(start, energy, tops(ladder.tiers, one))
                    for start, energy, one in zip(before, kwh, unit, strict=True)
                ]
            rows = [
                [tier * of_band / of_all if of_all else NOTHING for tier in tiers]
                for tiers, of_band, of_all in zip(split[limits], sums[column], totals, strict=True)
            ]
            shares.extend(map(list, zip(*rows, strict=True)))
        return shares

    def _by_volume(self, batch: Batch, climb: Climb, unit: ByMeter) -> list[ByMeter]:
        sums = batch.sums[self.flow]
        shares: list[ByMeter] = []
        for place, (ladder, column) in enumerate(zip(self.ladders, climb.columns, strict=True)):
            by_band = self.split == "per_band"
            of_all = climb.columns_of_all[place] if by_band else climb.total_of_all
            rows = [
                volume(total, energy, tops(ladder.tiers, one))
                for total, energy, one in zip(
                    batch.kwh_in_parts(sums[of_all]),
                    batch.kwh_in_parts(sums[column]),
                    unit,
                    strict=True,
                )
            ]
            shares.extend(map(list, zip(*rows, strict=True)))
        return shares

    def _taken(self, batch: Batch, climb: Climb) -> list[ByMeter]:
        """How far each of the ladders that are kept apart was climbed."""
        columns = climb.columns if self.split == "per_band" else (climb.total,)
        return [batch.kwh_in_parts(batch.sums[self.flow][column]) for column in columns]

    @property
    def _bands(self) -> list[str | None]:
        """The bands whose ladders are kept apart; None where there is but one."""
        return [ladder.band for ladder in self.ladders] if self.split == "per_band" else [None]

    def _before(self, batch: Batch) -> list[ByMeter]:
        """Where each ladder stands when the first climb starts, in parts."""
        before = [[NOTHING] * len(batch.usages) for _ in self._bands]
        if not self.go_on:
            return before
        for meter, (states, divisor) in enumerate(zip(batch.states, batch.divisors, strict=True)):
            state = own_state(states, self.component_id, Progress)
            if state is None:
                continue
            del states[self.component_id]
            if state.since_on == self.climbs[0].since_on:
                for at, band in zip(before, self._bands, strict=True):
                    at[meter] = divisor * sum(
                        (used.kwh for used in state.used if band is None or used.band == band),
                        NOTHING,
                    )
        return before

    def _leave(
        self, batch: Batch, climb: Climb, before: list[ByMeter], taken: list[ByMeter]
    ) -> None:
        if not self.handed_on:
            return
        for meter, (states, divisor) in enumerate(zip(batch.states, batch.divisors, strict=True)):
            used = tuple(
                BandKwh(band, (at[meter] + energy[meter]) / divisor)
                for band, at, energy in zip(self._bands, before, taken, strict=True)
            )
            states[self.component_id] = Progress(climb.since_on, used)

    def _refuse_below_nothing(self, batch: Batch, climb: Climb) -> None:
        for column in climb.columns:
            if min(batch.sums[self.flow][column]) < 0:
                raise _below_nothing(self.component_id, self.flow)


def _below_nothing(component_id: str, flow: Flow) -> Rejected:
    return Rejected("energy_below_nothing", f"{component_id}: {flow} energy is below nothing")


def _in_order(
    step: InTiers, batch: Batch, climb: Climb, unit: ByMeter, before: ByMeter
) -> list[ByMeter]:
    """The energy of each line and meter, interval by interval in order of time.

    An interval that crosses a limit is divided there, exactly.
    """
    energy = batch.summable(step.flow)[:, climb.slots]
    if energy.min() < 0:
        raise _below_nothing(step.component_id, step.flow)
    reached = np.empty_like(energy)
    np.cumsum(energy, axis=1, out=reached)
    below: dict[Decimal, list[ByMeter]] = {}
    shares: list[ByMeter] = []
    for place, ladder in enumerate(step.ladders):
        floor = [NOTHING] * len(unit)
        for tier in ladder.tiers:
            if tier.limit is None:
                top = batch.kwh_in_parts(batch.sums[step.flow][climb.columns[place]])
            else:
                if tier.limit not in below:
                    limits = [tier.limit * one - at for one, at in zip(unit, before, strict=True)]
                    below[tier.limit] = _energy_below(batch, climb, energy, reached, limits)
                top = below[tier.limit][place]
            shares.append([a - b for a, b in zip(top, floor, strict=True)])
            floor = top
    return shares


def _energy_below(
    batch: Batch, climb: Climb, energy: Energy, reached: Energy, limits: ByMeter
) -> list[ByMeter]:
    """By band and meter, the energy that lies below where the total reaches the meter's limit."""
    most = FLOAT_EXACT_BELOW if energy.dtype == np.float64 else INT64_BELOW - 1
    whole_units = [
        min(int(limit.scaleb(usage.kwh_decimals) // divisor), most) if limit >= 0 else -1
        for limit, usage, divisor in zip(limits, batch.usages, batch.divisors, strict=True)
    ]
    inside = reached <= np.array(whole_units, dtype=energy.dtype)[:, None]
    sums = (energy * inside) @ climb.of_band.astype(energy.dtype, copy=False)
    bands = [batch.kwh_in_parts(column) for column in sums.T.astype(np.int64).tolist()]
    counts = inside.sum(axis=1)
    last = reached[np.arange(len(limits)), np.maximum(counts, 1) - 1] * (counts > 0)
    filled = batch.kwh_in_parts(last.astype(np.int64).tolist())
    crossing_band = climb.of_band.argmax(axis=1)
    for meter, (limit, count) in enumerate(zip(limits, counts.tolist(), strict=True)):
        if limit > 0 and count < energy.shape[1]:
            bands[int(crossing_band[count])][meter] += limit - filled[meter]
    return bands
