"""Billing put together: the one place that knows all its parts."""

from datetime import UTC, datetime

from billing.api import ROUTERS
from billing.consumers import subscriptions
from billing.loops import loops
from billing.settings import Settings
from database import Database
from messaging import Publisher
from serving.service import Parts, Service


def build(_settings: Settings, database: Database, _publisher: Publisher) -> Parts:
    """What a process of billing runs; its outbox is the relay's."""
    return Parts(
        routers=ROUTERS,
        subscriptions=subscriptions(),
        loops=loops(database, lambda: datetime.now(UTC)),
    )


SERVICE = Service("billing", Settings, build)
