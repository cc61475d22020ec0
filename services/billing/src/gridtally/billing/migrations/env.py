"""Where Alembic finds billing's tables."""

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.billing.tables import METADATA
from gridtally.database.migrations import run_environment

run_environment(
    [
        METADATA,
        gridtally.messaging.tables.METADATA,
        gridtally.http.keys.METADATA,
        gridtally.http.idempotency.METADATA,
    ]
)
