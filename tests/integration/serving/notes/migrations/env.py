"""Alembic's entry point."""

from notes.tables import METADATA

import messaging.tables
import serving.keys
from database.migrations import run_environment

run_environment([METADATA, messaging.tables.METADATA, serving.keys.METADATA])
