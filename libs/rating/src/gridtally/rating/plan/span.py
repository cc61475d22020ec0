"""Spans: pieces of a billed period in which nothing about the tariff changes.

Owns where an interval lies in local time. Convention: the meter's zone cuts the period into days
and intervals; the tariff's zone says what local date and time each interval has.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period, slots_in_day, zone_named
from gridtally.rating.calendar import Calendar
from gridtally.rating.engine.lines import Item, Kind
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.usage import Flow, NettableFlow, RoundedFlow, Summed

MINUTES_PER_DAY = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Columns:
    """The weights (0 or 1) of all intervals, for each sum of energy that a plan needs."""

    weights: dict[Summed, list[NDArray[np.bool_]]] = field(default_factory=dict)

    def column_of(self, flow: Summed, chosen: NDArray[np.bool_]) -> int:
        """The index of the column of `flow` that sums the `chosen` intervals; equal ones are one.

        Charges often ask for the same intervals (an energy charge, its levy and a flat credit), and
        a column costs a pass over all energy of a batch, so that it is worth comparing.
        """
        columns = self.weights.setdefault(flow, [])
        for column, weights in enumerate(columns):
            if np.array_equal(weights, chosen):
                return column
        columns.append(chosen)
        return len(columns) - 1

    def matrices(self) -> dict[Summed, NDArray[np.float64]]:
        """By flow, intervals × columns."""
        return {
            flow: np.stack(columns, axis=1).astype(np.float64)
            for flow, columns in self.weights.items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Local days `part` of the days `within` the billed `period` on which a version applies.

    The meter is in `zone` with intervals of `minutes`. `chosen` marks the span's intervals among
    all of the period's; `local_minutes` (intervals × minutes) holds, for each minute of each
    interval of the period, the minutes since 1970 on the tariff's local clock.
    """

    version_id: UUID
    currency: str
    calendar: Calendar
    part: Period
    within: Period
    period: Period
    zone: str
    minutes: int
    chosen: NDArray[np.bool_]
    local_minutes: NDArray[np.int64]
    columns: Columns

    def narrowed(self, days: Period) -> "Span":
        """The same for some of its days, as if the version applied on no others."""
        chosen = chosen_slots(self.zone, self.period, self.minutes, days)
        return replace(self, part=days, within=days, chosen=chosen)

    def item(
        self,
        component_id: str,
        kind: Kind,
        *,
        unit: str,
        rate: Decimal,
        payee: str | None,
        tax_class: str | None = None,
        band: str | None = None,
        flow: Flow | None = None,
        quantity_rounding: QuantityRounding | None = None,
    ) -> Item:
        """What a line of this span is for."""
        return Item(
            component_id=component_id,
            kind=kind,
            band=band,
            flow=flow,
            unit=unit,
            rate=rate,
            tariff_version_id=self.version_id,
            part=self.part,
            payee=payee,
            tax_class=tax_class,
            quantity_rounding=quantity_rounding,
        )

    def counted(
        self, component_id: str, flow: NettableFlow, rounding: QuantityRounding | None
    ) -> Summed:
        """What a component that prices a flow sums of it: its energy as it is, or as it is rounded.

        Rejected where it is rounded in intervals of another length than the usage has.
        """
        if rounding is None:
            return flow
        if rounding.minutes not in (None, self.minutes):
            raise Rejected(
                "rounding_resolution",
                f"{component_id}: energy is rounded every {rounding.minutes} minutes "
                f"(quantity_rounding), and intervals are of {self.minutes}: give usage of "
                f"{rounding.minutes} minutes",
            )
        return RoundedFlow(flow, rounding)


def chosen_slots(zone: str, period: Period, minutes: int, part: Period) -> NDArray[np.bool_]:
    """Which of the period's intervals lie on the days of `part`: a mask, one entry for each."""
    days = period.dates()
    lengths = [slots_in_day(zone, day, minutes) for day in days]
    return np.repeat([day in part for day in days], lengths)


def day_numbers(zone: str, period: Period, minutes: int) -> NDArray[np.int64]:
    """The local day of each of the period's intervals, counted from 0."""
    lengths = [slots_in_day(zone, day, minutes) for day in period.dates()]
    return np.repeat(np.arange(period.days), lengths)


def local_minutes(
    meter_zone: str, period: Period, minutes: int, tariff_zone: str
) -> NDArray[np.int64]:
    """Intervals × minutes: minutes since 1970 on the tariff's clock, through its changes.

    The zone is asked for its offset once per interval, at its start; only the intervals in which
    the offset changes are asked minute by minute. Asking for each minute would be 45 000 look-ups
    for a month.
    """
    start_at, end_at = period.bounds_utc(meter_zone)
    first, last = (int((at - _EPOCH).total_seconds()) // 60 for at in (start_at, end_at))
    starts = np.arange(first, last, minutes, dtype=np.int64)
    every = starts[:, None] + np.arange(minutes, dtype=np.int64)
    offsets = np.array([_offset(tariff_zone, start) for start in [*starts.tolist(), last]])
    local: NDArray[np.int64] = every + offsets[:-1, None]
    for slot in np.flatnonzero(np.diff(offsets)):  # the clock may change within the interval
        local[slot] = [minute + _offset(tariff_zone, minute) for minute in every[slot].tolist()]
    return local


def _offset(zone: str, minute_utc: int) -> int:
    at = datetime.fromtimestamp(minute_utc * 60, zone_named(zone))
    offset = at.utcoffset()
    assert offset is not None  # noqa: S101 - an aware datetime has one
    return int(offset.total_seconds()) // 60
