"""The ledger's composition root."""

from database import Database
from ledger.api import ROUTERS
from ledger.consumers import SUBSCRIPTIONS
from ledger.settings import Settings
from messaging import Publisher
from serving.service import Parts, Service


def build(_settings: Settings, _database: Database, _publisher: Publisher) -> Parts:
    """The API and the three consumers."""
    return Parts(routers=ROUTERS, subscriptions=SUBSCRIPTIONS)


SERVICE = Service("ledger", Settings, build)
