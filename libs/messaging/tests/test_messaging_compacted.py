"""The newest of each resource in a batch of a compacted topic."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from gridtally.contracts.commerce import AgreementChanged
from gridtally.contracts.envelope import Envelope
from gridtally.kernel.errors import Poison
from gridtally.messaging import ReceivedMessage, newest_events, newest_states, resource_key

AN_ID, OTHER_ID = UUID(int=1), UUID(int=2)
AT = datetime(2025, 10, 1, tzinfo=UTC)


def agreement(version, id_=AN_ID):
    return AgreementChanged.model_construct(agreement_id=id_, version=version)


def message(event, key=f"acme:{AN_ID}", tenant_id="acme"):
    envelope = Envelope(OTHER_ID, "agreement.changed.v1", "billing", AT, tenant_id, "c-1")
    return ReceivedMessage(event, envelope, "agreement.changed.v1", 0, 7, key, None)


OTHER = message(agreement(5, OTHER_ID), f"acme:{OTHER_ID}")


def test_the_last_state_of_each_resource_counts():
    batch = [message(agreement(1)), OTHER, message(agreement(2))]
    assert newest_states(batch) == {
        ("acme", AN_ID): batch[2].event,
        ("acme", OTHER_ID): OTHER.event,
    }


def test_a_tombstone_is_a_state():
    assert newest_states([message(agreement(1)), message(None)]) == {("acme", AN_ID): None}


@pytest.mark.parametrize(
    ("versions", "last"), [([1, 2], 1), ([2, 1], 0), ([1, 1], 1), ([2, None], 0)]
)
def test_the_event_that_ranks_highest_counts_in_any_order(versions, last):
    batch = [message(version and agreement(version)) for version in versions]
    newest = newest_events(batch, lambda event: event.version)
    assert newest[resource_key(batch[0])] is batch[last].event


def test_a_resource_with_tombstones_alone_has_no_newest_event():
    assert newest_events([message(None)], lambda event: event.version) == {}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("acme:meter", "names no resource"),
        ("", "names no resource"),
        (f"other:{AN_ID}", "not of tenant acme"),
        (f"acme:{OTHER_ID}", "not that of its event"),
    ],
)
@pytest.mark.parametrize(
    "newest", [newest_states, lambda batch: newest_events(batch, lambda event: event.version)]
)
def test_a_key_of_something_else_is_poison(newest, key, reason):
    with pytest.raises(Poison, match=reason):
        newest([message(agreement(1), key)])
