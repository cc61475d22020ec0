"""The tables that the delivery protocol needs in every service's database.

`consumed` holds the next offset per consumer and partition, `outbox` what is to be published,
`dead_letter` what could not be understood, `dead_letter_count` what of that is not stored (any
more), `broker` whose log the offsets belong to.
"""

import sqlalchemy as sa

from gridtally.contracts.envelope import TENANT_PATTERN
from gridtally.database.security import Migrating, isolate_tenants

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
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("tenant_id", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("value", sa.LargeBinary),
    sa.Column("value_bytes", sa.Integer, nullable=False),
    sa.Column("dead_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("status", sa.Text, nullable=False, server_default="open"),
    sa.Column("replays", sa.Integer, nullable=False, server_default="0"),
    sa.Column("refused_because", sa.Text),
    sa.Column("resolved_at", sa.DateTime(timezone=True)),
    sa.Column("resolved_by", sa.Text),
    sa.Column("discarded_because", sa.Text),
    sa.UniqueConstraint("id", name="dead_letter_id"),
    sa.CheckConstraint("status IN ('open', 'replayed', 'discarded')", name="dead_letter_status"),
    sa.Index("dead_letter_newest", "tenant_id", "dead_at", "id"),
    sa.Index(
        "dead_letter_open",
        "tenant_id",
        "topic",
        postgresql_include=["value_bytes"],
        postgresql_where=sa.text("status = 'open'"),
    ),
    sa.Index("dead_letter_by_age", "dead_at"),
)
"""`tenant_id` is the one that the message names, null where it names none: only workers and the
operator see such rows. A letter that was replayed or discarded has no value any more, but
`value_bytes`, who did it and why. `refused_because` is why the last replay failed."""

dead_letter_count = sa.Table(
    "dead_letter_count",
    METADATA,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("dropped", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expired", sa.BigInteger, nullable=False, server_default="0"),
)
"""How many letters of a tenant (`-` where it is unknown) were never stored, since its quota was
full, and how many were deleted unresolved, since they were too old."""

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


# A new database has the columns already, since `create` makes the tables as they are by now.
_EXTEND = (
    """
ALTER TABLE dead_letter
  ADD COLUMN IF NOT EXISTS id uuid, ADD COLUMN IF NOT EXISTS tenant_id text,
  ADD COLUMN IF NOT EXISTS value_bytes integer,
  ADD COLUMN IF NOT EXISTS status text NOT NULL DEFAULT 'open',
  ADD COLUMN IF NOT EXISTS replays integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS refused_because text,
  ADD COLUMN IF NOT EXISTS resolved_at timestamptz, ADD COLUMN IF NOT EXISTS resolved_by text,
  ADD COLUMN IF NOT EXISTS discarded_because text
""",
    f"""
UPDATE dead_letter d
   SET id = gen_random_uuid(), value_bytes = coalesce(length(value), 0),
       tenant_id = (SELECT h ->> 1 FROM json_array_elements(
                      CASE WHEN d.headers::text LIKE '%\\u0000%' THEN '[]' ELSE d.headers END) h
                     WHERE h ->> 0 = 'ce_tenantid' AND h ->> 1 ~ '{TENANT_PATTERN}' LIMIT 1)
 WHERE id IS NULL
""",  # noqa: S608 - the pattern is ours
    "ALTER TABLE dead_letter ALTER COLUMN id SET NOT NULL, ALTER COLUMN value_bytes SET NOT NULL",
    (
        "ALTER TABLE dead_letter DROP CONSTRAINT IF EXISTS dead_letter_id, "
        "ADD CONSTRAINT dead_letter_id UNIQUE (id)"
    ),
    (
        "ALTER TABLE dead_letter DROP CONSTRAINT IF EXISTS dead_letter_status, "
        "ADD CONSTRAINT dead_letter_status CHECK (status IN ('open', 'replayed', 'discarded'))"
    ),
    "CREATE INDEX IF NOT EXISTS dead_letter_newest ON dead_letter (tenant_id, dead_at, id)",
    (
        "CREATE INDEX IF NOT EXISTS dead_letter_open ON dead_letter (tenant_id, topic) "
        "INCLUDE (value_bytes) WHERE status = 'open'"
    ),
    "CREATE INDEX IF NOT EXISTS dead_letter_by_age ON dead_letter (dead_at)",
    """
CREATE TABLE IF NOT EXISTS dead_letter_count (
  tenant_id text NOT NULL, topic text NOT NULL,
  dropped bigint NOT NULL DEFAULT 0, expired bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, topic))
""",
)


def extend_dead_letters(op: Migrating) -> None:
    """Give dead letters their tenants and what became of them, from a service's migration."""
    for statement in _EXTEND:
        op.execute(statement)
    isolate_tenants(op, "dead_letter", "dead_letter_count")
