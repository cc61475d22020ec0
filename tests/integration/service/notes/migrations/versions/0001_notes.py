"""Notes, keys and the delivery tables."""

from alembic import op
from notes.tables import METADATA

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.security import isolate_tenants

revision = "0001"
down_revision = None


def upgrade():
    METADATA.create_all(op.get_bind())
    isolate_tenants(op, "note")
    gridtally.messaging.tables.create(op.get_bind())
    gridtally.http.keys.create(op.get_bind())
