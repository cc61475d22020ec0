"""Which meters a property has, and the ids of what is told of both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from contracts.metering import MeterRegistered, PropertyChanged
from ledger.domain.registry import DEFAULT_CHANNELS, Channel, Meter, Property, own_meters
from ledger.domain.stored import Stored
from ledger.wire import Cause, ended, meter_registered, property_changed

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


def test_what_the_registry_tells_has_an_id_of_its_own_each_time():
    """The same again has the same; a version, a thing made anew with an id, its end, another."""
    cause, at = Cause("acme", "c"), datetime(2025, 4, 1, tzinfo=UTC)
    place = Property(UUID(int=1), "Oak Lane 1", "", "Europe/Berlin", None, None, None)
    meter = Meter(UUID(int=1), place.id, "sub", "x", ())

    def told(version, updated_at, tenant="acme"):
        whose = replace(cause, tenant_id=tenant)
        return [
            property_changed(Stored(place, version, at, updated_at), whose),
            meter_registered(Stored(meter, version, at, updated_at), place, whose),
            ended(PropertyChanged, place.id, whose, updated_at),
            ended(MeterRegistered, meter.id, whose, updated_at),
        ]

    later = at + timedelta(days=1)
    first = [one.envelope.event_id for one in told(1, at)]
    assert [one.envelope.event_id for one in told(1, at)] == first
    others = [*told(1, later), *told(1, at, tenant="other"), *told(2, later)[:2]]
    ids = [*first, *(one.envelope.event_id for one in others)]
    assert len(set(ids)) == len(ids)
