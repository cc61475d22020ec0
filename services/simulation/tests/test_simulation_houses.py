"""Which properties are houses, and which of their meters count."""

from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.simulation.domain.houses import (
    HouseProfile,
    MeterAt,
    PropertyAt,
    counted_meters,
    houses_of,
)

NOWHERE = HouseProfile()
PLACE = HouseProfile(latitude=Decimal(50), longitude=Decimal(8), annual_kwh=Decimal(3000))


def meter(number, meter_type, *flows, kw=None):
    return MeterAt(UUID(int=number), meter_type, kw and Decimal(kw), flows or ("import",))


def node(number, *meters, has_parts=False, kw=None):
    return PropertyAt(UUID(int=number), f"P{number}", "UTC", kw and Decimal(kw), has_parts, meters)


@pytest.mark.parametrize(
    ("meters", "counted"),
    [
        ([meter(1, "total"), meter(2, "gg"), meter(3, "sg"), meter(4, "unmetered")], [1]),
        ([meter(1, "gg"), meter(2, "sg"), meter(3, "unmetered")], [1, 2]),
        ([meter(1, "main"), meter(2, "sub"), meter(3, "device")], [1]),
        ([meter(1, "total", "import", "export"), meter(2, "solar", "generation")], [1]),
        ([meter(1, "solar", "generation")], []),
        ([meter(1, "main", "load", "generation")], [1]),
        ([meter(1, "derived"), meter(2, "sub")], []),
    ],
)
def test_each_kwh_counts_once(meters, counted):
    assert [chosen.id.int for chosen in counted_meters(meters)] == counted


def test_what_has_parts_is_no_house():
    """A building of two flats, whose own meter has measured what theirs have."""
    building = node(3, meter(30, "total"), has_parts=True)
    flats = [node(2, meter(20, "total", kw="7")), node(1, meter(10, "total"), kw="11")]
    houses = houses_of([building, *flats], "stored", NOWHERE, {})
    assert [(house.number, house.house_node_id.int, house.connected_kw) for house in houses] == [
        (0, 1, 11), (1, 2, 7),
    ]  # fmt: skip


def test_generated_readings_need_no_meter_but_a_profile():
    bare = node(1, has_parts=False)
    with pytest.raises(Rejected, match="no house with a meter"):
        houses_of([bare], "stored", NOWHERE, {})
    [house] = houses_of([bare], "generated", PLACE, {})
    assert house.profile == PLACE
    own = {bare.id: HouseProfile(kwp=Decimal(5))}
    with pytest.raises(Rejected, match="lacks tilt_degrees, azimuth_degrees"):
        houses_of([bare], "generated", PLACE, own)
    with pytest.raises(Rejected, match="lacks latitude, longitude, annual_kwh"):
        houses_of([bare], "generated", NOWHERE, {})
