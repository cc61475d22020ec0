"""At which property a meter measures, by which a live stream is chosen.

Meters that were registered before say it in their topic, which keeps the newest of each: it is read
again from its beginning, and the same version again changes nothing else.
"""

from alembic import op

revision = "0016"
down_revision = "0015"

_STATEMENTS = """
ALTER TABLE meter ADD property_id uuid;
CREATE INDEX meter_of_property ON meter (tenant_id, property_id);
DELETE FROM consumed WHERE topic = 'meter.registered.v1'
"""


def upgrade() -> None:
    """No meter's property is known until its registration is read again."""
    for statement in _STATEMENTS.split(";\n"):
        op.execute(statement)
