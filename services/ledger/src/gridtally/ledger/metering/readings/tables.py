"""The table of readings, whose entries are never changed."""

import sqlalchemy as sa

from gridtally.database.columns import INSTANT, key, required, tenant
from gridtally.ledger.columns import CLOCK, METADATA, beside_the_chain, erased, register_columns

reading_entry = sa.Table(
    "reading_entry",
    METADATA,
    tenant(),
    key(),
    required("reading_id", sa.Uuid),
    required("version", sa.Integer),
    sa.Column("supersedes_id", sa.Uuid),
    required("meter_id", sa.Uuid),
    required("property_id", sa.Uuid),
    required("flow", sa.Text),
    required("kind", sa.Text),
    sa.Column("exchange_id", sa.Uuid),
    required("value", sa.Numeric),
    *register_columns(),
    required("quality", sa.Text),
    required("note", sa.Text),
    required("read_at", INSTANT),
    sa.Column("created_at", INSTANT, nullable=False, server_default=CLOCK),
    required("correlation_id", sa.Text),
    *beside_the_chain(),
    erased("reading_entry"),
    sa.UniqueConstraint("tenant_id", "reading_id", "version", name="reading_entry_version"),
    sa.Index("reading_entry_by_meter", "tenant_id", "meter_id", "read_at", "reading_id"),
    sa.Index("reading_entry_by_property", "tenant_id", "property_id", "read_at", "reading_id"),
    sa.Index("reading_entry_by_moment", "tenant_id", "read_at", "reading_id"),
    sa.Index(
        "reading_entry_exchanges",
        "tenant_id",
        "meter_id",
        "read_at",
        postgresql_where=sa.text("kind = 'exchange_final'"),
    ),
)
customer_reading = sa.Table(
    "customer_reading",
    METADATA,
    tenant(),
    key("entry_id"),
    required("customer_id", sa.Uuid),
)
"""Which entries a customer has sent. Beside the chain, so that what is sealed stays as it is; not
published, so that after a restore what is adopted is the supplier's."""
