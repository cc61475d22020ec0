"""The tariff service's composition root."""

from database import Database
from messaging import Publisher
from serving.service import Parts, Service
from tariff.api import ROUTERS
from tariff.settings import Settings


def build(_settings: Settings, _database: Database, _publisher: Publisher) -> Parts:
    """The API alone: the catalogue listens to nobody."""
    return Parts(routers=ROUTERS)


SERVICE = Service("tariff", Settings, build)
