"""The tables of billing's own database.

Every table carries its tenant first and is under row-level security. Invoices, their lines, their
evidence and credit notes are append-only; whatever moves on stands in tables of its own.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()
CURRENCY_RULE = "currency ~ '^[A-Z]{3}$'"
_INSTANT = sa.DateTime(timezone=True)


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", sa.Text, primary_key=True)


def _key(name: str = "id") -> sa.Column[UUID]:
    return sa.Column(name, sa.Uuid, primary_key=True)


def _required(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


customer = sa.Table(
    "customer",
    METADATA,
    _tenant(),
    _key(),
    _required("name", sa.Text),
    sa.Column("email", sa.Text),
    _required("currency", sa.Text),
    _required("created_at", _INSTANT),
    sa.CheckConstraint(CURRENCY_RULE, name="customer_currency"),
    sa.Index("customer_by_name", "tenant_id", "name", "id"),
)

agreement = sa.Table(
    "agreement",
    METADATA,
    _tenant(),
    _key(),
    _required("customer_id", sa.Uuid),
    _required("meter_id", sa.Uuid),
    _required("tariff_id", sa.Uuid),
    _required("start_on", sa.Date),
    sa.Column("end_on", sa.Date),
    _required("closing", sa.Text),
    _required("grace_hours", sa.Integer),
    _required("version", sa.Integer),
    _required("created_at", _INSTANT),
    _required("updated_at", _INSTANT),
    sa.ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
    sa.CheckConstraint("end_on > start_on", name="agreement_dates"),
    sa.CheckConstraint("closing IN ('wait', 'bill_present')", name="agreement_closing"),
    sa.CheckConstraint("grace_hours BETWEEN 0 AND 8784", name="agreement_grace"),
    sa.CheckConstraint("version >= 1", name="agreement_version"),
    sa.Index("agreement_by_customer", "tenant_id", "customer_id", "id"),
    sa.Index("agreement_by_meter", "tenant_id", "meter_id", "start_on"),
    sa.Index("agreement_by_tariff", "tenant_id", "tariff_id"),
)
"""One meter has one agreement at a time: `agreement_overlap`, made by the first migration."""

tariff_version = sa.Table(
    "tariff_version",
    METADATA,
    _tenant(),
    _key(),
    _required("tariff_id", sa.Uuid),
    _required("number", sa.Integer),
    _required("status", sa.Text),
    _required("effective_from", sa.Date),
    sa.Column("effective_to", sa.Date),
    _required("document", JSONB),
    sa.CheckConstraint("status IN ('published', 'withdrawn')", name="tariff_version_status"),
    sa.Index("tariff_version_by_tariff", "tenant_id", "tariff_id", "effective_from"),
)
"""Billing's copy of what tariff published."""

meter = sa.Table(
    "meter",
    METADATA,
    _tenant(),
    _key(),
    sa.Column("connected_kw", sa.Numeric),
    _required("flows", JSONB),
    _required("version", sa.Integer),
)
"""Billing's copy of what the registry says of a meter; kept after its end for its last bills."""

price_day = sa.Table(
    "price_day",
    METADATA,
    _tenant(),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    _required("zone", sa.Text),
    _required("minutes", sa.SmallInteger),
    _required("currency", sa.Text),
    _required("prices", JSONB),
)
"""Billing's copy of published prices, every version: decimal strings, null where none is known."""

customer_account = sa.Table(
    "customer_account",
    METADATA,
    _tenant(),
    _key("customer_id"),
    sa.Column("currency", sa.Text, primary_key=True),
    _required("balance", sa.Numeric),
    _required("arrears", sa.Numeric),
    _required("version", sa.BigInteger),
)
"""Billing's copy of what a customer owes (a credit is negative), and what of it is overdue."""

