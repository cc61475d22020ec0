"""The table of customers on prepayment."""

import sqlalchemy as sa

from gridtally.database.columns import key, tenant
from gridtally.ledger.columns import METADATA

prepaid_customer = sa.Table(
    "prepaid_customer",
    METADATA,
    tenant(),
    key("customer_id"),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
"""Who is on prepayment, as billing published it; one who is not any more keeps a row, which no
older version replaces."""
