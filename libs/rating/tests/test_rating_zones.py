"""Clock changes: in every IANA zone, a bill over the days of 2025 that are short or long."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from gridtally.kernel.periods import Period, day_minutes
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage, slots_in

NIGHT_AND_DAY = {
    "kind": "time_of_use",
    "id": "energy",
    "bands": [{"name": "night", "rate": "0.20"}, {"name": "day", "rate": "0.30"}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
    "default_band": "day",
}


def odd_days(zone):
    """The days around a change of the offset at noon, that are not of 24 hours."""
    clock = ZoneInfo(zone)
    noons = [datetime(2024, 12, 31, 12) + timedelta(days=n) for n in range(367)]  # noqa: DTZ001
    offsets = [noon.replace(tzinfo=clock).utcoffset() for noon in noons]
    days = {
        noon.date()
        for before, after, (offset, following) in zip(
            noons, noons[1:], pairwise(offsets), strict=False
        )
        if offset != following
        for noon in (before, after)
    }
    return sorted(day for day in days if day.year == 2025 and day_minutes(zone, day) != 1440)


def test_every_zone_conserves_energy_through_its_clock_changes(version_of):
    changes = 0
    for zone in sorted(available_timezones() - {"Factory", "localtime"}):
        version = version_of(NIGHT_AND_DAY, zone=zone)
        for day in odd_days(zone):
            around = Period(day - timedelta(days=1), day + timedelta(days=2))
            energy = np.arange(1, slots_in(zone, around, 15) + 1)
            bill = rate(version, [Usage(zone, around, 15, {"import": energy})])[0]
            assert sum(x.quantity for x in bill.lines) * 1000 == int(energy.sum()), (zone, day)
            changes += 1
    assert changes > 200


def test_a_constant_load_has_as_many_hours_as_the_clock_shows(version_of):
    """Day and night hours, counted by walking the clock quarter by quarter."""
    for zone in ("Europe/Lisbon", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo"):
        version = version_of(NIGHT_AND_DAY, zone=zone)
        for day in odd_days(zone):
            period = Period(day, day + timedelta(days=1))
            start_at, end_at = period.bounds_utc(zone)
            quarters = int((end_at - start_at) / timedelta(minutes=15))
            local = [
                (start_at + n * timedelta(minutes=15)).astimezone(ZoneInfo(zone))
                for n in range(quarters)
            ]
            night = sum(at.hour >= 22 or at.hour < 6 for at in local)
            usage = Usage(zone, period, 15, {"import": np.full(quarters, 250)})
            lines = {x.item.band: x.quantity for x in rate(version, [usage])[0].lines}
            assert lines["night"] == Decimal(night) / 4
            assert lines["day"] == Decimal(quarters - night) / 4
