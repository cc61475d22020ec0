"""The ledger's composition root."""

from datetime import UTC, datetime

from database import Database
from ledger.api import ROUTERS
from ledger.consumers import SUBSCRIPTIONS
from ledger.loops import loops
from ledger.settings import Settings
from messaging import Publisher
from serving.service import Parts, Service


def build(_settings: Settings, database: Database, _publisher: Publisher) -> Parts:
    """The API, the consumers and the loops; the outbox is the relay's."""
    return Parts(
        routers=ROUTERS,
        subscriptions=SUBSCRIPTIONS,
        loops=loops(database, lambda: datetime.now(UTC)),
    )


SERVICE = Service("ledger", Settings, build)
