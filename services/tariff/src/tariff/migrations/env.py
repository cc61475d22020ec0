"""Alembic's entry: which models the catalogue's database follows."""

import messaging.tables
import serving.keys
from database.migrations import run_environment
from tariff.tables import METADATA

run_environment([METADATA, messaging.tables.METADATA, serving.keys.METADATA])
