"""Which meters a property has."""

from uuid import UUID

import pytest

from ledger.domain.registry import DEFAULT_CHANNELS, Channel, Meter, own_meters

HOME = UUID(int=1)
EXPORT = Channel("export", 15, 5_000)


def test_every_property_has_four_meters_whose_ids_follow_from_its_own():
    meters = own_meters("t", HOME, {})
    assert [meter.type for meter in meters] == ["gg", "sg", "total", "unmetered"]
    assert {meter.type: meter.channels for meter in meters if meter.channels} == DEFAULT_CHANNELS
    assert own_meters("t", HOME, {}) == meters
    assert own_meters("u", HOME, {})[0].id != meters[0].id


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"gg": (EXPORT,)}, {"gg": (EXPORT,), **DEFAULT_CHANNELS}),
        ({"total": ()}, {}),
        ({"total": (EXPORT,)}, {"total": (EXPORT,)}),
    ],
)
def test_channels_are_the_creators_choice(channels, expected):
    meters = own_meters("t", HOME, channels)
    assert {meter.type: meter.channels for meter in meters if meter.channels} == expected


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        ({"unmetered": (EXPORT,)}, "derived"),
        ({"gg": (EXPORT, EXPORT)}, "one channel per flow"),
    ],
)
def test_channels_that_cannot_be(channels, why):
    with pytest.raises(ValueError, match=why):
        own_meters("t", HOME, channels)


def test_unknown_type():
    with pytest.raises(ValueError, match="no type of meter"):
        Meter(HOME, HOME, "gas", "gas", ())
