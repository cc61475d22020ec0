"""Ingest's composition root."""

from datetime import UTC, datetime

from database import Database
from ingest.api import routers
from ingest.consumers import subscriptions
from ingest.handlers.recording import Recorder
from ingest.loops import loops
from ingest.settings import Settings
from ingest.store.meters import Meters
from ingest.store.partitions import Partitions
from messaging import Publisher
from serving.service import Parts, Service


def utc_now() -> datetime:
    """The clock of the whole service."""
    return datetime.now(UTC)


def build(settings: Settings, database: Database, publisher: Publisher) -> Parts:
    """The API, the consumers and the loops."""
    recorder = Recorder(Meters(), Partitions(), settings.announce_delay)
    return Parts(
        routers=routers(recorder, publisher, utc_now),
        subscriptions=subscriptions(settings, recorder, utc_now),
        loops=loops(settings, database, publisher, recorder, utc_now),
    )


SERVICE = Service("ingest", Settings, build)
