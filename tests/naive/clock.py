"""The naive clock: intervals, bands, cuts and blocks of power, by walking through local time."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from gridtally.kernel.periods import Period


@lru_cache(maxsize=8)
def naive_clock(zone, tariff_zone, period, minutes):
    """The meter's local day and the tariff's local time at which each interval begins."""
    at = datetime.combine(period.start_on, time(), ZoneInfo(zone)).astimezone(UTC)
    begins = []
    while (day := at.astimezone(ZoneInfo(zone)).date()) < period.end_on:
        begins.append((day, at.astimezone(ZoneInfo(tariff_zone)).replace(tzinfo=None)))
        at += timedelta(minutes=minutes)
    return begins


def naive_band(charge, local):
    clock = local.isoformat()[11:16]
    for window in charge.get("windows", []):
        start, end = window["from_time"], window["to_time"]
        if start <= clock < end if start < end else (clock >= start or clock < end):
            return window["band"]
    return charge.get("default_band")


def naive_cuts(part, document):
    edges = {part.start_on, part.end_on}
    for dated in document["components"]:
        for edge in filter(None, (dated.get("from_on"), dated.get("to_on"))):
            if date.fromisoformat(edge) in part:
                edges.add(date.fromisoformat(edge))
    edges = sorted(edges)
    return [Period(start, end) for start, end in pairwise(edges)]


def naive_peak(minutes, days, usage, flow, document):
    """The highest mean kW of the blocks of the local clock that lie in the days."""
    clock = naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    blocks, before = [], None
    for (day, local), value in zip(clock, usage.series[flow].tolist(), strict=True):
        block = (local.date(), (local.hour * 60 + local.minute) // minutes)
        follows = before is not None and before[1] + timedelta(minutes=usage.minutes) == local
        if not follows or before[0] != block:
            blocks.append([])
        blocks[-1].append((day, value))
        before = (block, local)
    return max(
        Fraction(sum(value for _, value in block), 10**usage.kwh_decimals)
        / Fraction(len(block) * usage.minutes, 60)
        for block in blocks
        if all(day in days for day, _ in block)
    )
