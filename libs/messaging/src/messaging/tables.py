"""The tables that the delivery protocol needs in every service's database.

`consumed` holds the next offset per consumer and partition, `outbox` what waits for the broker,
`dead_letter` what could not be understood, `broker` whose log the offsets belong to.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()
OUTBOX_SHARDS = 16
"""Keys are spread over so many shards; one relay at a time holds a shard, which keeps order."""

consumed = sa.Table(
    "consumed",
    METADATA,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("next", sa.BigInteger, nullable=False),
)
outbox_shard = sa.Table(
    "outbox_shard",
    METADATA,
    sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
)
outbox = sa.Table(
    "outbox",
    METADATA,
    sa.Column("shard", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("value", sa.LargeBinary),
)
dead_letter = sa.Table(
    "dead_letter",
    METADATA,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("value", sa.LargeBinary),
    sa.Column("dead_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
broker = sa.Table(
    "broker",
    METADATA,
    sa.Column("cluster_id", sa.Text, primary_key=True),
    sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
)


def create(bind: sa.Connection) -> None:
    """Create them all, from a service's first migration."""
    METADATA.create_all(bind, checkfirst=False)
    bind.execute(outbox_shard.insert(), [{"shard": shard} for shard in range(OUTBOX_SHARDS)])
    bind.exec_driver_sql(
        "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, "
        "autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0)"
    )
