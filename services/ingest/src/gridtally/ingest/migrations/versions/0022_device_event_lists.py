"""Lists of events of devices: those of a kind, and those of tampering, of all meters."""

from alembic import op

revision = "0022"
down_revision = "0021"

STATEMENTS = (
    "CREATE INDEX device_event_by_kind ON device_event (tenant_id, kind, happened_at, id)",
    """
CREATE INDEX device_event_of_tenant_tampering ON device_event (tenant_id, happened_at, id)
 WHERE severity = 'tamper'""",
)


def upgrade() -> None:
    """Without them a rare kind is looked for in all events of the tenant."""
    for statement in STATEMENTS:
        op.execute(statement)
