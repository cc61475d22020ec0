"""Simulation's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. `staged_house_bill` holds what workers have made of a run that is
not complete: nobody sees it, and one transaction moves it to `house_bill`.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.database.columns import INSTANT, key, required, stamps, tenant

METADATA = sa.MetaData()

property_ = sa.Table(
    "property",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("zone", sa.Text),
    sa.Column("connected_kw", sa.Numeric),
    sa.Column("parent_id", sa.Uuid),
    required("version", sa.Integer),
    sa.Index("property_by_parent", "tenant_id", "parent_id"),
)
meter = sa.Table(
    "meter",
    METADATA,
    tenant(),
    key(),
    required("property_id", sa.Uuid),
    required("meter_type", sa.Text),
    sa.Column("connected_kw", sa.Numeric),
    required("flows", JSONB),
    required("version", sa.Integer),
    sa.Index("meter_by_property", "tenant_id", "property_id"),
)
house_profile = sa.Table(
    "house_profile",
    METADATA,
    tenant(),
    key("house_node_id"),
    sa.Column("latitude", sa.Numeric),
    sa.Column("longitude", sa.Numeric),
    sa.Column("tilt_degrees", sa.Numeric),
    sa.Column("azimuth_degrees", sa.Numeric),
    sa.Column("kwp", sa.Numeric),
    sa.Column("annual_kwh", sa.Numeric),
)
policy = sa.Table(
    "policy",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("policy", JSONB),
    *stamps(),
    sa.Index("policy_by_age", "tenant_id", "created_at", "id"),
)
run = sa.Table(
    "run",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("billing_cycle_month", sa.SmallInteger),
    required("billing_cycle_year", sa.SmallInteger),
    required("topology_root_node_id", sa.Uuid),
    required("source", sa.Text),
    required("policy", JSONB),
    sa.Column("policy_id", sa.Uuid),
    required("profile", JSONB),
    required("seed", sa.Integer),
    required("missing", sa.Text),
    sa.Column("status", sa.Text, nullable=False, server_default="PENDING"),
    sa.Column("started_at", INSTANT),
    sa.Column("ended_at", INSTANT),
    sa.Column("progressed_at", INSTANT),
    sa.Column("houses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("chunks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error_code", sa.Text),
    sa.Column("error_detail", sa.Text),
    sa.Column("tariff_document", JSONB),
    sa.Column("correlation_id", sa.Text),
    *stamps(),
    sa.Index("run_by_age", "tenant_id", "created_at", "id"),
    sa.Index("run_at_work", "id", postgresql_where=sa.text("status = 'RUNNING'")),
)
run_house = sa.Table(
    "run_house",
    METADATA,
    tenant(),
    key("run_id"),
    key("number", sa.Integer),
    required("house_node_id", sa.Uuid),
    required("name", sa.Text),
    required("zone", sa.Text),
    sa.Column("connected_kw", sa.Numeric),
    required("meter_ids", JSONB),
    sa.Column("profile", JSONB),
    sa.Index("run_house_by_node", "tenant_id", "run_id", "house_node_id"),
)
run_chunk = sa.Table(
    "run_chunk",
    METADATA,
    tenant(),
    key("run_id"),
    key("number", sa.Integer),
    required("houses", sa.Integer),
    required("done_at", INSTANT),
)


def _bill_columns() -> tuple[sa.Column[Any], ...]:
    return (
        tenant(),
        key("run_id"),
        key("house_node_id"),
        required("house_name", sa.Text),
        required("imported_wh", sa.BigInteger),
        required("exported_wh", sa.BigInteger),
        required("calculated_bill_amount", sa.Numeric),
        required("currency", sa.Text),
        required("bill_details", JSONB),
    )


staged_house_bill = sa.Table("staged_house_bill", METADATA, *_bill_columns())
house_bill = sa.Table(
    "house_bill",
    METADATA,
    *_bill_columns(),
    sa.Index(
        "house_bill_by_amount", "tenant_id", "run_id", "calculated_bill_amount", "house_node_id"
    ),
)
