"""The columns that the tables of all services have in common.

    customer = sa.Table("customer", METADATA, tenant(), key(), required("name", sa.Text), *stamps())

Owns their names and types. Each call makes new columns, since a column belongs to one table.
"""

from typing import Any

import sqlalchemy as sa

INSTANT = sa.DateTime(timezone=True)
"""An instant; PostgreSQL stores it in UTC, to the microsecond."""

Kind = sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]


def tenant() -> sa.Column[str]:
    """`tenant_id`: whose row it is, first in every primary key."""
    return sa.Column("tenant_id", sa.Text, primary_key=True)


def key(name: str = "id", kind: Kind = sa.Uuid) -> sa.Column[Any]:
    """A further column of the primary key, whose values the service makes itself."""
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def required(name: str, kind: Kind) -> sa.Column[Any]:
    """A column that always has a value, and no default."""
    return sa.Column(name, kind, nullable=False)


def created_at() -> sa.Column[Any]:
    """When the row was made: by default the begin of the transaction that makes it."""
    return sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now())


def stamps() -> tuple[sa.Column[Any], ...]:
    """The stamps of a stored resource: its version, counted from 1, and its two instants."""
    return (
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        created_at(),
        sa.Column("updated_at", INSTANT, nullable=False, server_default=sa.func.now()),
    )
