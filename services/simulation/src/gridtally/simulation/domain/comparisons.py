"""Comparisons: what the same houses come to by several tariffs, month after month.

Each policy or tariff is a scenario; the first is the baseline that the others are held against.
What a bill carries forward (banks, tiers of a year, ratchets) goes from month to month per house
and scenario. Bills are those of `gridtally.rating`, so that a comparison adds nothing of its own
but sums and differences.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import numpy as np

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period, months_after
from gridtally.rating.engine.bill import NO_PRICES, NO_STATE, Bill
from gridtally.rating.engine.exact import LOSSLESS
from gridtally.rating.engine.lines import Kind
from gridtally.rating.prices import Prices
from gridtally.rating.quote import MINUTES_PER_HOUR
from gridtally.rating.state import State
from gridtally.rating.usage import Usage
from gridtally.simulation.domain.house_bills import rate_by_zone, version_of
from gridtally.simulation.domain.houses import House
from gridtally.simulation.domain.policies import ARREARS
from gridtally.simulation.domain.runs import MissingIntervals
from gridtally.simulation.domain.shifts import (
    Elasticity,
    Indexes,
    Shift,
    check_prices,
    price_factors,
    shifted,
)

MONTHS_MAX = 24
SCENARIOS_MAX = 8
BILLS_OF_CHUNK = 1_600
"""So many bills a chunk makes, some seconds of work: few houses of many months."""
CHUNK_HOUSES_MIN = 8
AS_KNOWN_PART = 8
"""Readings as known at an instant take so much longer that a chunk has an eighth of the houses: one
that took a minute would be taken for a worker that is stuck."""
SECONDS_PER_HOUR = 3600
BASELINE = 0
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class UsedTariff:
    """The tariff of a scenario as it was when the comparison was started; `version` says which
    version of the catalogue that was, None for a policy's own."""

    document: Json = field(hash=False)
    version: Json | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Use:
    """What a house took and fed in over all months, and the highest mean of an interval, in W."""

    imported_wh: int
    exported_wh: int
    peak_w: int


@dataclass(frozen=True, slots=True)
class ComparedHouse:
    """A house by one scenario, over all months: money in `currency`, below zero where it is paid.

    `difference` is to the baseline. The `shifted_…` are after use has moved, None where it has not.
    """

    house_node_id: UUID
    house_name: str
    scenario: int
    imported_wh: int
    exported_wh: int
    peak_w: int
    hours: int
    currency: str
    amount: Decimal
    difference: Decimal
    readings_sha256: str
    shifted_imported_wh: int | None = None
    shifted_peak_w: int | None = None
    shifted_amount: Decimal | None = None
    shifted_difference: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Revenue:
    """What a component of a scenario comes to in a month, over some houses."""

    scenario: int
    is_shifted: bool
    month_on: date
    component_id: str
    kind: Kind
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ComparedChunk:
    """What was made of some houses: a row per house and scenario, their revenue, and by scenario
    the Wh that they took together in each hour (UTC); of the baseline what was measured."""

    houses: tuple[ComparedHouse, ...]
    revenue: tuple[Revenue, ...]
    load_wh: Mapping[int, Indexes] = field(hash=False)


def months_of(first: Period, months: int) -> list[Period]:
    """So many calendar months from the first one on."""
    starts = [months_after(first.start_on, number) for number in range(months + 1)]
    return [Period(start, end) for start, end in pairwise(starts)]


