"""The catalogue's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. The rules that only SQL knows (row-level security, immutable
versions, prices that are only added to) stand in the migrations.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = sa.MetaData()
_INSTANT = sa.DateTime(timezone=True)


def _key() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
    )


def _named() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
    )


def _stamps() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    )


def _last_number() -> sa.Column[Any]:
    """The highest number that a version ever had, so that none is given twice."""
    return sa.Column("last_number", sa.Integer, nullable=False, server_default="0")


region = sa.Table(
    "region",
    METADATA,
    *_key(),
    *_named(),
    sa.Column("zone", sa.Text, nullable=False),
    *_stamps(),
    sa.Column("kind", sa.Text, nullable=False, server_default="municipality"),
    sa.Column("parent_id", sa.Uuid),
    sa.UniqueConstraint("tenant_id", "code", name="region_code"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "parent_id"], ["region.tenant_id", "region.id"], name="region_parent"
    ),
    sa.Index("region_by_age", "tenant_id", "created_at", "id"),
    sa.Index("region_by_parent", "tenant_id", "parent_id"),
)
tariff = sa.Table(
    "tariff",
    METADATA,
    *_key(),
    *_named(),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("region_id", sa.Uuid),
    *_stamps(),
    _last_number(),
    sa.UniqueConstraint("tenant_id", "code", name="tariff_code"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "region_id"], ["region.tenant_id", "region.id"], name="tariff_region"
    ),
    sa.Index("tariff_by_age", "tenant_id", "created_at", "id"),
    sa.Index("tariff_by_region", "tenant_id", "region_id"),
)
calendar = sa.Table(
    "calendar",
    METADATA,
    *_key(),
    *_named(),
    _last_number(),
    *_stamps(),
    sa.UniqueConstraint("tenant_id", "code", name="calendar_code"),
    sa.Index("calendar_by_age", "tenant_id", "created_at", "id"),
)
calendar_version = sa.Table(
    "calendar_version",
    METADATA,
    *_key(),
    sa.Column("calendar_id", sa.Uuid, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("published_at", _INSTANT),
    sa.Column("published_by", sa.Text),
    *_stamps(),
    sa.UniqueConstraint("tenant_id", "calendar_id", "number", name="calendar_version_number"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "calendar_id"],
        ["calendar.tenant_id", "calendar.id"],
        name="calendar_version_calendar",
    ),
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
    sa.Column("note", sa.Text),
    sa.Column("calendar_id", sa.Uuid),
    sa.Column("calendar_number", sa.Integer),
    sa.Column("published_at", _INSTANT),
    sa.Column("published_by", sa.Text),
    sa.Column("withdrawn_at", _INSTANT),
    sa.Column("withdrawn_by", sa.Text),
    sa.Column("withdrawn_from", sa.Date),
    sa.Column("withdrawal_reason", sa.Text),
    sa.UniqueConstraint("tenant_id", "tariff_id", "number", name="tariff_version_number"),
    sa.ForeignKeyConstraint(["tenant_id", "tariff_id"], ["tariff.tenant_id", "tariff.id"]),
    sa.ForeignKeyConstraint(
        ["tenant_id", "calendar_id", "calendar_number"],
        [f"calendar_version.{name}" for name in ("tenant_id", "calendar_id", "number")],
        name="tariff_version_calendar",
    ),
    sa.Index("tariff_version_in_force", "tenant_id", "tariff_id", "effective_from"),
)
price_series = sa.Table(
    "price_series",
    METADATA,
    *_key(),
    *_named(),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("minutes", sa.SmallInteger, nullable=False),
    *_stamps(),
    sa.UniqueConstraint("tenant_id", "code", name="price_series_code"),
    sa.Index("price_series_by_age", "tenant_id", "created_at", "id"),
)
price_day = sa.Table(
    "price_day",
    METADATA,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("series_id", sa.Uuid, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("prices", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("recorded_at", _INSTANT, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
)
"""Without a foreign key, whose checks would lock rows that nobody may: who adds days or deletes a
series holds the row of the series."""
