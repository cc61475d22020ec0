"""Calculated bills: what a customer's stored readings of some days come to by one tariff version.

A calculation is told apart by its checksum, over all that it rests on: the same again is the same
calculation, and readings that have changed make another one beside it. Nothing is issued.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from gridtally.billing.domain.fleet_costs.costs import FIRST_ON, ChannelDays
from gridtally.billing.domain.fleet_costs.devices import Assignment
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import Bill, rate
from gridtally.rating.engine.exact import add_up
from gridtally.rating.intervals import usage_of
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import ACTIVE_FLOWS, MISSING, Flow, Usage, slots_in

UNREAD_MINUTES = 15
"""The intervals of a meter of which nothing was ever recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class MeterReadings:
    """A meter's intervals on the days, what was recorded of them, and which days are the
    customer's."""

    meter_id: UUID
    connected_kw: Decimal | None
    channel_days: Sequence[ChannelDays]
    assignment: Assignment


@dataclass(frozen=True, slots=True, eq=False)
class MeterUsage:
    """The usage of a meter as rating takes it; missing intervals count as no energy."""

    meter_id: UUID
    usage: Usage
    expected_intervals: int
    present_intervals: int


@dataclass(frozen=True, slots=True)
class CalculatedBill:
    """A calculation: `lines` are those of an invoice in their JSON form, with their `meter_id`.

    by_customer  whether the customer made it, who sees no other one
    """

    id: UUID
    customer_id: UUID
    start_on: date
    end_on: date
    tariff_version_id: UUID
    checksum: str
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    expected_intervals: int
    present_intervals: int
    lines: Sequence[Mapping[str, Any]]
    by_customer: bool = False

    @property
    def breakdown(self) -> dict[str, Decimal]:
        """What each component comes to, by its id in the tariff document; they add up to the
        total."""
        return self._by("component_id")

    @property
    def payees(self) -> dict[str, Decimal]:
        """What is for each payee that a component names; the rest is the seller's."""
        return {name: amount for name, amount in self._by("payee").items() if name}

    def _by(self, name: str) -> dict[str, Decimal]:
        amounts: dict[str, list[Decimal]] = {}
        for line in self.lines:
            amounts.setdefault(line[name], []).append(Decimal(line["amount"]))
        return {key: add_up(of_key) for key, of_key in amounts.items()}


def meter_usage(readings: MeterReadings, version: TariffVersion, period: Period) -> MeterUsage:
    """What was recorded of a meter on the days that are the customer's, as rating takes it.

    Rejected where its zone changed within the days.
    """
    blocks = [block for block in readings.channel_days if len(block.days)]
    zones = {block.zone for block in blocks}
    if len(zones) > 1:
        raise Rejected(
            "usage_impossible",
            f"meter {readings.meter_id} was recorded in several zones: {', '.join(sorted(zones))}",
        )
    zone = zones.pop() if zones else version.zone
    minutes: dict[Flow, int] = {block.flow: block.minutes for block in blocks}
    if any(minutes[block.flow] != block.minutes for block in blocks):
        raise Rejected(
            "usage_impossible",
            f"meter {readings.meter_id} changed its interval within these days",
        )
    series = {
        flow: _series(
            [block for block in blocks if block.flow == flow],
            _own_days(readings.assignment, period),
            zone,
            period,
            own_minutes,
        )
        for flow, own_minutes in minutes.items()
    }
    expected = sum(len(values) for values in series.values())
    present = sum(int(np.count_nonzero(values != MISSING)) for values in series.values())
    if not series:
        expected = slots_in(zone, period, UNREAD_MINUTES)
        minutes, series = {"import": UNREAD_MINUTES}, {"import": np.zeros(expected, np.int32)}
    try:
        usage = usage_of(
            zone,
            period,
            minutes,
            series,
            flows_without_channel=ACTIVE_FLOWS,
            connected_kw=readings.connected_kw,
        )
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None
    return MeterUsage(readings.meter_id, usage, expected, present)


def _own_days(assignment: Assignment, period: Period) -> set[int]:
    """The days that are the customer's, by their number from 2000-01-01 on."""
    return {
        (day - FIRST_ON).days
        for days, source in assignment
        if source is not None and (own := days.overlap(period)) is not None
        for day in own.dates()
    }


def _series(
    blocks: Sequence[ChannelDays], own_days: set[int], zone: str, period: Period, minutes: int
) -> np.ndarray[Any, np.dtype[np.int32]]:
    """All intervals of the period, `MISSING` where nothing was recorded or the day is not own."""
    values_of = {
        int(day): values
        for block in blocks
        for day, values in zip(block.days, block.energy, strict=True)
        if int(day) in own_days
    }
    days = []
    for day in period.dates():
        slots = Period(day, date.fromordinal(day.toordinal() + 1)).slots(zone, minutes)
        values = values_of.get((day - FIRST_ON).days)
        days.append(np.full(slots, MISSING, np.int32) if values is None else values)
    return np.concatenate(days)


def bills_of(version: TariffVersion, usages: Sequence[MeterUsage], prices: Prices) -> list[Bill]:
    """The bill of each meter, by the function that makes invoices."""
    return rate(version, [own.usage for own in usages], prices=prices, missing="counts_as_zero")


def checksum_of(document: str, period: Period, usages: Sequence[MeterUsage]) -> str:
    """SHA-256 over the tariff document, the readings of all meters and the window."""
    seen = hashlib.sha256()
    canonical = json.dumps(json.loads(document), sort_keys=True, separators=(",", ":"))
    for text in (canonical, period.start_on.isoformat(), period.end_on.isoformat()):
        seen.update(text.encode() + b"\n")
    for own in sorted(usages, key=lambda own: own.meter_id):
        usage = own.usage
        head = f"{own.meter_id} {usage.zone} {usage.minutes} {usage.connected_kw}"
        seen.update(head.encode() + b"\n")
        for flow in sorted(usage.series):
            seen.update(flow.encode() + b"\n" + usage.series[flow].astype("<i8").tobytes())
    return seen.hexdigest()


def calculation_id(
    tenant_id: str,
    customer_id: UUID,
    period: Period,
    version_id: UUID,
    checksum: str,
    *,
    by_customer: bool = False,
) -> UUID:
    """The id of a calculation: the same for the same request on the same readings, but another one
    for what the customer makes, so that what staff made before is not in its way."""
    request = tenant_id, customer_id, period.start_on, period.end_on, version_id, checksum
    return derive_id("calculation_by_customer" if by_customer else "calculation", *request)
