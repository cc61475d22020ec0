"""Generated profiles: the models' own figures, and months of any length, anywhere."""

from datetime import date
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.periods import Period, month_of
from gridtally.simulation.profiles.house import HouseShape, profile_of
from gridtally.simulation.profiles.load import load_shape_wh
from gridtally.simulation.profiles.local_clock import local_clock
from gridtally.simulation.profiles.sun import sun_shape_wh

BERLIN = HouseShape(52.52, 13.40, 30, 180, 5, 3500)
HOUSE = UUID(int=7)


def months_of(year):
    return [month_of(date(year, number, 1)) for number in range(1, 13)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("year", [2000, 2024, 2025, 2048])
def test_a_year_of_the_load_is_a_thousand_wh_for_each_kwh(zone, year):
    parts = [load_shape_wh(zone, month, southern=False) for month in months_of(year)]
    assert np.concatenate(parts).sum() == pytest.approx(1000)
    days = Period(date(year, 1, 1), date(year + 1, 1, 1)).days
    assert sum(part.size for part in parts) == 96 * days


@pytest.mark.parametrize(("month", "slots"), [(3, 2972), (10, 2980), (6, 2880), (2, 2688)])
def test_days_of_23_and_25_hours(month, slots):
    """March loses four quarters of an hour in Berlin, October has four twice."""
    profile = profile_of("Europe/Berlin", months_of(2025)[month - 1], BERLIN, house=HOUSE, seed=1)
    assert profile.load.size == profile.solar.size == slots
    clock = local_clock("Europe/Berlin", months_of(2025)[9])
    twice = clock.quarter[25 * 96 : 25 * 96 + 16]
    assert twice.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11]


def test_the_published_profile():
    """VDEW's H0: 67.6 W at midnight of a winter workday for 1 000 kWh, 0.25 h, factor 1.242."""
    january = load_shape_wh("Europe/Berlin", months_of(2025)[0], southern=False)
    thursday = january[96]  # the 2nd of January 2025, day 2: 1.24 + 2·2.1e-3 - 4·7.02e-5
    assert thursday == pytest.approx(67.6 * 0.25 / 1000 * 1.2439, rel=0.005)
    evening, night = january[96 + 19 * 4], january[96 + 4 * 4]
    assert evening > 3 * night


@pytest.mark.parametrize(
    ("latitude", "summer", "winter"), [(52.5, 5, 11), (-33.9, 11, 5)], ids=["north", "south"]
)
def test_seasons_are_those_of_the_hemisphere(latitude, summer, winter):
    shape = HouseShape(latitude, 18.4, 30, 0 if latitude < 0 else 180, 5, 3500)
    made = [profile_of("UTC", month, shape, house=HOUSE, seed=1) for month in months_of(2025)]
    assert made[summer].solar.sum() > made[winter].solar.sum()
    assert made[winter].load.sum() > made[summer].load.sum()


def test_the_clear_sky_of_haurwitz():
    """On the equinox at the equator the sun stands overhead at noon: 1098 exp(-0.057) = 1037 W/m²,
    of which flat panels of 1 kWp with a yield of 0.8 make 207 Wh in a quarter of an hour."""
    day = Period(date(2025, 3, 20), date(2025, 3, 21))
    flat = sun_shape_wh("UTC", day, latitude=0, longitude=0, tilt_degrees=0, azimuth_degrees=0)
    assert flat.max() == pytest.approx(1037 * 0.8 / 4, rel=0.005)
    assert flat[:22].sum() == flat[75:].sum() == 0
    polar = sun_shape_wh("UTC", day, latitude=90, longitude=0, tilt_degrees=0, azimuth_degrees=0)
    assert 0 <= polar.max() < flat.max() / 10


def test_tilted_panels_face_the_sun():
    june = Period(date(2025, 6, 21), date(2025, 6, 22))
    made = {
        azimuth: sun_shape_wh(
            "UTC", june, latitude=52.5, longitude=0, tilt_degrees=40, azimuth_degrees=azimuth
        )
        for azimuth in (90, 180, 270, 0)
    }
    assert made[90][:48].sum() > made[90][48:].sum()
    assert made[270][48:].sum() > made[270][:48].sum()
    assert made[180].sum() > made[0].sum()
    assert made[90].sum() == pytest.approx(made[270].sum(), rel=0.02)


def test_the_same_seed_gives_the_same_house():
    april = months_of(2025)[3]
    first, again = [profile_of("UTC", april, BERLIN, house=HOUSE, seed=3) for _ in range(2)]
    assert np.array_equal(first.load, again.load)
    for other in (
        profile_of("UTC", april, BERLIN, house=UUID(int=8), seed=3),
        profile_of("UTC", april, BERLIN, house=HOUSE, seed=4),
    ):
        assert not np.array_equal(first.load, other.load)
        assert np.array_equal(first.solar, other.solar)  # the same sky


def test_a_house_is_the_same_in_every_release():
    """Figures of the first release: whoever repeats a run of then gets its readings again."""
    october = months_of(2025)[9]
    profile = profile_of("Europe/Berlin", october, BERLIN, house=HOUSE, seed=1)
    assert profile.load[:6].tolist() == [40, 125, 48, 64, 30, 58]
    indexes = np.arange(profile.load.size)
    assert (profile.load.sum(), (profile.load * indexes).sum()) == (291_067, 440_727_572)
    assert profile.solar.sum() == 599_920


def test_energy_is_whole_and_nothing_flows_both_ways():
    year = [profile_of("UTC", month, BERLIN, house=HOUSE, seed=1) for month in months_of(2025)]
    for profile in year:
        assert profile.load.dtype == profile.solar.dtype == np.int64
        assert np.array_equal(profile.imported - profile.exported, profile.load - profile.solar)
        assert not np.minimum(profile.imported, profile.exported).any()
    total = sum(int(profile.load.sum()) for profile in year)
    assert total == pytest.approx(3_500_000, rel=0.01)
