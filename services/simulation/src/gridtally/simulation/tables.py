"""Simulation's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. `staged_house_bill` holds what workers have made of a run that is
not complete: nobody sees it, and one transaction moves it to `house_bill`. What comparisons come to
is in `compared_house`, `scenario_revenue` and `scenario_peak`; of one that is not COMPLETED nobody
sees it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    sa.Column("months", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("scenarios", JSONB(none_as_null=True)),
    sa.Column("shift", JSONB(none_as_null=True)),
    sa.Column("as_known_at", INSTANT),
    sa.Column("repeat_of", sa.Uuid),
    sa.Column("tariffs", JSONB(none_as_null=True)),
    sa.Column("prices", JSONB(none_as_null=True)),
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
run_price_day = sa.Table(
    "run_price_day",
    METADATA,
    tenant(),
    key("run_id"),
    key("code", sa.Text),
    key("day", sa.Date),
    required("zone", sa.Text),
    required("minutes", sa.SmallInteger),
    required("currency", sa.Text),
    required("version", sa.Integer),
    required("prices", JSONB),
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
compared_house = sa.Table(
    "compared_house",
    METADATA,
    tenant(),
    key("run_id"),
    key("scenario", sa.SmallInteger),
    key("house_node_id"),
    required("house_name", sa.Text),
    required("imported_wh", sa.BigInteger),
    required("exported_wh", sa.BigInteger),
    required("peak_w", sa.BigInteger),
    required("hours", sa.Integer),
    required("currency", sa.Text),
    required("amount", sa.Numeric),
    required("difference", sa.Numeric),
    required("readings_sha256", sa.Text),
    sa.Column("shifted_imported_wh", sa.BigInteger),
    sa.Column("shifted_peak_w", sa.BigInteger),
    sa.Column("shifted_amount", sa.Numeric),
    sa.Column("shifted_difference", sa.Numeric),
    sa.Index(
        "compared_house_by_difference",
        "tenant_id",
        "run_id",
        "scenario",
        "difference",
        "house_node_id",
    ),
)


def _revenue_columns() -> tuple[sa.Column[Any], ...]:
    return (
        key("scenario", sa.SmallInteger),
        key("is_shifted", sa.Boolean),
        key("month_on", sa.Date),
        key("component_id", sa.Text),
        key("kind", sa.Text),
        required("amount", sa.Numeric),
    )


staged_revenue = sa.Table(
    "staged_revenue",
    METADATA,
    tenant(),
    key("run_id"),
    key("number", sa.Integer),
    *_revenue_columns(),
)
scenario_revenue = sa.Table(
    "scenario_revenue", METADATA, tenant(), key("run_id"), *_revenue_columns()
)
staged_load = sa.Table(
    "staged_load",
    METADATA,
    tenant(),
    key("run_id"),
    key("number", sa.Integer),
    key("scenario", sa.SmallInteger),
    required("wh", ARRAY(sa.BigInteger)),
)
scenario_peak = sa.Table(
    "scenario_peak",
    METADATA,
    tenant(),
    key("run_id"),
    key("scenario", sa.SmallInteger),
    required("peak_wh", sa.BigInteger),
    required("peak_at", INSTANT),
)
