"""Alembic's entry: which models the ledger's database follows."""

import messaging.tables
import serving.idempotency
import serving.keys
from database.migrations import run_environment
from ledger.tables import METADATA

run_environment(
    [
        METADATA,
        messaging.tables.METADATA,
        serving.keys.METADATA,
        serving.idempotency.METADATA,
    ]
)
