"""Alembic's entry: which models the ledger's database follows."""

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.migrations import run_environment
from gridtally.ledger.tables import METADATA

run_environment(
    [
        METADATA,
        gridtally.messaging.tables.METADATA,
        gridtally.http.keys.METADATA,
        gridtally.http.idempotency.METADATA,
    ]
)
