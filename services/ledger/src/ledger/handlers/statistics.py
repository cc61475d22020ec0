"""Figures about one meter or node: statistics of its readings, and the conservation check."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from database import ReadConnection
from kernel.errors import Rejected
from kernel.money import EXACT, Rounding
from ledger.domain.conservation import Balance, Share, balance, shares
from ledger.domain.derived import Consumption
from ledger.domain.moments import EARLIEST_AT
from ledger.handlers import energy
from ledger.handlers.energy import Counter, Known, Window
from ledger.store import meters, properties, readings
from ledger.store.readings import Selection

MEAN = Rounding("half_even", 6)


@dataclass(frozen=True, slots=True)
class Taken:
    """A value at a moment; that of a derived meter is no reading."""

    value: Decimal
    at: datetime
    reading_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """What the values of a time have in common, before the multiplier; None without any."""

    count: int
    min: Decimal | None
    max: Decimal | None
    mean: Decimal | None
    first: Taken | None
    last: Taken | None


async def fetch_stats(
    read: ReadConnection,
    tenant_id: str,
    counter: Counter,
    window: tuple[datetime | None, datetime | None],
    as_of: datetime | None,
    now: datetime,
) -> Stats:
    """Of a register, its readings in [from, to); of a derived meter, its values at each moment at
    which an input was read and all are known."""
    if counter.flow is None:
        begin, end = window[0] or EARLIEST_AT, window[1] or now
        known = await energy.fetch_known(read, tenant_id, [counter], (begin, end), as_of)
        return await asyncio.to_thread(_of_sum, known, counter, (begin, end))
    filters = {"meter_id": counter.meter.id, "flow": counter.flow}
    selection = Selection(filters, *window, as_of)
    summary = await readings.summarize(read, tenant_id, selection)
    ends = [
        Taken(one.entry.value, one.entry.read_at, one.entry.reading_id)
        for descending in (False, True)
        for one in await readings.list_readings(
            read, tenant_id, selection, None, 1, descending=descending
        )
    ]
    mean = _mean(summary.sum, summary.count)
    first, last = ends or (None, None)
    return Stats(summary.count, summary.min, summary.max, mean, first, last)


def _of_sum(known: Known, counter: Counter, window: Window) -> Stats:
    moments = {
        moment
        for curve in known.curves.values()
        for moment in curve.moments
        if window[0] <= moment < window[1]
    }
    taken = []
    for moment in sorted(moments):
        try:
            value = known.value(counter, moment).kwh
        except Rejected:
            continue  # not defined yet
        if value is not None:
            taken.append(Taken(value, moment))
    if not taken:
        return Stats(0, None, None, None, None, None)
    values = [one.value for one in taken]
    total = Decimal(0)
    for each in values:
        total = EXACT.add(total, each)
    return Stats(
        len(values), min(values), max(values), _mean(total, len(values)), taken[0], taken[-1]
    )


def _mean(total: Decimal | None, count: int) -> Decimal | None:
    return MEAN.round(EXACT.divide(total, Decimal(count))) if total is not None else None


@dataclass(frozen=True, slots=True)
class Check:
    """A node's balance, and what each register had to do with it."""

    parts: list[tuple[Share, Consumption]]
    balance: Balance


async def check_conservation(
    read: ReadConnection, tenant_id: str, property_id: UUID, window: Window, as_of: datetime | None
) -> Check:
    """Compare what a node was supplied with what the meters below it counted."""
    _, own = await energy.fetch_place(read, tenant_id, property_id)
    children = await properties.fetch_children(read, tenant_id, property_id)
    below = await meters.fetch_meters_of(read, tenant_id, list(children))
    sides = shares(own, [[one.thing for one in each] for each in below.values()])
    if {share.side for share in sides} != {"supplied", "metered"}:
        raise Rejected(
            "nothing_to_compare",
            "a balance needs a main meter, and sub meters or properties below",
        )
    counters = [Counter(share.meter, share.flow) for share in sides]
    known = await energy.fetch_known(read, tenant_id, counters, window, as_of)
    counted = await energy.count(known, counters, [window])
    parts = [(share, each.consumption) for share, each in zip(sides, counted, strict=True)]
    return Check(parts, balance(parts))
