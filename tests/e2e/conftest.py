"""The story, told once on an empty Gridtally for all tests that look at it."""

import pytest

from e2e.deliveries import garbled
from e2e.installation import empty_gridtally
from e2e.story import Told, tell


@pytest.fixture(scope="session")
async def told(stack_servers) -> Told:
    """The story as it should go."""
    async with empty_gridtally(stack_servers) as running:
        return await tell(running)


@pytest.fixture(scope="session")
async def told_garbled(stack_servers, told) -> Told:
    """The same story afterwards, with every message twice and a tenth of them late."""
    del told  # it has used the topics, which are made anew
    async with empty_gridtally(stack_servers) as running:
        return await tell(running, deliver=garbled, echo=True)
