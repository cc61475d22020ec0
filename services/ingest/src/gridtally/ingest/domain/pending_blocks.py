"""Pending blocks: how many of one tenant may wait for their meters."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

PendingKey = tuple[str, UUID, UUID]
"""Tenant, meter and event."""


def beyond_quota(
    blocks: Mapping[PendingKey, int], rooms: Mapping[str, int], blocks_max: int
) -> set[PendingKey]:
    """The keys of the blocks, each with its place in the batch, that their tenants have no room
    for: the last ones. A tenant without a room of its own has `blocks_max`."""
    taken: Counter[str] = Counter()
    beyond = set()
    for key in sorted(blocks, key=lambda key: blocks[key]):
        taken[key[0]] += 1
        if taken[key[0]] > rooms.get(key[0], blocks_max):
            beyond.add(key)
    return beyond
