"""The tables of accounts: accounts, transactions, postings, open items and their allocation."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gridtally.database.columns import INSTANT, key, tenant
from gridtally.ledger.columns import METADATA, MONEY, beside_the_chain, erased

account = sa.Table(
    "account",
    METADATA,
    tenant(),
    key(),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Uuid),
    sa.Column("debits", MONEY, nullable=False),
    sa.Column("credits", MONEY, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("invoiced", MONEY, nullable=False, server_default="0"),
    sa.UniqueConstraint("tenant_id", "currency", "code", name="account_code"),
    sa.UniqueConstraint("tenant_id", "id", "currency", name="account_currency"),
    sa.Index("account_by_customer", "tenant_id", "customer_id"),
)
account_part = sa.Table(
    "account_part",
    METADATA,
    tenant(),
    sa.Column("account_id", sa.Uuid, primary_key=True),
    sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("debits", MONEY, nullable=False),
    sa.Column("credits", MONEY, nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "account_id"], ["account.tenant_id", "account.id"]),
)
transaction = sa.Table(
    "transaction",
    METADATA,
    tenant(),
    key(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("document_id", sa.Uuid, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("reverses_id", sa.Uuid),
    sa.Column("customer_id", sa.Uuid),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("total", MONEY, nullable=False),
    sa.Column("occurred_at", INSTANT, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("postings", sa.SmallInteger, nullable=False),
    sa.Column("memo", sa.Text, nullable=False, server_default=""),
    sa.Column("proof_root", sa.Text),
    *beside_the_chain(),
    erased("transaction"),
    sa.CheckConstraint("proof_root ~ '^[0-9a-f]{64}$'", name="transaction_proof_root"),
    sa.UniqueConstraint("tenant_id", "document_id", name="transaction_one_per_document"),
    sa.UniqueConstraint("tenant_id", "reverses_id", name="transaction_one_reversal"),
    sa.Index("transaction_by_age", "tenant_id", "recorded_at", "id"),
    sa.Index("transaction_by_customer", "tenant_id", "customer_id", "occurred_at"),
    sa.Index(
        "transaction_opening_balance",
        "tenant_id",
        "currency",
        postgresql_where=sa.text("kind = 'opening_balance'"),
    ),
)
posting = sa.Table(
    "posting",
    METADATA,
    tenant(),
    sa.Column("transaction_id", sa.Uuid, primary_key=True),
    sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount", MONEY, nullable=False),
    sa.Column("occurred_at", INSTANT, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.ForeignKeyConstraint(
        ["tenant_id", "account_id", "currency"],
        ["account.tenant_id", "account.id", "account.currency"],
    ),
    sa.Index(
        "posting_by_account",
        "tenant_id",
        "account_id",
        "occurred_at",
        postgresql_include=["amount"],
    ),
)
invoice_note = sa.Table(
    "invoice_note",
    METADATA,
    tenant(),
    sa.Column("invoice_id", sa.Uuid, primary_key=True),
    sa.Column("credit_note_id", sa.Uuid, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("voided_at", INSTANT, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    *beside_the_chain(),
    erased("invoice_note"),
)
booked_by_kind = sa.Table(
    "booked_by_kind",
    METADATA,
    tenant(),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("documents", sa.BigInteger, nullable=False),
)
"""How many invoices and credit notes were posted before payees had accounts; never written since.
What their lines name payees for is revenue."""
customer = sa.Table(
    "customer",
    METADATA,
    tenant(),
    key(),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("published_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("credit_due", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("merged_into", sa.Uuid),
    sa.Index(
        "customer_to_publish",
        "tenant_id",
        "id",
        postgresql_where=sa.text("published_version < version"),
    ),
    sa.Index("customer_credit_due", "tenant_id", "id", postgresql_where=sa.text("credit_due")),
    sa.Index(
        "customer_by_survivor",
        "tenant_id",
        "merged_into",
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    ),
)
known_customer = sa.Table(
    "known_customer",
    METADATA,
    tenant(),
    key(),
    sa.Column("currency", sa.Text, primary_key=True),
)
customer_terms = sa.Table(
    "customer_terms",
    METADATA,
    tenant(),
    key("customer_id"),
    sa.Column("payment_days", sa.Integer),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("payment_days BETWEEN 0 AND 365", name="customer_terms_payment_days"),
)
erased_customer = sa.Table(
    "erased_customer",
    METADATA,
    tenant(),
    key("customer_id"),
    sa.Column("erased_at", INSTANT, nullable=False),
    sa.Column("checked_version", sa.BigInteger),
    sa.Column("checked_at", INSTANT),
)
"""Customers who were erased, and at which version of their account, and when, all texts of them
that were there were erased too."""
unmatched_payment = sa.Table(
    "unmatched_payment",
    METADATA,
    tenant(),
    key(),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount", MONEY, nullable=False),
    sa.Column("resolved_by", sa.Uuid),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("amount > 0", name="unmatched_payment_amount"),
    sa.Index(
        "unmatched_payment_open",
        "tenant_id",
        "recorded_at",
        "id",
        postgresql_where=sa.text("resolved_by IS NULL"),
    ),
    sa.Index(
        "unmatched_payment_by_customer",
        "tenant_id",
        "customer_id",
        "currency",
        postgresql_where=sa.text("resolved_by IS NULL"),
    ),
)
adopted_payment = sa.Table(
    "adopted_payment",
    METADATA,
    tenant(),
    sa.Column("transaction_id", sa.Uuid, primary_key=True),
    sa.Column("payment_id", sa.Uuid, nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("event", sa.LargeBinary, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("occurred_at", INSTANT, nullable=False),
    sa.Column("topic", sa.Text, nullable=False, server_default="payment.recorded.v1"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Index("adopted_payment_by_payment", "tenant_id", "payment_id"),
    sa.Index("adopted_payment_by_customer", "tenant_id", "customer_id"),
)
"""Payments, other transactions and reversals that were taken over from their topics after a
restore, until what they rest on is posted again; empty otherwise."""
open_item = sa.Table(
    "open_item",
    METADATA,
    tenant(),
    key(),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("total", MONEY, nullable=False),
    sa.Column("allocated", MONEY, nullable=False),
    sa.Column("voided", sa.Boolean, nullable=False),
    sa.Column("issued_at", INSTANT),
    sa.Column("due_on", sa.Date),
    sa.Column("overdue_reported", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("opened_for", sa.Uuid),
    sa.Index("open_item_by_customer", "tenant_id", "customer_id", "issued_at", "id"),
    sa.Index(
        "open_item_open",
        "tenant_id",
        "customer_id",
        "currency",
        "due_on",
        postgresql_where=sa.text("total <> allocated"),
    ),
    sa.Index(
        "open_item_overdue",
        "due_on",
        postgresql_where=sa.text("total > allocated AND NOT overdue_reported"),
    ),
    sa.Index(
        "open_item_by_number_key",
        "tenant_id",
        sa.text("upper(regexp_replace(number, '[^0-9A-Za-z]'::text, ''::text, 'g'::text))"),
    ),
    sa.Index(
        "open_item_by_open_amount",
        "tenant_id",
        "currency",
        sa.text("(total - allocated)"),
        postgresql_where=sa.text("total > allocated"),
    ),
)
allocation = sa.Table(
    "allocation",
    METADATA,
    tenant(),
    sa.Column("transaction_id", sa.Uuid, primary_key=True),
    sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.Uuid, nullable=False),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount", MONEY, nullable=False),
    sa.Column("occurred_at", INSTANT, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("allocation_by_item", "tenant_id", "item_id"),
    sa.Index("allocation_by_source", "tenant_id", "source_id"),
)
payment_terms = sa.Table(
    "payment_terms",
    METADATA,
    tenant(),
    sa.Column("payment_days", sa.SmallInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("credit_allocation", sa.Text, nullable=False, server_default="oldest_first"),
    sa.Column("credit_deallocation", sa.Text, nullable=False, server_default="newest_first"),
    sa.CheckConstraint(
        "credit_allocation IN ('oldest_first', 'manual')", name="payment_terms_allocation"
    ),
    sa.CheckConstraint(
        "credit_deallocation IN ('newest_first', 'oldest_first')", name="payment_terms_deallocation"
    ),
)
payment_plan = sa.Table(
    "payment_plan",
    METADATA,
    tenant(),
    key(),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("item_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("item_amounts", ARRAY(MONEY), nullable=False),
    sa.Column("item_reductions", ARRAY(MONEY), nullable=False),
    sa.Column("due_days", ARRAY(sa.Date), nullable=False),
    sa.Column("due_amounts", ARRAY(MONEY), nullable=False),
    sa.Column("grace_days", sa.SmallInteger, nullable=False),
    sa.Column("agreed_at", INSTANT, nullable=False),
    sa.Column("cancelled_at", INSTANT),
    sa.Column("cancel_reason", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("look_on", sa.Date),
    sa.CheckConstraint("(cancelled_at IS NULL) = (cancel_reason IS NULL)", "payment_plan_reason"),
    sa.Index("payment_plan_by_customer", "tenant_id", "customer_id", "agreed_at", "id"),
    sa.Index("payment_plan_by_age", "tenant_id", "agreed_at", "id"),
    sa.Index(
        "payment_plan_to_look_at", "look_on", postgresql_where=sa.text("cancelled_at IS NULL")
    ),
)
"""Debts in instalments, each a row: its items and its instalments are arrays, in order. On
`look_on` what is late of it may grow, so that balances are published again."""
addressee = sa.Table(
    "addressee",
    METADATA,
    tenant(),
    key("customer_id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("street", sa.Text),
    sa.Column("postcode", sa.Text),
    sa.Column("city", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""Reference data: to whom documents of a customer's account are addressed, and in which language;
`number` is the tenant's own, or the customer's id."""
seller = sa.Table(
    "seller",
    METADATA,
    tenant(),
    key("version", sa.BigInteger),
    sa.Column("published", JSONB, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
)
"""Reference data: every version of a tenant's letterhead as billing published it, and since when it
is in force."""
