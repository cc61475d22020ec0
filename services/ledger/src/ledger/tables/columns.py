"""What the tables' columns have in common."""

import sqlalchemy as sa

METADATA = sa.MetaData()


def tenant() -> sa.Column[str]:
    """Whose row it is."""
    return sa.Column("tenant_id", sa.Text, primary_key=True)


def id_column() -> sa.Column[object]:
    """What names a row."""
    return sa.Column("id", sa.Uuid, primary_key=True)


def entry_id() -> sa.Column[object]:
    """What names a row in the chain of sealed entries."""
    return sa.Column("id", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid())


def stamps() -> tuple[sa.Column[object], ...]:
    """Which version of a row, and since when."""
    return (
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
    )


def version() -> tuple[sa.Column[object], ...]:
    """Which version of a thing of the registry, and what names it in the chain."""
    return (
        sa.Column("created_at", INSTANT, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        entry_id(),
        sa.Column("updated_at", INSTANT, nullable=False),
    )


def face() -> tuple[sa.Column[object], ...]:
    """What a register shows, and what its figures are multiplied by."""
    return (
        sa.Column("digits", sa.SmallInteger, nullable=False),
        sa.Column("decimals", sa.SmallInteger, nullable=False),
        sa.Column("multiplier", sa.Numeric, nullable=False),
    )


INSTANT = sa.DateTime(timezone=True)
CLOCK = sa.func.clock_timestamp()
"""The moment itself, not that of the transaction's begin: it follows the order of locks."""
MONEY = sa.Numeric(38, 8)
