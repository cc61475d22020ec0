"""Alembic's entry: which models simulation's database follows."""

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.migrations import run_environment
from gridtally.simulation.tables import METADATA

run_environment(
    [
        METADATA,
        gridtally.messaging.tables.METADATA,
        gridtally.http.keys.METADATA,
        gridtally.http.idempotency.METADATA,
    ]
)
