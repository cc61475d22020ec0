"""The chain's tables: entries that wait for their seal, heads, seals and checkpoints."""

import sqlalchemy as sa

from gridtally.database.columns import INSTANT, tenant
from gridtally.ledger.columns import METADATA, entry_id

entry_queue = sa.Table(
    "entry_queue",
    METADATA,
    tenant(),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Uuid, nullable=False),
    sa.Column("queued_at", INSTANT, nullable=False, server_default=sa.func.now()),
)
chain_head = sa.Table(
    "chain_head",
    METADATA,
    tenant(),
    sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("head", sa.LargeBinary),
    sa.Column("peaks", sa.LargeBinary, nullable=False, server_default=""),
)
erased_entry = sa.Table(
    "erased_entry",
    METADATA,
    tenant(),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("entry_id", sa.Uuid, primary_key=True),
    entry_id(),
    sa.Column("erased_at", INSTANT, nullable=False),
    sa.Column("erased_by", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger),
    sa.Column("leaf", sa.LargeBinary),
    sa.Column("rest", sa.LargeBinary),
    sa.UniqueConstraint("tenant_id", "id", name="erased_entry_entry"),
    sa.Index("erased_entry_by_id", "tenant_id", "entry_id"),
    sa.CheckConstraint(
        "(seq IS NULL) = (leaf IS NULL) AND (seq IS NULL) = (rest IS NULL)",
        name="erased_entry_rest",
    ),
)
"""Entries whose texts were erased; of those that were sealed with their texts where they stand, the
leaf, and the hash of what is left."""
seal = sa.Table(
    "seal",
    METADATA,
    tenant(),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Uuid, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("head", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("tenant_id", "kind", "entry_id", name="seal_one_per_entry"),
)
checkpoint = sa.Table(
    "checkpoint",
    METADATA,
    tenant(),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("head", sa.LargeBinary, nullable=False),
    sa.Column("peaks", sa.LargeBinary, nullable=False),
    sa.Column("chunk_root", sa.LargeBinary, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
)
