"""The tables of usage and costs beside invoices: of local days, and calculated on demand."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import CURRENCY_RULE, METADATA
from gridtally.database.columns import INSTANT, key, required, tenant

calculated_bill = sa.Table(
    "calculated_bill",
    METADATA,
    tenant(),
    key(),
    required("customer_id", sa.Uuid),
    required("start_on", sa.Date),
    required("end_on", sa.Date),
    required("tariff_version_id", sa.Uuid),
    required("checksum", sa.Text),
    required("currency", sa.Text),
    required("net", sa.Numeric),
    required("tax", sa.Numeric),
    required("total", sa.Numeric),
    required("expected_intervals", sa.Integer),
    required("present_intervals", sa.Integer),
    required("lines", JSONB),
    required("calculated_at", INSTANT),
    sa.Column("by_customer", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("end_on > start_on", name="calculated_bill_dates"),
    sa.CheckConstraint("total = net + tax", name="calculated_bill_total"),
    sa.CheckConstraint(CURRENCY_RULE, name="calculated_bill_currency"),
    sa.Index(
        "calculated_bill_newest",
        "tenant_id",
        "customer_id",
        "start_on",
        "end_on",
        "tariff_version_id",
        "calculated_at",
    ),
)
"""Bills that were calculated on demand; nothing is issued by them."""

correction_preview = sa.Table(
    "correction_preview",
    METADATA,
    tenant(),
    key(),
    required("document", JSONB),
    required("made_at", INSTANT),
)
"""What a correction would change, as it was answered; append-only."""

daily_usage = sa.Table(
    "daily_usage",
    METADATA,
    tenant(),
    key("meter_id"),
    key("day", sa.Date),
    key("flow", sa.Text),
    required("zone", sa.Text),
    required("minutes", sa.SmallInteger),
    required("version", sa.Integer),
    required("energy", sa.LargeBinary),
    required("correlation_id", sa.Text),
)
"""The newest usage of a channel-day; `energy` is Wh per interval as little-endian int4, with
`gridtally.rating.usage.MISSING` where there is none."""

daily_cost = sa.Table(
    "daily_cost",
    METADATA,
    tenant(),
    key("meter_id"),
    key("day", sa.Date),
    required("agreement_id", sa.Uuid),
    required("tariff_version_id", sa.Uuid),
    required("usage_version", sa.Integer),
    required("import_wh", sa.BigInteger),
    required("export_wh", sa.BigInteger),
    required("currency", sa.Text),
    required("net", sa.Numeric),
    required("tax", sa.Numeric),
    required("gross", sa.Numeric),
    sa.CheckConstraint("gross = net + tax", name="daily_cost_gross"),
    sa.CheckConstraint(CURRENCY_RULE, name="daily_cost_currency"),
)

due_day = sa.Table(
    "due_day",
    METADATA,
    tenant(),
    key("meter_id"),
    key("day", sa.Date),
)
"""Days to be priced again."""

due_agreement = sa.Table(
    "due_agreement",
    METADATA,
    tenant(),
    key("agreement_id"),
    required("first_on", sa.Date),
    required("last_on", sa.Date),
    sa.CheckConstraint("last_on >= first_on", name="due_agreement_dates"),
)
"""Agreements whose days from first to last become due, because what their costs rest on has arrived
or changed: one row each, so that a tariff of many agreements costs its own transaction little."""
