"""Derived meters: sums of other meters with signs, which are billed like any that is read.

Owns what a derived meter comes down to, the channels that it has by that, and how a day of it is
added up. An interval is there when those of all parts are, and no better than the worst of them. A
sum above zero is its import; what lies below, where something is subtracted, its export.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import lcm
from typing import Self
from uuid import UUID

import numpy as np

from gridtally.ingest.domain.local_days import OLDEST_ON
from gridtally.ingest.domain.merge import ACTUAL, ESTIMATED, MISSING, NO_QUALITY, Qualities, Wh
from gridtally.ingest.domain.meters import ActiveFlow, Channel, Meter
from gridtally.kernel.energy import INTERVAL_WH_MAX
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, day_minutes, local_date, midnight_utc
from gridtally.metering.derived_meters import Definition, Factors, Network, Register

SUBSTITUTED = ord("S")
WORST_FIRST = (ESTIMATED, SUBSTITUTED, ACTUAL)


def refuse_earlier_knowledge(meters: Iterable[Meter]) -> None:
    """Rejected where one of the meters is derived: its days are stored as they are now, and no
    blocks say what they were."""
    if derived := next((meter for meter in meters if meter.is_derived), None):
        raise Rejected(
            "derived_meter",
            f"{derived.meter_id} is computed from others: `as_known_at` is answered for those",
        )


@dataclass(frozen=True, slots=True)
class MeterDefinitions:
    """All definitions of a tenant's derived meter that count, the oldest first."""

    tenant_id: str
    meter_id: UUID
    version: int
    definitions: tuple[Definition, ...]


@dataclass(frozen=True, slots=True)
class MeterNetwork:
    """Meters of one tenant by id, and what the derived ones among them are the sums of."""

    meters: Mapping[UUID, Meter]
    sums: Network

    @classmethod
    def of(
        cls, meters: Mapping[UUID, Meter], definitions: Mapping[UUID, Sequence[Definition]]
    ) -> Self:
        """Meters with the definitions of those that have any, the oldest first."""
        return cls(
            meters,
            Network(
                {
                    id_: frozenset(channel.flow for channel in meter.channels)
                    for id_, meter in meters.items()
                    if not meter.is_derived
                },
                {
                    id_: definitions.get(id_, ())
                    for id_, meter in meters.items()
                    if meter.is_derived
                },
            ),
        )

    def factors(self, meter_id: UUID, at: datetime) -> Factors:
        """The registers that the meter is the sum of at a moment; nothing where something is not
        defined or not known."""
        return self.sums.factors(meter_id, lambda id_: local_date(self.meters[id_].zone, at))

    def channels(self, meter_id: UUID) -> tuple[Channel, ...]:
        """What a derived meter measures by all of its definitions: import, and export where
        something is subtracted, in the shortest intervals that all parts fill.

        None where nothing that it is the sum of is known, or has intervals.
        """
        factors = [self.factors(meter_id, at) for at in self._definition_moments(meter_id)]
        lengths = [self._minutes(register) for own in factors for register in own]
        if not lengths:
            return ()
        has_minus = any(factor < 0 for own in factors for factor in own.values())
        flows: tuple[ActiveFlow, ...] = ("import", "export") if has_minus else ("import",)
        return tuple(Channel(flow, lcm(*lengths), INTERVAL_WH_MAX) for flow in flows)

    def _definition_moments(self, meter_id: UUID) -> list[datetime]:
        """The moments from which the meter, or a sum within it, is another sum."""
        return sorted(
            {
                midnight_utc(self.meters[id_].zone, definition.from_on or OLDEST_ON)
                for id_ in (meter_id, *self.sums.inputs(meter_id))
                for definition in self.sums.definitions.get(id_, ())
            }
        )

    def _minutes(self, register: Register) -> int:
        channel = self.meters[register[0]].channel(register[1])
        assert channel is not None  # noqa: S101 - `factors` names registers with a channel
        return channel.minutes


@dataclass(frozen=True, slots=True, eq=False)
class PartDay:
    """A stored day of a register: its zone, interval length, version, and its intervals."""

    zone: str
    day: date
    minutes: int
    version: int
    values: Wh
    quality: Qualities


@dataclass(frozen=True, slots=True)
class SummedPart:
    """What a register brought to a day of a sum; `version` is that of its own day, or the sum of
    those of its days where another zone has others."""

    meter_id: UUID
    flow: ActiveFlow
    factor: int
    energy_wh: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class SummedDay:
    """A local day of a derived meter: its values by flow, a quality for each, and its parts."""

    values: Mapping[str, Wh]
    quality: Qualities
    parts: tuple[SummedPart, ...]


