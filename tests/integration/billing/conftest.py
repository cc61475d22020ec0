"""Billing's own database, and a tenant with customers, meters and tariffs in it."""

import pytest

from doubles.billing import events as billing_events
from doubles.billing.worlds import StoredWorld
from gridtally.billing.api import ROUTERS
from gridtally.billing.app import webhook_access
from gridtally.billing.settings import Settings
from gridtally.database import Database
from integration.apps import app_of


@pytest.fixture
async def migrated_url(service_url):
    """The URL of a fresh database with billing's schema."""
    return await service_url("billing")


@pytest.fixture
async def billing_database(migrated_url):
    """Billing's database, opened."""
    async with await Database.connect(migrated_url, application="test") as database:
        yield database


@pytest.fixture
def world(billing_database):
    """One tenant."""
    return StoredWorld(billing_database)


@pytest.fixture
def make():
    """Builders of events and agreements, and the constants they use."""
    return billing_events


@pytest.fixture
def clients(billing_database, migrated_url, clients_of):
    """Opens a client of the API: `acme = await clients("acme", "billing:read", …)`."""
    settings = Settings(
        database_url=migrated_url,
        kafka_bootstrap_servers="unused:1",
        webhook_secret_key="k" * 32,
        webhook_networks_allowed="127.0.0.0/8",
    )
    state = {"webhooks": webhook_access(settings)}
    app = app_of("billing", ROUTERS, database=billing_database, settings=settings, state=state)
    return clients_of(app, billing_database)
