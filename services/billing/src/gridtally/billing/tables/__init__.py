"""The tables of billing's own database.

Every table carries its tenant first and is under row-level security. Invoices, their lines, their
evidence and credit notes are append-only; whatever changes stands in tables of its own.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.agreements import agreement, customer, erasure, read_cycle, rebilling
from gridtally.billing.tables.costs import (
    calculated_bill,
    correction_preview,
    daily_cost,
    daily_usage,
    due_agreement,
    due_day,
)
from gridtally.billing.tables.documents import document, published_seller, seller
from gridtally.billing.tables.drafts import billing_run, invoice_draft, invoicing_terms
from gridtally.billing.tables.merges import customer_merge
from gridtally.billing.tables.metadata import CURRENCY_RULE, METADATA
from gridtally.billing.tables.prepayments import budget_plan, prepayment
from gridtally.billing.tables.reference_data import (
    customer_balance,
    meter,
    meter_definition,
    meter_part,
    price_day,
    region,
    site,
    tariff_version,
    tenant_defaults,
)
from gridtally.billing.tables.webhooks import webhook_attempt, webhook_endpoint, webhook_message
from gridtally.database.columns import INSTANT, key, required, tenant

__all__ = [
    "METADATA",
    "adopted_invoice",
    "agreement",
    "billed_period",
    "billing_run",
    "budget_plan",
    "calculated_bill",
    "collective_member",
    "correction_preview",
    "credit_note",
    "credit_note_line",
    "customer",
    "customer_balance",
    "customer_merge",
    "daily_cost",
    "daily_usage",
    "document",
    "due_agreement",
    "due_day",
    "erasure",
    "held_period",
    "invoice",
    "invoice_draft",
    "invoice_evidence",
    "invoice_line",
    "invoice_section",
    "invoicing_terms",
    "issued_total",
    "meter",
    "meter_definition",
    "meter_part",
    "number_series",
    "prepayment",
    "price_day",
    "published_seller",
    "read_cycle",
    "rebilling",
    "region",
    "seller",
    "site",
    "tariff_version",
    "tenant_defaults",
    "webhook_attempt",
    "webhook_endpoint",
    "webhook_message",
]

issued_total = sa.Table(
    "issued_total",
    METADATA,
    tenant(),
    key("customer_id"),
    key("currency", sa.Text),
    required("total", sa.Numeric),
)
"""What a customer's invoices less credit notes come to."""

billed_period = sa.Table(
    "billed_period",
    METADATA,
    tenant(),
    key("agreement_id"),
    key("start_on", sa.Date),
    required("end_on", sa.Date),
    required("revision", sa.Integer),
    sa.Column("invoiced_revision", sa.Integer),
    required("restatement", sa.Integer),
    required("state", JSONB),
    required("energy_wh", sa.BigInteger),
    sa.Column("unbilled", sa.Text),
    sa.CheckConstraint("revision >= 1", name="billed_period_revision"),
    sa.CheckConstraint("unbilled IN ('withdrawn', 'dismissed')", name="billed_period_unbilled"),
    sa.CheckConstraint("invoiced_revision <= revision", name="billed_period_invoiced"),
    sa.CheckConstraint("restatement >= 0", name="billed_period_restatement"),
)
"""The row that is locked while a period is billed: the newest revision that came, and the one
whose invoice is live; where they differ, the newest one is held. `restatement` is the live
invoice's, `state` (`rating.state`) what it carries forward. `energy_wh` is what the newest
revision carries, of all flows together. `unbilled` says why nothing is billed of the newest
revision: its agreement has no such days any more (`withdrawn`), or somebody has said so
(`dismissed`)."""

