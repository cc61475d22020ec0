"""One table of notes."""

import sqlalchemy as sa

METADATA = sa.MetaData()
note = sa.Table(
    "note",
    METADATA,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, primary_key=True),
    sa.Column("correlation_id", sa.Text, nullable=False),
)
