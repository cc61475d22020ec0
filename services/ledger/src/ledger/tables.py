"""The ledger's tables, as the migrations make them; the drift test compares the two.

Owns names and types for `store`. The rules that only SQL knows (row-level security, append-only,
the deferred balance) stand in the migrations.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", sa.Text, primary_key=True)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, primary_key=True)


def _entry_id() -> sa.Column[object]:
    """What names a row in the chain of sealed entries."""
    return sa.Column("id", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid())


def _stamps() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    )


def _face() -> tuple[sa.Column[object], ...]:
    """What a register shows, and what its figures are multiplied by."""
    return (
        sa.Column("digits", sa.SmallInteger, nullable=False),
        sa.Column("decimals", sa.SmallInteger, nullable=False),
        sa.Column("multiplier", sa.Numeric, nullable=False),
    )


_INSTANT = sa.DateTime(timezone=True)
_CLOCK = sa.func.clock_timestamp()
"""The moment itself, not that of the transaction's begin: it follows the order of locks."""
_MONEY = sa.Numeric(38, 8)

property_ = sa.Table(
    "property",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("region_id", sa.Uuid),
    sa.Column("connected_kw", sa.Numeric),
    sa.Column("parent_id", sa.Uuid),
    *_stamps(),
    sa.ForeignKeyConstraint(["tenant_id", "parent_id"], ["property.tenant_id", "property.id"]),
    sa.Index("property_by_age", "tenant_id", "created_at", "id"),
    sa.Index("property_by_parent", "tenant_id", "parent_id"),
    sa.Index("property_by_name", "tenant_id", "name", "id"),
)
meter = sa.Table(
    "meter",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    *_stamps(),
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
    _tenant(),
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
    _tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    *_face(),
    sa.ForeignKeyConstraint(
        ["tenant_id", "meter_id"], ["meter.tenant_id", "meter.id"], ondelete="CASCADE"
    ),
)
registry_user = sa.Table(
    "registry_user",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("default_meter_id", sa.Uuid),
    *_stamps(),
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
    _tenant(),
    _id(),
    sa.Column("reading_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("supersedes_id", sa.Uuid),
    sa.Column("meter_id", sa.Uuid, nullable=False),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("exchange_id", sa.Uuid),
    sa.Column("value", sa.Numeric, nullable=False),
    *_face(),
    sa.Column("quality", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("read_at", _INSTANT, nullable=False),
    sa.Column("created_at", _INSTANT, nullable=False, server_default=_CLOCK),
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
    _tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("removed_at", _INSTANT, primary_key=True, server_default=_CLOCK),
    sa.Column("property_id", sa.Uuid, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    _entry_id(),
    sa.UniqueConstraint("tenant_id", "id", name="removed_meter_entry"),
)
definition = sa.Table(
    "definition",
    METADATA,
    _tenant(),
    sa.Column("meter_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("from_on", sa.Date, nullable=False),
    sa.Column("meter_ids", sa.ARRAY(sa.Uuid), nullable=False),
    sa.Column("flows", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("signs", sa.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("created_at", _INSTANT, nullable=False, server_default=_CLOCK),
    _entry_id(),
    sa.UniqueConstraint("tenant_id", "id", name="definition_entry"),
)
account = sa.Table(
    "account",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Uuid),
    sa.Column("debits", _MONEY, nullable=False),
    sa.Column("credits", _MONEY, nullable=False),
    sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("tenant_id", "currency", "code", name="account_code"),
    sa.UniqueConstraint("tenant_id", "id", "currency", name="account_currency"),
    sa.Index("account_by_customer", "tenant_id", "customer_id"),
)
account_part = sa.Table(
    "account_part",
    METADATA,
    _tenant(),
    sa.Column("account_id", sa.Uuid, primary_key=True),
    sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("debits", _MONEY, nullable=False),
    sa.Column("credits", _MONEY, nullable=False),
    sa.ForeignKeyConstraint(["tenant_id", "account_id"], ["account.tenant_id", "account.id"]),
)
transaction = sa.Table(
    "transaction",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("document_id", sa.Uuid, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("reverses_id", sa.Uuid),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("total", _MONEY, nullable=False),
    sa.Column("occurred_at", _INSTANT, nullable=False),
    sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("postings", sa.SmallInteger, nullable=False),
    sa.Column("memo", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("tenant_id", "document_id", name="transaction_one_per_document"),
    sa.UniqueConstraint("tenant_id", "reverses_id", name="transaction_one_reversal"),
    sa.Index("transaction_by_age", "tenant_id", "recorded_at", "id"),
    sa.Index("transaction_by_customer", "tenant_id", "customer_id", "occurred_at"),
)
posting = sa.Table(
    "posting",
    METADATA,
    _tenant(),
    sa.Column("transaction_id", sa.Uuid, primary_key=True),
    sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount", _MONEY, nullable=False),
    sa.Column("occurred_at", _INSTANT, nullable=False),
    sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
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
    _tenant(),
    sa.Column("invoice_id", sa.Uuid, primary_key=True),
    sa.Column("credit_note_id", sa.Uuid, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("voided_at", _INSTANT, nullable=False),
    sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
)
customer = sa.Table(
    "customer",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("announced", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index(
        "customer_to_announce",
        "tenant_id",
        "id",
        postgresql_where=sa.text("announced < version"),
    ),
)
open_item = sa.Table(
    "open_item",
    METADATA,
    _tenant(),
    _id(),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("total", _MONEY, nullable=False),
    sa.Column("settled", _MONEY, nullable=False),
    sa.Column("voided", sa.Boolean, nullable=False),
    sa.Column("issued_at", _INSTANT),
    sa.Column("due_on", sa.Date),
    sa.Column("overdue_told", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("open_item_by_customer", "tenant_id", "customer_id", "issued_at", "id"),
    sa.Index(
        "open_item_open",
        "tenant_id",
        "customer_id",
        "currency",
        "due_on",
        postgresql_where=sa.text("total <> settled"),
    ),
    sa.Index(
        "open_item_overdue",
        "due_on",
        postgresql_where=sa.text("total > settled AND NOT overdue_told"),
    ),
)
allocation = sa.Table(
    "allocation",
    METADATA,
    _tenant(),
    sa.Column("transaction_id", sa.Uuid, primary_key=True),
    sa.Column("line", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.Uuid, nullable=False),
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("customer_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount", _MONEY, nullable=False),
    sa.Column("occurred_at", _INSTANT, nullable=False),
    sa.Column("recorded_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Index("allocation_by_item", "tenant_id", "item_id"),
    sa.Index("allocation_by_source", "tenant_id", "source_id"),
)
payment_terms = sa.Table(
    "payment_terms",
    METADATA,
    _tenant(),
    sa.Column("payment_days", sa.SmallInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("updated_at", _INSTANT, nullable=False, server_default=sa.func.now()),
)
seal_queue = sa.Table(
    "seal_queue",
    METADATA,
    _tenant(),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Uuid, nullable=False),
    sa.Column("queued_at", _INSTANT, nullable=False, server_default=sa.func.now()),
)
chain_head = sa.Table(
    "chain_head",
    METADATA,
    _tenant(),
    sa.Column("size", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("head", sa.LargeBinary),
    sa.Column("peaks", sa.LargeBinary, nullable=False, server_default=""),
)
seal = sa.Table(
    "seal",
    METADATA,
    _tenant(),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Uuid, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("head", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("tenant_id", "kind", "entry_id", name="seal_one_per_entry"),
)
checkpoint = sa.Table(
    "checkpoint",
    METADATA,
    _tenant(),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("head", sa.LargeBinary, nullable=False),
    sa.Column("peaks", sa.LargeBinary, nullable=False),
    sa.Column("chunk_root", sa.LargeBinary, nullable=False),
    sa.Column("made_at", _INSTANT, nullable=False, server_default=sa.func.now()),
)
