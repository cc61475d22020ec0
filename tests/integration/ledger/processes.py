"""What a process of the ledger hands to its parts, where a test runs one of them."""

import asyncio

from gridtally.http.context import utc_now
from gridtally.ledger.settings import Settings
from gridtally.service.service import Process


def process_of(database):
    """A process whose parts need no publisher, with the settings that there are by default."""
    settings = Settings(database_url="postgresql://x/x", kafka_bootstrap_servers="unused:1")
    return Process("ledger", settings, database, None, utc_now, asyncio.Event())