def part_days(zone: str, day: date, part_zone: str) -> list[date]:
    """The local days of a part in which a local day of the sum lies."""
    if part_zone == zone:
        return [day]
    last_at = midnight_utc(zone, day + ONE_DAY) - timedelta(microseconds=1)
    first_on, last_on = (
        local_date(part_zone, midnight_utc(zone, day)),
        local_date(part_zone, last_at),
    )
    return [first_on + index * ONE_DAY for index in range((last_on - first_on).days + 1)]


# Whole numbers of 64 bits: a thousand intervals of four bytes each, with signs, cannot overflow.
def add_up(
    zone: str,
    day: date,
    channels: Sequence[Channel],
    factors: Factors,
    days: Mapping[Register, Sequence[PartDay]],
) -> SummedDay:
    """A local day of a derived meter out of what is stored of its parts.

    An interval is missing where that of a part is, where nothing is defined (`factors` is empty),
    and where the sum does not fit into the channels.
    """
    minutes = channels[0].minutes
    slots = day_minutes(zone, day) // minutes
    net = np.zeros(slots, np.int64)
    is_there = np.full(slots, bool(factors))
    quality = np.full(slots, ACTUAL, np.uint8)
    parts = []
    for (meter_id, flow), factor in sorted(factors.items()):
        own = days.get((meter_id, flow), ())
        values, letters = _within(zone, day, minutes, own)
        whole = (values != MISSING).all(axis=1)
        is_there &= whole
        net += factor * np.where(values == MISSING, 0, values).sum(axis=1, dtype=np.int64)
        for letter in reversed(WORST_FIRST):
            if letter != ACTUAL:
                has_letter = (letters == letter).any(axis=1)
                quality[has_letter & (quality != ESTIMATED)] = letter
        energy_wh = int(values.sum(where=values != MISSING, dtype=np.int64))
        version = sum(part_day.version for part_day in own)
        parts.append(SummedPart(meter_id, flow, factor, energy_wh, version))
    by_flow = {"import": np.maximum(net, 0), "export": np.maximum(-net, 0)}
    flows = [channel.flow for channel in channels]
    if "export" not in flows:
        is_there &= net >= 0
    is_there &= np.abs(net) <= INTERVAL_WH_MAX
    quality[~is_there] = NO_QUALITY
    return SummedDay(
        {flow: np.where(is_there, by_flow[flow], MISSING).astype(np.int32) for flow in flows},
        quality,
        tuple(parts),
    )


def _within(zone: str, day: date, minutes: int, own: Sequence[PartDay]) -> tuple[Wh, Qualities]:
    """What is stored of a part on a local day of the sum, as intervals of the sum × intervals of
    the part; what is in another grid is missing."""
    part_minutes = min((part_day.minutes for part_day in own), default=minutes)
    slots = day_minutes(zone, day) // minutes * (minutes // part_minutes)
    values = np.full(slots, MISSING, np.int32)
    letters = np.full(slots, NO_QUALITY, np.uint8)
    begin_at = midnight_utc(zone, day)
    for part_day in own:
        length = timedelta(minutes=part_day.minutes)
        first, beside = divmod(midnight_utc(part_day.zone, part_day.day) - begin_at, length)
        if beside or part_day.minutes != part_minutes:
            continue
        begin, end = max(first, 0), min(first + part_day.values.size, slots)
        values[begin:end] = part_day.values[begin - first : end - first]
        letters[begin:end] = part_day.quality[begin - first : end - first]
    per_interval = minutes // part_minutes
    return values.reshape(-1, per_interval), letters.reshape(-1, per_interval)


@dataclass(frozen=True, slots=True)
class PartTotal:
    """What a register brought to a sum on consecutive days, `end_on` without."""

    meter_id: UUID
    flow: ActiveFlow
    factor: int
    start_on: date
    end_on: date
    energy_wh: int
    version: int


def part_totals(days: Iterable[tuple[date, Sequence[SummedPart]]]) -> list[PartTotal]:
    """The parts of days, which are in order, as totals of consecutive days."""
    done: list[PartTotal] = []
    growing: dict[tuple[UUID, str, int], PartTotal] = {}
    for day, parts in days:
        for part in parts:
            key = part.meter_id, part.flow, part.factor
            before = growing.get(key)
            if before is not None and before.end_on == day:
                growing[key] = replace(
                    before,
                    end_on=day + ONE_DAY,
                    energy_wh=before.energy_wh + part.energy_wh,
                    version=before.version + part.version,
                )
                continue
            if before is not None:
                done.append(before)
            growing[key] = PartTotal(
                *key, start_on=day, end_on=day + ONE_DAY,
                energy_wh=part.energy_wh, version=part.version,
            )  # fmt: skip
    done += growing.values()
    return sorted(
        done, key=lambda part: (part.start_on, str(part.meter_id), part.flow, part.factor)
    )
