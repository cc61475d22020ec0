"""The tables of direct debits: mandates, the creditor, batches and their debits."""

import sqlalchemy as sa

from gridtally.database.columns import INSTANT, key, tenant
from gridtally.ledger.columns import METADATA, MONEY

mandate = sa.Table(
    "mandate",
    METADATA,
    tenant(),
    key("customer_id"),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("mandate_id", "sequence", "scheme")),
    sa.Column("signed_on", sa.Date, nullable=False),
    sa.Column("iban", sa.Text, nullable=False),
    sa.Column("bic", sa.Text),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("last_collected_on", sa.Date),
    sa.Column("revoked_on", sa.Date),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("tenant_id", "mandate_id", name="mandate_named_once"),
    sa.CheckConstraint("sequence IN ('first', 'recurrent', 'one_off')", name="mandate_sequence"),
    sa.CheckConstraint("scheme IN ('core', 'b2b')", name="mandate_scheme"),
)
"""By which a customer's account may be debited; whether it was used, the debits say."""
direct_debit_settings = sa.Table(
    "direct_debit_settings",
    METADATA,
    tenant(),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("creditor_id", "name", "iban")),
    sa.Column("bic", sa.Text),
    sa.Column("lead_days", sa.SmallInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
direct_debit_batch = sa.Table(
    "direct_debit_batch",
    METADATA,
    tenant(),
    key(),
    sa.Column("creditor_id", sa.Text, nullable=False),
    sa.Column("creditor_name", sa.Text, nullable=False),
    sa.Column("creditor_iban", sa.Text, nullable=False),
    sa.Column("creditor_bic", sa.Text),
    sa.Column("due_through", sa.Date, nullable=False),
    sa.Column("collection_on", sa.Date, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("cancelled_at", INSTANT),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("direct_debit_batch_by_age", "tenant_id", "created_at", "id"),
)
direct_debit = sa.Table(
    "direct_debit",
    METADATA,
    tenant(),
    key(),
    *(sa.Column(name, sa.Uuid, nullable=False) for name in ("batch_id", "item_id", "customer_id")),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("amount", MONEY, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("mandate_id", "sequence", "scheme")),
    sa.Column("signed_on", sa.Date, nullable=False),
    *(sa.Column(name, sa.Text) for name in ("iban", "bic", "holder")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("amount > 0", name="direct_debit_amount"),
    sa.CheckConstraint("(iban IS NULL) = (holder IS NULL)", name="direct_debit_account"),
    sa.Index("direct_debit_by_batch", "tenant_id", "batch_id"),
    sa.Index("direct_debit_by_item", "tenant_id", "item_id"),
    sa.Index("direct_debit_by_customer", "tenant_id", "customer_id"),
    sa.Index("direct_debit_by_mandate", "tenant_id", "mandate_id"),
)
"""What is collected of an open item; whether it was, the transaction says whose document it is."""
