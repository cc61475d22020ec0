"""A migrated tariff service, its API without a socket, and keys for two tenants."""

import pytest

from gridtally.database import Database
from gridtally.tariff.api import ROUTERS
from gridtally.tariff.settings import Settings
from integration.apps import app_of


@pytest.fixture
async def catalogue_url(service_url):
    return await service_url("tariff")


@pytest.fixture
async def catalogue(catalogue_url):
    async with await Database.connect(catalogue_url, application="test") as opened:
        yield opened


@pytest.fixture
def clients(catalogue, catalogue_url, clients_of):
    """Opens a client of the API: `acme = await clients("acme", "tariff:read", …)`."""
    settings = Settings(database_url=catalogue_url, kafka_bootstrap_servers="unused:1")
    return clients_of(app_of("tariff", ROUTERS, database=catalogue, settings=settings), catalogue)
