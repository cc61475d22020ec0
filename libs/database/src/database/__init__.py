"""Engine, the one transaction helper, migrations under a lock, COPY."""

from database.connections import ReadConnection, WriteConnection
from database.engine import AccessRefused, Database
from database.transactions import ALL_TENANTS, snapshot, transaction

__all__ = [
    "ALL_TENANTS",
    "AccessRefused",
    "Database",
    "ReadConnection",
    "WriteConnection",
    "snapshot",
    "transaction",
]
