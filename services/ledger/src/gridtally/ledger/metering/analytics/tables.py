"""The table of what derived meters are sums of."""

import sqlalchemy as sa

from gridtally.database.columns import INSTANT, key, required, tenant
from gridtally.ledger.columns import CLOCK, METADATA, entry_id

definition = sa.Table(
    "definition",
    METADATA,
    tenant(),
    key("meter_id"),
    key("version", sa.Integer),
    required("from_on", sa.Date),
    required("meter_ids", sa.ARRAY(sa.Uuid)),
    required("flows", sa.ARRAY(sa.Text)),
    required("signs", sa.ARRAY(sa.SmallInteger)),
    sa.Column("created_at", INSTANT, nullable=False, server_default=CLOCK),
    entry_id(),
    sa.UniqueConstraint("tenant_id", "id", name="definition_entry"),
)
