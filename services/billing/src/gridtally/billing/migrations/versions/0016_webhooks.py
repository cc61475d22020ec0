"""Webhooks: endpoints, the messages for each, and every attempt to deliver one."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0016"
down_revision = "0015"


_ENDPOINT = """
CREATE TABLE webhook_endpoint (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    types jsonb NOT NULL,
    description text,
    state text NOT NULL,
    disabled_reason text,
    secret_number integer NOT NULL,
    earlier_secret_until timestamptz,
    failing_since timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_endpoint_state CHECK (state IN ('active', 'disabled')),
    CONSTRAINT webhook_endpoint_reason
        CHECK ((state = 'disabled') = (disabled_reason IS NOT NULL)),
    CONSTRAINT webhook_endpoint_secret CHECK (secret_number >= 1)
)
"""
_MESSAGE = """
CREATE TABLE webhook_message (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    attempts_before integer NOT NULL,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoint (tenant_id, id)
        ON DELETE CASCADE,
    CONSTRAINT webhook_message_state CHECK (state IN ('pending', 'delivered', 'failed')),
    CONSTRAINT webhook_message_attempts CHECK (attempts >= attempts_before)
)
"""
_ATTEMPT = """
CREATE TABLE webhook_attempt (
    tenant_id text NOT NULL,
    message_id uuid NOT NULL,
    number integer NOT NULL,
    status integer,
    error text,
    answer text NOT NULL,
    took_ms integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, message_id, number),
    FOREIGN KEY (tenant_id, message_id) REFERENCES webhook_message (tenant_id, id)
        ON DELETE CASCADE,
    CONSTRAINT webhook_attempt_number CHECK (number >= 1)
)
"""


def upgrade() -> None:
    """Secrets are not stored: they follow from the installation's key, and are counted."""
    op.execute(_ENDPOINT)
    op.execute(_MESSAGE)
    op.execute(
        "CREATE INDEX webhook_message_due ON webhook_message (tenant_id, endpoint_id, due_at) "
        "WHERE state = 'pending'"
    )
    op.execute(
        "CREATE INDEX webhook_message_newest ON webhook_message "
        "(tenant_id, endpoint_id, created_at, id)"
    )
    op.execute("CREATE INDEX webhook_message_by_age ON webhook_message (created_at)")
    op.execute(_ATTEMPT)
    isolate_tenants(op, "webhook_endpoint", "webhook_message", "webhook_attempt")
