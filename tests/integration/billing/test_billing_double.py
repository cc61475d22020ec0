"""The double of billing's store is held to the store: the same scenarios, on PostgreSQL."""

import pytest

from doubles.billing.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[play.__name__ for play in SCENARIOS])
async def test_a_closed_period(scenario, world):
    await scenario(world)
