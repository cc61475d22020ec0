"""Whose meters are whose: the customers of agreements, so that a customer reads its own alone."""

from alembic import op

revision = "0037"
down_revision = "0036"

# The agreements that are here name no customer. Their topic is compacted and has each of them, so
# it is read again from its beginning: versions begin anew, so that what comes is taken. Should the
# old version, which may still run, read it first, an agreement gets its customer when it changes.
_CHANGES = """
ALTER TABLE meter_agreement ADD COLUMN customer_id uuid;
UPDATE meter_agreement SET version = 0;
DELETE FROM consumed WHERE topic = 'agreement.changed.v1';
CREATE INDEX meter_agreement_by_customer ON meter_agreement (tenant_id, customer_id);
CREATE INDEX property_by_customer ON property (tenant_id, customer_id)
 WHERE customer_id IS NOT NULL
"""


def upgrade() -> None:
    """A column that is null until the agreement comes again, and two indexes."""
    # Without a tenant no row would be seen, by the tables' owner either.
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in _CHANGES.strip().split(";\n"):
        op.execute(statement)
