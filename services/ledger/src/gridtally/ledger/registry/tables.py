"""The registry's tables: properties, meters and users as they are, their versions and ends."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gridtally.database.columns import INSTANT, key, required, stamps, tenant
from gridtally.ledger.columns import (
    CLOCK,
    METADATA,
    beside_the_chain,
    entry_id,
    erased,
    register_columns,
)


def version_stamps() -> tuple[sa.Column[object], ...]:
    """Which version of which resource a row is, and what names it in the chain.

    `created_at` is the resource's own: one that is made again with the same id has another.
    """
    return (
        key("created_at", INSTANT),
        key("version", sa.Integer),
        entry_id(),
        required("updated_at", INSTANT),
    )


property_ = sa.Table(
    "property",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("address", sa.Text),
    required("zone", sa.Text),
    sa.Column("region_id", sa.Uuid),
    sa.Column("connected_kw", sa.Numeric),
    sa.Column("parent_id", sa.Uuid),
    *stamps(),
    sa.Column("customer_id", sa.Uuid),
    sa.ForeignKeyConstraint(["tenant_id", "parent_id"], ["property.tenant_id", "property.id"]),
    sa.Index("property_by_age", "tenant_id", "created_at", "id"),
    sa.Index("property_by_parent", "tenant_id", "parent_id"),
    sa.Index("property_by_name", "tenant_id", "name", "id"),
    sa.Index(
        "property_by_customer",
        "tenant_id",
        "customer_id",
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    ),
)
meter = sa.Table(
    "meter",
    METADATA,
    tenant(),
    key(),
    required("property_id", sa.Uuid),
    required("meter_type", sa.Text),
    required("name", sa.Text),
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
        "meter_type",
        unique=True,
        postgresql_where=sa.text("meter_type IN ('gg', 'sg', 'total', 'unmetered')"),
    ),
)
channel = sa.Table(
    "channel",
    METADATA,
    tenant(),
    key("meter_id"),
    key("flow", sa.Text),
    required("minutes", sa.SmallInteger),
    required("interval_wh_max", sa.Integer),
    sa.Column("start_at", INSTANT),
    sa.Column("end_at", INSTANT),
    sa.ForeignKeyConstraint(
        ["tenant_id", "meter_id"], ["meter.tenant_id", "meter.id"], ondelete="CASCADE"
    ),
)
register = sa.Table(
    "register",
    METADATA,
    tenant(),
    key("meter_id"),
    key("flow", sa.Text),
    *register_columns(),
    sa.ForeignKeyConstraint(
        ["tenant_id", "meter_id"], ["meter.tenant_id", "meter.id"], ondelete="CASCADE"
    ),
)
registry_user = sa.Table(
    "registry_user",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("email", sa.Text),
    sa.Column("phone_number", sa.Text),
    required("property_id", sa.Uuid),
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
removed_meter = sa.Table(
    "removed_meter",
    METADATA,
    tenant(),
    key("meter_id"),
    sa.Column("removed_at", INSTANT, primary_key=True, server_default=CLOCK),
    required("property_id", sa.Uuid),
    required("meter_type", sa.Text),
    required("name", sa.Text),
    entry_id(),
    *beside_the_chain(),
    erased("removed_meter"),
    sa.UniqueConstraint("tenant_id", "id", name="removed_meter_entry"),
)
removed_property = sa.Table(
    "removed_property",
    METADATA,
    tenant(),
    key("property_id"),
    sa.Column("removed_at", INSTANT, primary_key=True, server_default=CLOCK),
    required("name", sa.Text),
    entry_id(),
    *beside_the_chain(),
    erased("removed_property"),
    sa.UniqueConstraint("tenant_id", "id", name="removed_property_entry"),
)
property_version = sa.Table(
    "property_version",
    METADATA,
    tenant(),
    key("property_id"),
    *version_stamps(),
    required("name", sa.Text),
    required("address", sa.Text),
    required("zone", sa.Text),
    sa.Column("region_id", sa.Uuid),
    sa.Column("connected_kw", sa.Numeric),
    sa.Column("parent_id", sa.Uuid),
    sa.Column("customer_id", sa.Uuid),
    *beside_the_chain(),
    erased("property_version"),
    sa.Index(
        "property_version_by_customer",
        "tenant_id",
        "customer_id",
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    ),
    sa.UniqueConstraint("tenant_id", "id", name="property_version_entry"),
)
meter_version = sa.Table(
    "meter_version",
    METADATA,
    tenant(),
    key("meter_id"),
    *version_stamps(),
    required("property_id", sa.Uuid),
    required("meter_type", sa.Text),
    required("name", sa.Text),
    required("channels", sa.ARRAY(sa.Text)),
    required("channel_minutes", sa.ARRAY(sa.SmallInteger)),
    required("channel_wh_max", sa.ARRAY(sa.Integer)),
    required("registers", sa.ARRAY(sa.Text)),
    required("register_digits", sa.ARRAY(sa.SmallInteger)),
    required("register_decimals", sa.ARRAY(sa.SmallInteger)),
    required("register_multipliers", sa.ARRAY(sa.Numeric)),
    sa.Column("channel_starts_at", sa.ARRAY(INSTANT)),
    sa.Column("channel_ends_at", sa.ARRAY(INSTANT)),
    sa.Column("register_rollovers", sa.ARRAY(sa.Numeric)),
    *beside_the_chain(),
    erased("meter_version"),
    sa.UniqueConstraint("tenant_id", "id", name="meter_version_entry"),
)

meter_agreement = sa.Table(
    "meter_agreement",
    METADATA,
    tenant(),
    key(),
    required("meter_id", sa.Uuid),
    required("start_on", sa.Date),
    sa.Column("end_on", sa.Date),
    required("version", sa.BigInteger),
    sa.Column("customer_id", sa.Uuid),
    sa.Index("meter_agreement_by_meter", "tenant_id", "meter_id"),
    sa.Index("meter_agreement_by_customer", "tenant_id", "customer_id"),
)
"""Reference data: billing's agreements, by which meters are billed, and to whom."""
tenant_defaults = sa.Table(
    "tenant_defaults",
    METADATA,
    tenant(),
    sa.Column("zone", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("meters", postgresql.JSONB),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
)