def chunk_houses(
    months: int, scenarios: int, *, is_shifted: bool, is_as_known: bool, houses_max: int
) -> int:
    """How many houses of a comparison are one chunk."""
    bills = months * (2 * scenarios - 1 if is_shifted else scenarios)
    houses = max(CHUNK_HOUSES_MIN, min(houses_max, BILLS_OF_CHUNK // bills))
    return max(1, houses // AS_KNOWN_PART) if is_as_known else houses


def first_hour_at(first: Period) -> datetime:
    """The hour that loads are counted from: before the first local midnight of any zone."""
    start = datetime.combine(first.start_on, datetime.min.time(), UTC)
    return start - timedelta(days=1)


def check_tariffs(tariffs: Sequence[UsedTariff], zones: Sequence[str], shift: Shift | None) -> None:
    """Rejected where a tariff does not read, where they are in several currencies, or where use
    cannot follow the prices that they have."""
    currencies: dict[str, None] = {}
    for zone in zones:
        for tariff in tariffs:
            version = version_of(tariff.document, zone)
            currencies[version.currency] = None
            if isinstance(shift, Elasticity):
                check_prices(version)
    if len(currencies) > 1:
        raise Rejected(
            "compare_currencies", f"tariffs in several currencies: {', '.join(sorted(currencies))}"
        )


class ChunkComparison:
    """Some houses on their way through the months, by every scenario.

    One month's usage is in memory at a time; `add_month` takes them in order.
    """

    def __init__(
        self,
        tariffs: Sequence[UsedTariff],
        houses: Sequence[House],
        first: Period,
        months: int,
        *,
        missing: MissingIntervals,
        shift: Shift | None,
        prices: Prices = NO_PRICES,
    ) -> None:
        self._prices = prices
        self._houses, self._missing, self._shift = houses, missing, shift
        self._tariffs = tariffs
        self._variants = [_Variant(number, houses) for number in range(len(tariffs))]
        if shift is not None:
            self._variants += [
                _Variant(number, houses, is_shifted=True) for number in range(1, len(tariffs))
            ]
        hours = ((months_of(first, months)[-1].end_on - first.start_on).days + 3) * 24
        self._origin_s = int(first_hour_at(first).timestamp())
        self._load = {
            variant.scenario: np.zeros(hours, np.int64)
            for variant in self._variants
            if variant.is_shifted or variant.scenario == BASELINE
        }
        self._digests = [hashlib.sha256() for _ in houses]
        self._hours = [0] * len(houses)
        self._is_first = True

    def add_month(self, usages: Sequence[Usage]) -> None:
        """Rate a month's usage of each house by each scenario. Rejected as `rate_houses` is."""
        for number, usage in enumerate(usages):
            _digest(self._digests[number], usage)
            self._hours[number] += usage.series["import"].size * usage.minutes // MINUTES_PER_HOUR
        for variant in self._variants:
            used = self._usages_of(variant, usages)
            if variant.is_shifted or variant.scenario == BASELINE:
                _add_load(self._load[variant.scenario], self._origin_s, used)
            tariff = self._tariffs[variant.scenario]
            bills = rate_by_zone(
                tariff.document if self._is_first else _without_arrears(tariff),
                self._houses,
                used,
                missing=self._missing,
                states=variant.states,
                prices=self._prices,
            )
            variant.add(used, bills)
        self._is_first = False

    def _usages_of(self, variant: "_Variant", usages: Sequence[Usage]) -> list[Usage]:
        if self._shift is None or not variant.is_shifted:
            return list(usages)
        factors: dict[tuple[str, Period, int], Indexes] = {}
        if isinstance(self._shift, Elasticity):
            for zone, period, minutes in {(u.zone, u.period, u.minutes) for u in usages}:
                before, after = (
                    version_of(self._tariffs[number].document, zone)
                    for number in (BASELINE, variant.scenario)
                )
                grid = zone, period, minutes
                factors[grid] = price_factors(self._shift, before, after, grid, self._prices)
        return shifted(self._shift, usages, factors)

    def result(self) -> ComparedChunk:
        """What the months that were added came to."""
        moved = {variant.scenario: variant for variant in self._variants if variant.is_shifted}
        plain_ones = [variant for variant in self._variants if not variant.is_shifted]
        baseline = plain_ones[BASELINE]
        rows = [
            self._row(number, variant, baseline, moved.get(variant.scenario))
            for variant in plain_ones
            for number in range(len(self._houses))
        ]
        revenue = [
            Revenue(variant.scenario, variant.is_shifted, *key, amount)
            for variant in self._variants
            for key, amount in variant.revenue.items()
        ]
        return ComparedChunk(tuple(rows), tuple(revenue), self._load)

    def _row(
        self, number: int, variant: "_Variant", baseline: "_Variant", moved: "_Variant | None"
    ) -> ComparedHouse:
        house, use = self._houses[number], variant.use(number)
        amount, before = variant.amounts[number], baseline.amounts[number]
        after: dict[str, int | Decimal] = {}
        if moved is not None:
            moved_use = moved.use(number)
            after = {
                "shifted_imported_wh": moved_use.imported_wh,
                "shifted_peak_w": moved_use.peak_w,
                "shifted_amount": moved.amounts[number],
                "shifted_difference": moved.amounts[number] - before,
            }
        return ComparedHouse(
            house_node_id=house.house_node_id,
            house_name=house.name,
            scenario=variant.scenario,
            imported_wh=use.imported_wh,
            exported_wh=use.exported_wh,
            peak_w=use.peak_w,
            hours=self._hours[number],
            currency=variant.currency,
            amount=amount,
            difference=amount - before,
            readings_sha256=self._digests[number].hexdigest(),
            **after,  # type: ignore[arg-type] # each by its own field
        )


class _Variant:
    """A scenario with use as it was measured, or as it has moved: the sums of its bills so far."""

    def __init__(self, scenario: int, houses: Sequence[House], *, is_shifted: bool = False) -> None:
        self.scenario, self.is_shifted = scenario, is_shifted
        self.states: list[State] = [NO_STATE] * len(houses)
        self.amounts = [Decimal(0)] * len(houses)
        self.revenue: dict[tuple[date, str, Kind], Decimal] = {}
        self.currency = ""
        self._imported, self._exported, self._peaks = (
            np.zeros(len(houses), np.int64) for _ in range(3)
        )

    def add(self, usages: Sequence[Usage], bills: Sequence[Bill]) -> None:
        for number, (usage, bill) in enumerate(zip(usages, bills, strict=True)):
            imported, exported = (
                np.maximum(usage.series[flow], 0) for flow in ("import", "export")
            )
            self._imported[number] += imported.sum()
            self._exported[number] += exported.sum()
            peak_w = int(imported.max(initial=0)) * MINUTES_PER_HOUR // usage.minutes
            self._peaks[number] = max(int(self._peaks[number]), peak_w)
            self.amounts[number] = LOSSLESS.add(self.amounts[number], bill.total)
            self.states[number] = bill.state
            self.currency = bill.currency
            for line in bill.lines:
                key = (bill.period.start_on, line.item.component_id, line.item.kind)
                self.revenue[key] = LOSSLESS.add(
                    self.revenue.get(key, bill.total - bill.total), line.amount
                )

    def use(self, number: int) -> Use:
        return Use(
            int(self._imported[number]), int(self._exported[number]), int(self._peaks[number])
        )


def _without_arrears(tariff: UsedTariff) -> Json:
    """The tariff of the months after the first: what a house owed from before is owed once."""
    components = tariff.document.get("components")
    if tariff.version is not None or not isinstance(components, list):
        return tariff.document
    kept = [component for component in components if component.get("id") != ARREARS]
    return {**tariff.document, "components": kept}


def _digest(digest: "hashlib._Hash", usage: Usage) -> None:
    """Take a month's readings into a house's digest: their place in time and every value."""
    digest.update(f"{usage.zone} {usage.period.start_on} {usage.minutes}".encode())
    for flow in sorted(usage.series):
        digest.update(flow.encode())
        digest.update(usage.series[flow].astype("<i8").tobytes())


def _add_load(load_wh: Indexes, origin_s: int, usages: Sequence[Usage]) -> None:
    """Add what houses took, each interval in the hour (UTC) in which it begins."""
    by_grid: dict[tuple[str, Period, int], Indexes] = {}
    for usage in usages:
        imported = np.maximum(usage.series["import"].astype(np.int64), 0)
        grid = (usage.zone, usage.period, usage.minutes)
        by_grid[grid] = by_grid[grid] + imported if grid in by_grid else imported
    for (zone, period, minutes), together in by_grid.items():
        start_at, _ = period.bounds_utc(zone)
        starts_s = int(start_at.timestamp()) + np.arange(together.size) * (minutes * 60)
        np.add.at(load_wh, (starts_s - origin_s) // SECONDS_PER_HOUR, together)


def load_factor(energy_wh: int, peak_w: int, hours: int) -> Decimal | None:
    """The mean load as a share of the peak, to four decimals; None where there is no load."""
    if not peak_w or not hours:
        return None
    return (Decimal(energy_wh) / (Decimal(peak_w) * hours)).quantize(Decimal("0.0001"))


def document_sha256(document: Json) -> str:
    """The digest of a tariff's document, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
