"""Which band each interval lies in, as a document shows it."""

from datetime import date
from uuid import UUID

import numpy as np

from gridtally.kernel.periods import Period
from gridtally.rating.band_usage import bands_of_intervals
from gridtally.rating.document import tariff_version
from gridtally.rating.tariff import Part

ZONE = "Europe/Berlin"
WINDOWS = {
    "bands": [{"name": "peak", "rate": "0.4"}, {"name": "night", "rate": "0.2"}],
    "windows": [{"band": "peak", "from_time": "07:00", "to_time": "22:00"}],
    "default_band": "night",
}


def version(number, components):
    return tariff_version(
        UUID(int=number), {"currency": "EUR", "zone": ZONE, "components": components}
    )


def test_each_interval_has_its_band_by_the_version_in_force():
    """On 30 March 2025 the clocks skip 02:00: 23 hours, of which 15 are peak. The next day has no
    bands, and the one after names its bands the other way round: `night` stays the second."""
    touchy = version(1, [{"kind": "time_of_use", "id": "energy", **WINDOWS}])
    plain = version(2, [{"kind": "energy", "id": "energy", "rate": "0.3"}])
    swapped = WINDOWS | {"bands": WINDOWS["bands"][::-1]}
    later = version(3, [{"kind": "time_of_use", "id": "energy", **swapped}])
    days = [date(2025, 3, 30), date(2025, 3, 31), date(2025, 4, 1), date(2025, 4, 2)]
    parts = [
        Part(Period(first, after), tariff)
        for first, after, tariff in zip(days, days[1:], (touchy, plain, later), strict=False)
    ]
    names, band_of = bands_of_intervals(parts, ZONE, Period(days[0], days[-1]), 60)
    assert names == ["peak", "night"]
    assert band_of.tolist() == [1] * 6 + [0] * 15 + [1] * 2 + [-1] * 24 + [1] * 7 + [0] * 15 + [
        1, 1,
    ]  # fmt: skip


def test_a_tariff_without_bands_has_none():
    flat = version(1, [{"kind": "energy", "id": "energy", "rate": "0.3"}])
    day = Period(date(2025, 1, 1), date(2025, 1, 2))
    names, band_of = bands_of_intervals([Part(day, flat)], ZONE, day, 60)
    assert names == []
    assert np.unique(band_of).tolist() == [-1]
