"""The catalogue's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. The rules that only SQL knows (row-level security, immutable
versions, prices that are only added to) stand in the migrations.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gridtally.database.columns import INSTANT, key, required, stamps, tenant

METADATA = sa.MetaData()


def _named() -> tuple[sa.Column[Any], ...]:
    return required("code", sa.Text), required("name", sa.Text)


def _last_number() -> sa.Column[Any]:
    """The highest number that a version ever had, so that none is given twice."""
    return sa.Column("last_number", sa.Integer, nullable=False, server_default="0")


region = sa.Table(
    "region",
    METADATA,
    tenant(),
    key(),
    *_named(),
    required("zone", sa.Text),
    *stamps(),
    sa.Column("kind", sa.Text, nullable=False, server_default="municipality"),
    sa.Column("parent_id", sa.Uuid),
    sa.Column("published_version", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("tenant_id", "code", name="region_code"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "parent_id"], ["region.tenant_id", "region.id"], name="region_parent"
    ),
    sa.Index("region_by_age", "tenant_id", "created_at", "id"),
    sa.Index("region_by_parent", "tenant_id", "parent_id"),
    sa.Index(
        "region_to_publish",
        "tenant_id",
        "id",
        postgresql_where=sa.text("published_version < version"),
    ),
)
tariff = sa.Table(
    "tariff",
    METADATA,
    tenant(),
    key(),
    *_named(),
    required("currency", sa.Text),
    required("zone", sa.Text),
    sa.Column("region_id", sa.Uuid),
    *stamps(),
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
    tenant(),
    key(),
    *_named(),
    _last_number(),
    *stamps(),
    sa.UniqueConstraint("tenant_id", "code", name="calendar_code"),
    sa.Index("calendar_by_age", "tenant_id", "created_at", "id"),
)
calendar_version = sa.Table(
    "calendar_version",
    METADATA,
    tenant(),
    key(),
    required("calendar_id", sa.Uuid),
    required("number", sa.Integer),
    required("status", sa.Text),
    required("document", JSONB),
    sa.Column("published_at", INSTANT),
    sa.Column("published_by", sa.Text),
    *stamps(),
    sa.UniqueConstraint("tenant_id", "calendar_id", "number", name="calendar_version_number"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "calendar_id"],
        ["calendar.tenant_id", "calendar.id"],
        name="calendar_version_calendar",
    ),
)
tariff_version = sa.Table(
    "tariff_version",
    METADATA,
    tenant(),
    key(),
    required("tariff_id", sa.Uuid),
    required("number", sa.Integer),
    required("status", sa.Text),
    required("effective_from", sa.Date),
    sa.Column("effective_to", sa.Date),
    required("document", JSONB),
    *stamps(),
    sa.Column("note", sa.Text),
    sa.Column("calendar_id", sa.Uuid),
    sa.Column("calendar_number", sa.Integer),
    sa.Column("published_at", INSTANT),
    sa.Column("published_by", sa.Text),
    sa.Column("withdrawn_at", INSTANT),
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
    tenant(),
    key(),
    *_named(),
    required("currency", sa.Text),
    required("zone", sa.Text),
    required("minutes", sa.SmallInteger),
    *stamps(),
    sa.UniqueConstraint("tenant_id", "code", name="price_series_code"),
    sa.Index("price_series_by_age", "tenant_id", "created_at", "id"),
)
price_day = sa.Table(
    "price_day",
    METADATA,
    tenant(),
    key("series_id"),
    key("day", sa.Date),
    key("version", sa.Integer),
    required("prices", ARRAY(sa.BigInteger)),
    required("recorded_at", INSTANT),
    required("recorded_by", sa.Text),
)
"""Without a foreign key, whose checks would lock rows that nobody may: who adds days or deletes a
series holds the row of the series."""
