"""Quality: what the lines of a bill rest on, besides actual readings.

A line rests on the intervals that its quantity was taken from: those of its flow on its days, and
in its band where it has one. A tier rests on all intervals that were divided over the tiers, a
demand on all that the peak was looked for in. Looked at only where a period has anything but
actual values, after the bill is made: rating itself knows values and no qualities.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.bands import Bands, band_indexes
from gridtally.rating.components.demand.charge import Demand
from gridtally.rating.components.export_credit import ExportCredit
from gridtally.rating.components.net_billing import NetBilling
from gridtally.rating.components.net_metering import NetMetering
from gridtally.rating.components.tiered_time_of_use import TieredTimeOfUse
from gridtally.rating.engine.lines import DataQuality, Line, WorstQuality
from gridtally.rating.plan.span import Columns, Span, chosen_slots, local_minutes
from gridtally.rating.seasons import bands_on
from gridtally.rating.tariff import Component, Part, TariffVersion
from gridtally.rating.tiers import TIER_SEPARATOR
from gridtally.rating.usage import REACTIVE_FLOWS, Flow, NettableFlow

ACTUAL, ESTIMATED, SUBSTITUTED, NOTHING, NO_CHANNEL = (ord(letter) for letter in "AES-N")
"""An interval's quality; without a channel the meter did not measure the flow then."""
WH_EXPONENT = -3
_NETTED: tuple[Flow, ...] = ("import", "export")
_NET: tuple[NettableFlow, ...] = ("net_import", "net_export")


ALL_ACTUAL = DataQuality()


@dataclass(frozen=True, slots=True, eq=False)
class Doubtful:
    """A flow that is not actual throughout: a value and a letter for each interval of `minutes`."""

    minutes: int
    values: NDArray[np.int32]
    letters: NDArray[np.uint8]

    def counts(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Intervals that are estimated, substituted and missing, and Wh of the first two; of all
        intervals, or of those that are chosen."""
        letters = self.letters if chosen is None else self.letters[chosen]
        values = self.values if chosen is None else self.values[chosen]
        of = [letters == code for code in (ESTIMATED, SUBSTITUTED, NOTHING)]
        numbers = [np.count_nonzero(mask) for mask in of]
        energies = [values.sum(where=mask, dtype=np.int64) for mask in of[:2]]
        return np.array([*numbers, *energies], np.int64)


DoubtfulFlows = Mapping[Flow, Doubtful]
"""The flows of a period that are not actual throughout; those that are left out are."""


def quality_of_all(doubtful: DoubtfulFlows) -> DataQuality:
    """The quality of a whole period."""
    if not doubtful:
        return ALL_ACTUAL
    total = np.zeros(5, np.int64)
    for flow, series in doubtful.items():
        counts = series.counts()
        if flow in REACTIVE_FLOWS:
            counts[3:] = 0
        total += counts
    return _quality(total)


def with_quality(
    lines: Sequence[Line],
    parts: Sequence[Part],
    zone: str,
    period: Period,
    doubtful: DoubtfulFlows,
) -> tuple[Line, ...]:
    """The lines of a bill with their qualities; lines that rest on no flow have none."""
    if not doubtful:
        return tuple(
            line if line.item.flow is None else replace(line, quality=ALL_ACTUAL) for line in lines
        )
    return tuple(
        line
        if line.item.flow is None
        else replace(line, quality=_quality_of(line, parts, zone, period, doubtful))
        for line in lines
    )


def _quality_of(
    line: Line, parts: Sequence[Part], zone: str, period: Period, doubtful: DoubtfulFlows
) -> DataQuality:
    item = line.item
    part = next(part for part in parts if item.part.start_on in part.period)
    component = _component(part.version, item.component_id)
    total = np.zeros(5, np.int64)
    for flow in _flows(component, item.flow):
        series = doubtful.get(flow)
        if series is not None:
            total += series.counts(
                _chosen(part, zone, period, series.minutes, item.part, component, item.band)
            )
    return _quality(total)


def _component(version: TariffVersion, component_id: str) -> Component:
    return next(charge for charge in version.components if charge.id == component_id)


def _flows(component: Component, flow: Flow | None) -> Collection[Flow]:
    """The flows that a line of the component for `flow` is made of."""
    if isinstance(component, NetBilling | NetMetering) or getattr(component, "flow", None) in _NET:
        return _NETTED
    return () if flow is None else (flow,)


@lru_cache(maxsize=1024)
def _chosen(
    part: Part,
    zone: str,
    period: Period,
    minutes: int,
    days: Period,
    component: Component,
    band: str | None,
) -> NDArray[np.bool_]:
    """Which of the period's intervals lie on the days and in the band of a line. Cached, because
    meters on one tariff share it."""
    chosen = chosen_slots(zone, period, minutes, days)
    bands = _bands_charged(component, part, period)
    name = _band_name(bands, band)
    if bands is None or name is None:
        return chosen
    span = Span(
        version_id=part.version.id,
        currency=part.version.currency,
        calendar=part.version.calendar,
        part=days,
        within=part.period,
        period=period,
        zone=zone,
        minutes=minutes,
        chosen=chosen,
        local_minutes=local_minutes(zone, period, minutes, part.version.zone),
        columns=Columns(),
    )
    in_band: NDArray[np.bool_] = band_indexes(bands, component.id, span) == bands.names.index(name)
    return chosen & in_band


def _bands_charged(component: Component, part: Part, period: Period) -> Bands | None:
    """The bands of a component, or where one season's charge all days (`most_days`) these alone."""
    bands = component.banded
    if bands is None:
        return None
    match component:
        case Demand():
            rule, kept = component.on_season_change, component.on_version_change == "keep"
        case TieredTimeOfUse():
            limits = component.limits
            rule, kept = limits.on_season_change, limits.on_version_change == "keep"
        case NetMetering() | ExportCredit():
            rule, kept = component.limits.on_season_change, False
        case _:
            return bands
    return bands_on(bands, part.version.calendar, period if kept else part.period, rule)


def _band_name(bands: Bands | None, label: str | None) -> str | None:
    """The band that a line's label names, which may name a tier of it too."""
    if bands is None or label is None:
        return None
    names: Iterable[str] = (label, label.rpartition(TIER_SEPARATOR)[0])
    return next((name for name in names if name in bands.names), None)


def _quality(counts: NDArray[np.int64]) -> DataQuality:
    estimated, substituted, missing, estimated_wh, substituted_wh = counts.tolist()
    worst_first: dict[WorstQuality, int] = {
        "missing": missing,
        "estimated": estimated,
        "substituted": substituted,
    }
    return DataQuality(
        next((quality for quality, number in worst_first.items() if number), "actual"),
        estimated,
        substituted,
        missing,
        _kwh(estimated_wh),
        _kwh(substituted_wh),
    )


def _kwh(energy_wh: int) -> Decimal:
    return Decimal(energy_wh).scaleb(WH_EXPONENT) if energy_wh else Decimal(0)
