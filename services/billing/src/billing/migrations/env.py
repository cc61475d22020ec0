"""Where Alembic finds billing's tables."""

import messaging.tables
import serving.keys
from billing.tables import METADATA
from database.migrations import run_environment

run_environment([METADATA, messaging.tables.METADATA, serving.keys.METADATA])
