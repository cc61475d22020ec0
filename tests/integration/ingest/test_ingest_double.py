"""The double of ingest's store is held to the store: the same scenarios, on PostgreSQL."""

import pytest

from doubles.ingest.scenarios import NOW, SCENARIOS
from doubles.ingest.worlds import StoreWorld


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[play.__name__ for play in SCENARIOS])
async def test_a_period(scenario, ingest):
    await scenario(StoreWorld(NOW, ingest))