billed_period = sa.Table(
    "billed_period",
    METADATA,
    _tenant(),
    _key("agreement_id"),
    sa.Column("start_on", sa.Date, primary_key=True),
    _required("end_on", sa.Date),
    _required("revision", sa.Integer),
    sa.Column("invoiced_revision", sa.Integer),
    _required("restatement", sa.Integer),
    _required("state", JSONB),
    _required("energy_wh", sa.BigInteger),
    sa.CheckConstraint("revision >= 1", name="billed_period_revision"),
    sa.CheckConstraint("invoiced_revision <= revision", name="billed_period_invoiced"),
    sa.CheckConstraint("restatement >= 0", name="billed_period_restatement"),
)
"""The row that is locked while a period is billed: the newest revision that came, and the one
whose invoice is live; where they differ, the newest one is held. `restatement` is the live
invoice's, `state` (`rating.state`) what it hands to the next period. `energy_wh` is what the newest
revision carries, of all flows together."""

held_period = sa.Table(
    "held_period",
    METADATA,
    _tenant(),
    _key("agreement_id"),
    sa.Column("start_on", sa.Date, primary_key=True),
    _required("end_on", sa.Date),
    _required("revision", sa.Integer),
    _required("meter_id", sa.Uuid),
    _required("reason", sa.Text),
    _required("detail", sa.Text),
    _required("event", sa.LargeBinary),
    _required("correlation_id", sa.Text),
    _required("held_at", _INSTANT),
    sa.Column("due", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("held_period_due", "tenant_id", postgresql_where=sa.text("due")),
    sa.Index("held_period_by_meter", "tenant_id", "meter_id"),
)
"""Periods that cannot be billed yet, with the event they came in; `due` once a fact arrived."""

number_series = sa.Table(
    "number_series",
    METADATA,
    _tenant(),
    sa.Column("series", sa.Text, primary_key=True),
    _required("issued", sa.BigInteger),
    sa.CheckConstraint("issued >= 1", name="number_series_issued"),
)

invoice = sa.Table(
    "invoice",
    METADATA,
    _tenant(),
    _key(),
    _required("number", sa.Text),
    _required("customer_id", sa.Uuid),
    _required("agreement_id", sa.Uuid),
    _required("meter_id", sa.Uuid),
    _required("start_on", sa.Date),
    _required("end_on", sa.Date),
    _required("revision", sa.Integer),
    _required("restatement", sa.Integer),
    _required("currency", sa.Text),
    _required("net", sa.Numeric),
    _required("tax", sa.Numeric),
    _required("total", sa.Numeric),
    _required("issued_at", _INSTANT),
    _required("correlation_id", sa.Text),
    _required("brought_forward", sa.Numeric),
    _required("arrears", sa.Numeric),
    sa.UniqueConstraint(
        "tenant_id",
        "agreement_id",
        "start_on",
        "revision",
        "restatement",
        name="invoice_once_per_revision",
    ),
    sa.UniqueConstraint("tenant_id", "number", name="invoice_number"),
    sa.CheckConstraint("end_on > start_on", name="invoice_dates"),
    sa.CheckConstraint("revision >= 1", name="invoice_revision"),
    sa.CheckConstraint("total = net + tax", name="invoice_total"),
    sa.CheckConstraint(CURRENCY_RULE, name="invoice_currency"),
    sa.Index("invoice_newest", "tenant_id", "issued_at", "id"),
    sa.Index("invoice_by_customer", "tenant_id", "customer_id", "issued_at", "id"),
    sa.Index("invoice_by_meter", "tenant_id", "meter_id", "issued_at", "id"),
)

invoice_line = sa.Table(
    "invoice_line",
    METADATA,
    _tenant(),
    _key("invoice_id"),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    _required("component_id", sa.Text),
    _required("kind", sa.Text),
    sa.Column("band", sa.Text),
    sa.Column("flow", sa.Text),
    _required("quantity", sa.Numeric),
    _required("unit", sa.Text),
    _required("rate", sa.Numeric),
    _required("amount_exact", sa.Numeric),
    _required("amount", sa.Numeric),
    _required("tariff_version_id", sa.Uuid),
    _required("start_on", sa.Date),
    _required("end_on", sa.Date),
    sa.Column("payee", sa.Text),
    sa.Column("tax_class", sa.Text),
    sa.CheckConstraint("end_on > start_on", name="invoice_line_dates"),
)
"""No foreign key to the invoice: PostgreSQL locks the row it refers to, and locking needs the
privilege to update, which nobody has on an invoice."""

invoice_evidence = sa.Table(
    "invoice_evidence",
    METADATA,
    _tenant(),
    _key("invoice_id"),
    _required("zone", sa.Text),
    sa.Column("connected_kw", sa.Numeric),
    _required("closed_by", sa.Text),
    _required("expected_intervals", sa.Integer),
    _required("present_intervals", sa.Integer),
    _required("digest", sa.Text),
    _required("usage", sa.LargeBinary),
    _required("state_before", JSONB),
    _required("state_after", JSONB),
    _required("parts", JSONB),
    _required("prices", JSONB),
)
"""What an invoice was computed from; `usage` is the zlib-compressed JSON of the event's series. The
states (`rating.state`) are what the period before handed on, and what this one does; `parts` names
the tariff version of each day, `prices` by series and day their version in `price_day`."""

credit_note = sa.Table(
    "credit_note",
    METADATA,
    _tenant(),
    _key(),
    _required("number", sa.Text),
    _required("invoice_id", sa.Uuid),
    _required("customer_id", sa.Uuid),
    _required("agreement_id", sa.Uuid),
    _required("currency", sa.Text),
    _required("net", sa.Numeric),
    _required("tax", sa.Numeric),
    _required("total", sa.Numeric),
    _required("reason", sa.Text),
    _required("issued_at", _INSTANT),
    _required("correlation_id", sa.Text),
    sa.UniqueConstraint("tenant_id", "invoice_id", name="credit_note_once_per_invoice"),
    sa.UniqueConstraint("tenant_id", "number", name="credit_note_number"),
    sa.CheckConstraint("total = net + tax", name="credit_note_total"),
    sa.CheckConstraint(CURRENCY_RULE, name="credit_note_currency"),
    sa.Index("credit_note_newest", "tenant_id", "issued_at", "id"),
)
"""Cancels a whole invoice, which is void from then on."""

day_usage = sa.Table(
    "day_usage",
    METADATA,
    _tenant(),
    _key("meter_id"),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    _required("zone", sa.Text),
    _required("minutes", sa.SmallInteger),
    _required("version", sa.Integer),
    _required("energy", sa.LargeBinary),
    _required("correlation_id", sa.Text),
)
"""The newest usage of a channel-day; `energy` is Wh per interval as little-endian int4, with
`rating.usage.MISSING` where there is none."""

cost_day = sa.Table(
    "cost_day",
    METADATA,
    _tenant(),
    _key("meter_id"),
    sa.Column("day", sa.Date, primary_key=True),
    _required("agreement_id", sa.Uuid),
    _required("tariff_version_id", sa.Uuid),
    _required("usage_version", sa.Integer),
    _required("import_wh", sa.BigInteger),
    _required("export_wh", sa.BigInteger),
    _required("currency", sa.Text),
    _required("net", sa.Numeric),
    _required("tax", sa.Numeric),
    _required("gross", sa.Numeric),
    sa.CheckConstraint("gross = net + tax", name="cost_day_gross"),
    sa.CheckConstraint(CURRENCY_RULE, name="cost_day_currency"),
)

due_day = sa.Table(
    "due_day",
    METADATA,
    _tenant(),
    _key("meter_id"),
    sa.Column("day", sa.Date, primary_key=True),
)
"""Days to be priced again."""

due_agreement = sa.Table(
    "due_agreement",
    METADATA,
    _tenant(),
    _key("agreement_id"),
    _required("first_on", sa.Date),
    _required("last_on", sa.Date),
    sa.CheckConstraint("last_on >= first_on", name="due_agreement_dates"),
)
"""Agreements whose days from first to last become due, because a fact has arrived or changed: one
row each, so that a tariff of many agreements costs its own transaction little."""
