"""Alembic's entry: which models ingest's database follows."""

import messaging.tables
import serving.keys
from database.migrations import run_environment
from ingest.tables import METADATA

run_environment([METADATA, messaging.tables.METADATA, serving.keys.METADATA])
