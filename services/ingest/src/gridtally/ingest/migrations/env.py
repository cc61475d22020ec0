"""Alembic's entry: which models ingest's database follows."""

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.migrations import run_environment
from gridtally.ingest.tables import METADATA

run_environment([METADATA, gridtally.messaging.tables.METADATA, gridtally.http.keys.METADATA])
