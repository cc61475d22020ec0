"""Engine, the one transaction helper, migrations under a lock, COPY."""

from gridtally.database.bound_customers import bind_customer, bound_customer, for_all_customers
from gridtally.database.connections import ReadConnection, WriteConnection
from gridtally.database.engine import AccessRefused, Database
from gridtally.database.transactions import ALL_TENANTS, snapshot, transaction

__all__ = [
    "ALL_TENANTS",
    "AccessRefused",
    "Database",
    "ReadConnection",
    "WriteConnection",
    "bind_customer",
    "bound_customer",
    "for_all_customers",
    "snapshot",
    "transaction",
]
