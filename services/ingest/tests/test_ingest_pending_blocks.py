"""Of a tenant's blocks that would be pending beyond its quota, the last ones have no room."""

from uuid import UUID

import pytest

from gridtally.ingest.domain.pending_blocks import beyond_quota

METER = UUID(int=1)


def key(tenant, event):
    return tenant, METER, UUID(int=event)


@pytest.mark.parametrize(
    ("indexes", "rooms", "beyond"),
    [
        ({}, {}, []),
        ({key("acme", 1): 0, key("acme", 2): 1}, {"acme": 2}, []),
        ({key("acme", 1): 5, key("acme", 2): 1}, {"acme": 1}, [key("acme", 1)]),
        ({key("acme", 1): 0}, {"acme": 0}, [key("acme", 1)]),
        ({key("acme", 1): 0}, {"acme": -3}, [key("acme", 1)]),  # others wrote at the same time
        ({key("acme", 1): 0, key("bolt", 2): 1}, {"acme": 0, "bolt": 9}, [key("acme", 1)]),
        ({key("new", n): n for n in range(5)}, {}, [key("new", 3), key("new", 4)]),  # has three
    ],
)
def test_the_last_ones_have_no_room(indexes, rooms, beyond):
    assert beyond_quota(indexes, rooms, 3) == set(beyond)
