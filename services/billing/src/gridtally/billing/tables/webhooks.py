"""The tables of webhooks: endpoints, messages and attempts."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import INSTANT, key, required, stamps, tenant

webhook_endpoint = sa.Table(
    "webhook_endpoint",
    METADATA,
    tenant(),
    key(),
    required("url", sa.Text),
    required("types", JSONB),
    sa.Column("description", sa.Text),
    required("state", sa.Text),
    sa.Column("disabled_reason", sa.Text),
    required("secret_number", sa.Integer),
    sa.Column("earlier_secret_until", INSTANT),
    sa.Column("failing_since", INSTANT),
    *stamps(),
    sa.CheckConstraint("state IN ('active', 'disabled')", name="webhook_endpoint_state"),
    sa.CheckConstraint(
        "(state = 'disabled') = (disabled_reason IS NOT NULL)", name="webhook_endpoint_reason"
    ),
    sa.CheckConstraint("secret_number >= 1", name="webhook_endpoint_secret"),
)
"""Where a tenant wants messages to be posted; secrets are not stored, but counted."""

webhook_message = sa.Table(
    "webhook_message",
    METADATA,
    tenant(),
    key(),
    required("endpoint_id", sa.Uuid),
    required("type", sa.Text),
    required("body", sa.LargeBinary),
    required("state", sa.Text),
    required("attempts", sa.Integer),
    required("attempts_before", sa.Integer),
    required("due_at", INSTANT),
    required("created_at", INSTANT),
    sa.ForeignKeyConstraint(
        ["tenant_id", "endpoint_id"],
        ["webhook_endpoint.tenant_id", "webhook_endpoint.id"],
        ondelete="CASCADE",
    ),
    sa.CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="webhook_message_state"),
    sa.CheckConstraint("attempts >= attempts_before", name="webhook_message_attempts"),
    sa.Index(
        "webhook_message_due",
        "tenant_id",
        "endpoint_id",
        "due_at",
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index("webhook_message_newest", "tenant_id", "endpoint_id", "created_at", "id"),
    sa.Index("webhook_message_by_age", "created_at"),
)
"""What is to be posted to an endpoint. A pending message that is at work is due again only after a
while, so that one whose process was killed is posted once more."""

webhook_attempt = sa.Table(
    "webhook_attempt",
    METADATA,
    tenant(),
    key("message_id"),
    key("number", sa.Integer),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text),
    required("answer", sa.Text),
    required("took_ms", sa.Integer),
    required("attempted_at", INSTANT),
    sa.ForeignKeyConstraint(
        ["tenant_id", "message_id"],
        ["webhook_message.tenant_id", "webhook_message.id"],
        ondelete="CASCADE",
    ),
    sa.CheckConstraint("number >= 1", name="webhook_attempt_number"),
)
