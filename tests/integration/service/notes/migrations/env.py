"""Alembic's entry point."""

from notes.tables import METADATA

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.migrations import run_environment

run_environment([METADATA, gridtally.messaging.tables.METADATA, gridtally.http.keys.METADATA])
