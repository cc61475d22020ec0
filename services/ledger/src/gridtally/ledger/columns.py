"""The columns of several of the ledger's tables, beside those that all services have.

Owns the one METADATA that the tables of all features belong to.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()
CLOCK = sa.func.clock_timestamp()
"""The moment itself, not that of the transaction's begin: it follows the order of locks."""
MONEY = sa.Numeric(38, 8)


def entry_id() -> sa.Column[object]:
    """What names a row in the chain of sealed entries."""
    return sa.Column("id", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid())


def beside_the_chain() -> tuple[sa.Column[object], ...]:
    """The salt of a row's texts, which lie beside the chain, and what an erasure leaves of both.
    Rows from before have neither, and are sealed with their texts."""
    salt = sa.text("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())")
    return (
        sa.Column("salt", sa.LargeBinary, server_default=salt),
        sa.Column("commitment", sa.LargeBinary, server_default=sa.FetchedValue()),
    )


def erased(table: str) -> sa.CheckConstraint:
    """A row has its salt, or what is left of it."""
    return sa.CheckConstraint("salt IS NULL OR commitment IS NULL", name=f"{table}_erased")


def register_columns() -> tuple[sa.Column[object], ...]:
    """A register: the digits and decimals that it shows, the multiplier of its transformers, and
    the total at which it begins again, where that is no power of ten."""
    return (
        sa.Column("digits", sa.SmallInteger, nullable=False),
        sa.Column("decimals", sa.SmallInteger, nullable=False),
        sa.Column("multiplier", sa.Numeric, nullable=False),
        sa.Column("rollover_kwh", sa.Numeric),
    )
