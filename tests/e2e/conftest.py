"""The main job, run once on an empty Gridtally for all tests that look at it."""

import pytest

from e2e.deliveries import garbled
from e2e.installation import empty_gridtally
from e2e.main_job import MainJob, run_main_job


@pytest.fixture(scope="session")
async def main_job(stack_servers) -> MainJob:
    """The main job as it should go."""
    async with empty_gridtally(stack_servers) as running:
        return await run_main_job(running)


@pytest.fixture(scope="session")
async def garbled_job(stack_servers, main_job) -> MainJob:
    """The same job afterwards, with every message twice and a tenth of them late."""
    del main_job  # it has used the topics, which are now made again
    async with empty_gridtally(stack_servers) as running:
        return await run_main_job(running, deliver=garbled, echo=True)


@pytest.fixture(scope="module")
async def api(stack_servers):
    """The APIs of an empty Gridtally."""
    async with (
        empty_gridtally(stack_servers) as running,
        running.installation.as_tenant() as tenant,
    ):
        yield tenant
