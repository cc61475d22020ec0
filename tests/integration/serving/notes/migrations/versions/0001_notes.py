"""Notes, keys and the delivery tables."""

from alembic import op
from notes.tables import METADATA

import messaging.tables
import serving.keys
from database.security import isolate_tenants

revision = "0001"
down_revision = None


def upgrade():
    METADATA.create_all(op.get_bind())
    isolate_tenants(op, "note")
    messaging.tables.create(op.get_bind())
    serving.keys.create(op.get_bind())