held_period = sa.Table(
    "held_period",
    METADATA,
    tenant(),
    key("agreement_id"),
    key("start_on", sa.Date),
    required("end_on", sa.Date),
    required("revision", sa.Integer),
    required("meter_id", sa.Uuid),
    required("reason", sa.Text),
    required("detail", sa.Text),
    required("event", sa.LargeBinary),
    required("correlation_id", sa.Text),
    required("held_at", INSTANT),
    sa.Column("due", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("dismissed_at", INSTANT),
    sa.Column("dismissed_by", sa.Text),
    sa.Column("dismissal", sa.Text),
    sa.CheckConstraint(
        "num_nonnulls(dismissed_at, dismissed_by, dismissal) IN (0, 3)",
        name="held_period_dismissed",
    ),
    sa.Index(
        "held_period_due",
        "tenant_id",
        postgresql_where=sa.text("due AND dismissed_at IS NULL"),
    ),
    sa.Index("held_period_by_meter", "tenant_id", "meter_id"),
)
"""Periods that cannot be billed yet, with the event they came in; `due` once something has arrived
that they may lack. `dismissal` is why somebody wants none of it billed."""

number_series = sa.Table(
    "number_series",
    METADATA,
    tenant(),
    key("series", sa.Text),
    required("issued", sa.BigInteger),
    sa.CheckConstraint("issued >= 1", name="number_series_issued"),
)

invoice = sa.Table(
    "invoice",
    METADATA,
    tenant(),
    key(),
    required("number", sa.Text),
    required("customer_id", sa.Uuid),
    required("agreement_id", sa.Uuid),
    required("meter_id", sa.Uuid),
    required("start_on", sa.Date),
    required("end_on", sa.Date),
    required("revision", sa.Integer),
    required("restatement", sa.Integer),
    required("currency", sa.Text),
    required("net", sa.Numeric),
    required("tax", sa.Numeric),
    required("total", sa.Numeric),
    required("issued_at", INSTANT),
    required("correlation_id", sa.Text),
    required("brought_forward", sa.Numeric),
    required("arrears", sa.Numeric),
    sa.Column("quality", JSONB),
    sa.Column("proof_root", sa.Text),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", INSTANT),
    sa.Column("is_collective", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("collective_id", sa.Uuid),
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
    sa.CheckConstraint("proof_root ~ '^[0-9a-f]{64}$'", name="invoice_proof_root"),
    sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="invoice_approved"),
    sa.CheckConstraint(CURRENCY_RULE, name="invoice_currency"),
    sa.CheckConstraint(
        "NOT is_collective OR (agreement_id = customer_id AND collective_id IS NULL)",
        name="invoice_collective",
    ),
    sa.Index("invoice_newest", "tenant_id", "issued_at", "id"),
    sa.Index(
        "invoice_by_collective",
        "tenant_id",
        "collective_id",
        "id",
        postgresql_where=sa.text("collective_id IS NOT NULL"),
    ),
    sa.Index("invoice_by_customer", "tenant_id", "customer_id", "issued_at", "id"),
    sa.Index("invoice_by_meter", "tenant_id", "meter_id", "issued_at", "id"),
    sa.Index(
        "invoice_by_approval",
        "tenant_id",
        "approved_at",
        "approved_by",
        postgresql_where=sa.text("approved_at IS NOT NULL"),
    ),
)

"""Invoices: of one agreement's period or, `is_collective`, of several, each of which is a section:
the bill of its period with its own evidence, which has the number of its `collective_id` and a
suffix, is live as long as that is, and is neither published nor booked by itself."""

invoice_section = sa.Table(
    "invoice_section",
    METADATA,
    tenant(),
    key("invoice_id"),
    key("position", sa.Integer),
    required("section_id", sa.Uuid),
    required("line_count", sa.Integer),
    sa.Column("change", sa.Text),
    sa.UniqueConstraint("tenant_id", "section_id", name="invoice_section_once"),
    sa.CheckConstraint("position >= 1", name="invoice_section_position"),
    sa.CheckConstraint("line_count >= 0", name="invoice_section_lines"),
    sa.CheckConstraint(
        "change IN ('revision', 'restatement', 'added')", name="invoice_section_change"
    ),
)
"""The sections of collective invoices in their order: so many of its lines are of each."""

collective_member = sa.Table(
    "collective_member",
    METADATA,
    tenant(),
    key("agreement_id"),
    key("start_on", sa.Date),
    required("customer_id", sa.Uuid),
    required("end_on", sa.Date),
    required("collective_start_on", sa.Date),
    required("collective_end_on", sa.Date),
    required("waits_since", INSTANT),
    required("grace_ends_at", INSTANT),
    required("due_at", INSTANT),
    sa.Column("released_by", sa.Text),
    sa.Column("released_at", INSTANT),
    sa.CheckConstraint(
        "(released_by IS NULL) = (released_at IS NULL)", name="collective_member_released"
    ),
    sa.Index("collective_member_due", "due_at"),
    sa.Index("collective_member_by_customer", "tenant_id", "customer_id", "collective_start_on"),
)
"""Held periods (`collective_pending`) that wait for the others of their collective invoice; a row
is that of one period alone, so that whoever holds one locks nothing of another's."""

invoice_line = sa.Table(
    "invoice_line",
    METADATA,
    tenant(),
    key("invoice_id"),
    key("position", sa.Integer),
    required("component_id", sa.Text),
    required("kind", sa.Text),
    sa.Column("band", sa.Text),
    sa.Column("flow", sa.Text),
    required("quantity", sa.Numeric),
    required("unit", sa.Text),
    required("rate", sa.Numeric),
    required("amount_exact", sa.Numeric),
    required("amount", sa.Numeric),
    required("tariff_version_id", sa.Uuid),
    required("start_on", sa.Date),
    required("end_on", sa.Date),
    sa.Column("payee", sa.Text),
    sa.Column("tax_class", sa.Text),
    sa.Column("quality", JSONB),
    sa.Column("quantity_rounding", JSONB),
    sa.CheckConstraint("end_on > start_on", name="invoice_line_dates"),
)
"""`quality`, as in `invoice`, is what it rests on, without what is nothing; null for lines that
on no reading, and where it was not noted yet. No foreign key to the invoice: PostgreSQL locks the
row it refers to, and locking needs the privilege to update, which nobody has on an invoice."""

invoice_evidence = sa.Table(
    "invoice_evidence",
    METADATA,
    tenant(),
    key("invoice_id"),
    required("zone", sa.Text),
    sa.Column("connected_kw", sa.Numeric),
    required("closed_by", sa.Text),
    required("expected_intervals", sa.Integer),
    required("present_intervals", sa.Integer),
    required("digest", sa.Text),
    required("usage", sa.LargeBinary),
    required("state_before", JSONB),
    required("state_after", JSONB),
    required("parts", JSONB),
    required("prices", JSONB),
)
"""What an invoice was computed from; `usage` is the zlib-compressed JSON of the event's series. The
states (`rating.state`) are what the period before carried forward, and what this one does; `parts`
names the tariff version of each day, `prices` by series and day their version in `price_day`."""

credit_note = sa.Table(
    "credit_note",
    METADATA,
    tenant(),
    key(),
    required("number", sa.Text),
    required("invoice_id", sa.Uuid),
    required("customer_id", sa.Uuid),
    required("agreement_id", sa.Uuid),
    required("currency", sa.Text),
    required("net", sa.Numeric),
    required("tax", sa.Numeric),
    required("total", sa.Numeric),
    required("reason", sa.Text),
    required("issued_at", INSTANT),
    required("correlation_id", sa.Text),
    sa.Column("extent", sa.Text, nullable=False, server_default="whole"),
    sa.Column("credited_by", sa.Text),
    sa.Column("repeat_on_correction", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("repeats", sa.Uuid),
    sa.CheckConstraint(
        "extent = 'part' OR (repeats IS NULL AND NOT repeat_on_correction)",
        name="credit_note_repeats",
    ),
    sa.UniqueConstraint("tenant_id", "number", name="credit_note_number"),
    sa.CheckConstraint("total = net + tax", name="credit_note_total"),
    sa.CheckConstraint(CURRENCY_RULE, name="credit_note_currency"),
    sa.CheckConstraint("extent IN ('whole', 'part', 'rest')", name="credit_note_extent"),
    sa.CheckConstraint(
        "(extent = 'part') = (credited_by IS NOT NULL)", name="credit_note_credited_by"
    ),
    sa.Index("credit_note_newest", "tenant_id", "issued_at", "id"),
    sa.Index(
        "credit_note_cancels_once",
        "tenant_id",
        "invoice_id",
        unique=True,
        postgresql_where=sa.text("extent <> 'part'"),
    ),
    sa.Index("credit_note_by_invoice", "tenant_id", "invoice_id"),
    sa.Index(
        "credit_note_by_repeated",
        "tenant_id",
        "repeats",
        postgresql_where=sa.text("repeats IS NOT NULL"),
    ),
)
"""Credits an invoice; unless it is of a part, the invoice is void from then on."""

credit_note_line = sa.Table(
    "credit_note_line",
    METADATA,
    tenant(),
    key("credit_note_id"),
    key("position", sa.Integer),
    required("quantity", sa.Numeric),
    required("unit", sa.Text),
    required("rate", sa.Numeric),
    required("amount_exact", sa.Numeric),
    required("amount", sa.Numeric),
)
"""What a credit note of a part, or of the rest, credits of the invoice's line at `position`; what
it has in common with that line stands there. One of a whole invoice has none."""

adopted_invoice = sa.Table(
    "adopted_invoice",
    METADATA,
    tenant(),
    key("agreement_id"),
    key("start_on", sa.Date),
    key("revision", sa.Integer),
    key("restatement", sa.Integer),
    required("invoice_id", sa.Uuid),
)
"""Invoices that were taken over from their topic after a restore, and have no evidence until their
period comes again; empty otherwise."""
