"""Which meters a property has, and the ids of the events of both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gridtally.contracts.metering import MeterRegistered, PropertyChanged
from gridtally.kernel.resources import Cause, Stored
from gridtally.ledger.registry.domain.meters import DEFAULT_CHANNELS, Channel, Meter, own_meters
from gridtally.ledger.registry.domain.properties import Property
from gridtally.ledger.registry.events import meter_registered, property_changed, tombstone

HOME = UUID(int=1)
EXPORT = Channel("export", 15, 5_000)


def test_every_property_has_four_meters_whose_ids_follow_from_its_own():
    meters = own_meters("t", HOME, {})
    assert [meter.meter_type for meter in meters] == ["gg", "sg", "total", "unmetered"]
    assert {
        meter.meter_type: meter.channels for meter in meters if meter.channels
    } == DEFAULT_CHANNELS
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
    assert {meter.meter_type: meter.channels for meter in meters if meter.channels} == expected


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


def test_each_event_of_the_registry_has_an_id_of_its_own():
    """The same again has the same id; another version, a resource made again with the same id, and
    its end have another."""
    cause, at = Cause("acme", "k", "c"), datetime(2025, 4, 1, tzinfo=UTC)
    property_ = Property(UUID(int=1), "Oak Lane 1", "", "Europe/Berlin", None, None, None)
    meter = Meter(UUID(int=1), property_.id, "sub", "x", ())

    def messages(version, updated_at, tenant="acme"):
        own = replace(cause, tenant_id=tenant)
        return [
            property_changed(Stored(property_, version, at, updated_at), own),
            meter_registered(Stored(meter, version, at, updated_at), property_, own),
            tombstone(PropertyChanged, property_.id, own, updated_at),
            tombstone(MeterRegistered, meter.id, own, updated_at),
        ]

    later = at + timedelta(days=1)
    first = [message.envelope.event_id for message in messages(1, at)]
    assert [message.envelope.event_id for message in messages(1, at)] == first
    others = [*messages(1, later), *messages(1, at, tenant="other"), *messages(2, later)[:2]]
    ids = [*first, *(message.envelope.event_id for message in others)]
    assert len(set(ids)) == len(ids)
