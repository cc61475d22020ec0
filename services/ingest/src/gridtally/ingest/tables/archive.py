"""How long readings stay in the database, and what has left it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.database.columns import INSTANT, key, required, tenant
from gridtally.ingest.tables.metadata import METADATA

archive_settings = sa.Table(
    "archive_settings",
    METADATA,
    tenant(),
    sa.Column("months", sa.SmallInteger),
    required("version", sa.Integer),
)
archived_shard = sa.Table(
    "archived_shard",
    METADATA,
    tenant(),
    key("month_on", sa.Date),
    key("shard", sa.SmallInteger),
    required("meter_from", sa.Uuid),
    required("meter_to", sa.Uuid),
    required("generation", sa.Integer),
    required("days", sa.Integer),
    required("day_bytes", sa.BigInteger),
    required("day_sha256", sa.Text),
    required("blocks", sa.Integer),
    required("block_bytes", sa.BigInteger),
    required("block_sha256", sa.Text),
    required("events", sa.Integer),
    required("energy", JSONB),
    required("archived_at", INSTANT),
)
recalled_day = sa.Table(
    "recalled_day",
    METADATA,
    tenant(),
    key("meter_id"),
    key("flow", sa.Text),
    key("minutes", sa.SmallInteger),
    key("day", sa.Date),
    required("events", sa.Integer),
    required("present", sa.Integer),
    required("energy_wh", sa.BigInteger),
    required("recalled_at", INSTANT),
)
