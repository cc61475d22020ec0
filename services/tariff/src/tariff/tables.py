"""The catalogue's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. The rules that only SQL knows (row-level security, immutable
versions) stand in the migrations.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()
_INSTANT = sa.DateTime(timezone=True)


def _key() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
    )


def _stamps() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    )


region = sa.Table(
    "region",
    METADATA,
    *_key(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    *_stamps(),
    sa.UniqueConstraint("tenant_id", "code", name="region_code"),
    sa.Index("region_by_age", "tenant_id", "created_at", "id"),
)
tariff = sa.Table(
    "tariff",
    METADATA,
    *_key(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("region_id", sa.Uuid),
    *_stamps(),
    sa.UniqueConstraint("tenant_id", "code", name="tariff_code"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "region_id"], ["region.tenant_id", "region.id"], name="tariff_region"
    ),
    sa.Index("tariff_by_age", "tenant_id", "created_at", "id"),
    sa.Index("tariff_by_region", "tenant_id", "region_id"),
)
version = sa.Table(
    "tariff_version",
    METADATA,
    *_key(),
    sa.Column("tariff_id", sa.Uuid, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("effective_to", sa.Date),
    sa.Column("document", JSONB, nullable=False),
    *_stamps(),
    sa.UniqueConstraint("tenant_id", "tariff_id", "number", name="tariff_version_number"),
    sa.ForeignKeyConstraint(["tenant_id", "tariff_id"], ["tariff.tenant_id", "tariff.id"]),
    sa.Index("tariff_version_in_force", "tenant_id", "tariff_id", "effective_from"),
)
