"""The registry with its versions, readings and definitions."""

import sqlalchemy as sa

from ledger.tables.columns import (
    CLOCK,
    INSTANT,
    METADATA,
    entry_id,
    face,
    id_column,
    stamps,
    tenant,
    version,
)

property_ = sa.Table(
    "property",
    METADATA,
    tenant(),
    id_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("region_id", sa.Uuid),
    sa.Column("connected_kw", sa.Numeric),
    sa.Column("parent_id", sa.Uuid),
    *stamps(),
    sa.ForeignKeyConstraint(["tenant_id", "parent_id"], ["property.tenant_id", "property.id"]),
    sa.Index("property_by_age", "tenant_id", "created_at", "id"),
    sa.Index("property_by_parent", "tenant_id", "parent_id"),
    sa.Index("property_by_name", "tenant_id", "name", "id"),
)
meter = sa.Table(
    "meter",
    METADATA,
    tenant(),
    id_column(),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    *stamps(),
    sa.UniqueConstraint("tenant_id", "property_id", "id", name="meter_of_property"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "property_id"], ["property.tenant_id", "property.id"], ondelete="CASCADE"
    ),
    sa.Index("meter_by_age", "tenant_id", "created_at", "id"),
    sa.Index("meter_by_name", "tenant_id", "name", "id"),
    sa.Index(
        "meter_one_of_each_type",
        "tenant_id",
        "property_id",
        "type",
        unique=True,
        postgresql_where=sa.text("type IN ('gg', 'sg', 'total', 'unmetered')"),
    ),
)
channel = sa.Table(
    "channel",
    METADATA,
    tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    sa.Column("minutes", sa.SmallInteger, nullable=False),
    sa.Column("interval_wh_max", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "meter_id"], ["meter.tenant_id", "meter.id"], ondelete="CASCADE"
    ),
)
register = sa.Table(
    "register",
    METADATA,
    tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    *face(),
    sa.ForeignKeyConstraint(
        ["tenant_id", "meter_id"], ["meter.tenant_id", "meter.id"], ondelete="CASCADE"
    ),
)
registry_user = sa.Table(
    "registry_user",
    METADATA,
    tenant(),
    id_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("default_meter_id", sa.Uuid),
    *stamps(),
    sa.UniqueConstraint("tenant_id", "email", name="registry_user_email"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "property_id"], ["property.tenant_id", "property.id"], ondelete="CASCADE"
    ),
    sa.ForeignKeyConstraint(
        ["tenant_id", "property_id", "default_meter_id"],
        ["meter.tenant_id", "meter.property_id", "meter.id"],
        name="registry_user_default_meter",
    ),
    sa.Index("registry_user_by_age", "tenant_id", "created_at", "id"),
    sa.Index("registry_user_by_name", "tenant_id", "name", "id"),
    sa.Index("registry_user_by_property", "tenant_id", "property_id"),
)
reading_entry = sa.Table(
    "reading_entry",
    METADATA,
    tenant(),
    id_column(),
    sa.Column("reading_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("supersedes_id", sa.Uuid),
    sa.Column("meter_id", sa.Uuid, nullable=False),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("exchange_id", sa.Uuid),
    sa.Column("value", sa.Numeric, nullable=False),
    *face(),
    sa.Column("quality", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("read_at", INSTANT, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False, server_default=CLOCK),
    sa.Column("correlation_id", sa.Text, nullable=False),
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
removed_meter = sa.Table(
    "removed_meter",
    METADATA,
    tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("removed_at", INSTANT, primary_key=True, server_default=CLOCK),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    entry_id(),
    sa.UniqueConstraint("tenant_id", "id", name="removed_meter_entry"),
)
removed_property = sa.Table(
    "removed_property",
    METADATA,
    tenant(),
    sa.Column("property_id", sa.Uuid, primary_key=True),
    sa.Column("removed_at", INSTANT, primary_key=True, server_default=CLOCK),
    sa.Column("name", sa.Text, nullable=False),
    entry_id(),
    sa.UniqueConstraint("tenant_id", "id", name="removed_property_entry"),
)
property_version = sa.Table(
    "property_version",
    METADATA,
    tenant(),
    sa.Column("property_id", sa.Uuid, primary_key=True),
    *version(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("region_id", sa.Uuid),
    sa.Column("connected_kw", sa.Numeric),
    sa.Column("parent_id", sa.Uuid),
    sa.UniqueConstraint("tenant_id", "id", name="property_version_entry"),
)
meter_version = sa.Table(
    "meter_version",
    METADATA,
    tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    *version(),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("channels", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("channel_minutes", sa.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("channel_wh_max", sa.ARRAY(sa.Integer), nullable=False),
    sa.Column("registers", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("register_digits", sa.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("register_decimals", sa.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("register_multipliers", sa.ARRAY(sa.Numeric), nullable=False),
    sa.UniqueConstraint("tenant_id", "id", name="meter_version_entry"),
)
definition = sa.Table(
    "definition",
    METADATA,
    tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("meter_ids", sa.ARRAY(sa.Uuid), nullable=False),
    sa.Column("flows", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("signs", sa.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("created_at", INSTANT, nullable=False, server_default=CLOCK),
    entry_id(),
    sa.UniqueConstraint("tenant_id", "id", name="definition_entry"),
)
