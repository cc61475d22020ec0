"""The last values of registers and of sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.money import EXACT
from gridtally.ledger.metering.analytics.domain.consumption import EnergySource
from gridtally.ledger.registry.domain.meters import RegisterKey
from gridtally.metering.curves import Quality, worst
from gridtally.metering.readings import RegisterReading

LastReadings = Mapping[RegisterKey, tuple[UUID, RegisterReading]]
"""The last reading of each register, with its id."""


@dataclass(frozen=True, slots=True)
class CurrentReading:
    """The last value of an energy source; that of a sum is as old as the oldest of its inputs."""

    source: EnergySource
    value: Decimal | None
    multiplier: Decimal | None
    quality: Quality
    read_at: datetime | None
    reading_id: UUID | None = None
    aligned: bool = True
    missing: tuple[UUID, ...] = ()


def last_of_register(source: EnergySource, last: LastReadings, key: RegisterKey) -> CurrentReading:
    """The last reading of a register."""
    if key not in last:
        return CurrentReading(source, None, None, "missing", None, missing=(source.meter.id,))
    id_, reading = last[key]
    return CurrentReading(
        source, reading.value, reading.multiplier, reading.quality, reading.read_at, id_
    )


def last_of_sum(
    source: EnergySource, factors: Mapping[RegisterKey, int], last: LastReadings
) -> CurrentReading:
    """The sum of the last readings of a derived meter's registers, each times its multiplier."""
    missing = tuple(sorted({key[0] for key in factors if key not in last}))
    if missing or not factors:
        return CurrentReading(source, None, None, "missing", None, missing=missing)
    inputs = [(factor, last[key][1]) for key, factor in factors.items()]
    total = Decimal(0)
    for factor, reading in inputs:
        shown_kwh = EXACT.multiply(reading.value, reading.multiplier)
        total = EXACT.add(total, factor * shown_kwh)
    moments = {reading.read_at for _, reading in inputs}
    aligned = len(moments) == 1
    qualities: list[Quality] = [reading.quality for _, reading in inputs]
    if not aligned:
        qualities.append("estimated")  # values of different moments only come near a sum
    return CurrentReading(source, total, None, worst(qualities), min(moments), aligned=aligned)
