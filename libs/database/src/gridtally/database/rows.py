"""Rows and values by the names of columns, and many rows in one statement.

    row = as_row(invoice, tables.invoice, start_on=invoice.period.start_on, …)
    await insert_rows(tx, tables.invoice, [row, …])
    invoice = from_row(Invoice, row, period=Period(row["start_on"], row["end_on"]))

Owns that a field of a dataclass and a column of the same name are one thing, so that a new field
is added in one place, and that a column nobody fills is an error.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import RowMapping

from gridtally.database.connections import WriteConnection
from gridtally.kernel.resources import Stored

T = TypeVar("T")
Row = RowMapping | Mapping[str, Any] | asyncpg.Record
"""A row by its columns' names, as SQLAlchemy or asyncpg returns it."""

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def as_row(value: Any, table: sa.Table, **columns: Any) -> dict[str, Any]:
    """The row of a dataclass: its fields that are columns of `table`, by name, and `columns`."""
    kind: Any = type(value)  # mypy does not see that a type can be hashed
    row = {name: getattr(value, name) for name in _shared_names(kind, table)}
    row.update(columns)
    return row


@cache
def _shared_names(kind: Any, table: sa.Table) -> tuple[str, ...]:
    names = [field.name for field in dataclasses.fields(kind)]
    return tuple(name for name in names if name in table.c)


def from_row(kind: type[T], row: Row, **fields: Any) -> T:
    """The dataclass `kind` with the row's columns that are named as its fields, and `fields`.

    KeyError where the row lacks a column for a field that is not among `fields`.
    """
    dataclass: Any = kind  # mypy does not see that a type can be hashed
    read = {name: row[name] for name in _field_names(dataclass) if name not in fields}
    return kind(**read, **fields)


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)


def stored(resource: T, row: Row) -> Stored[T]:
    """The resource with its row's stamps."""
    return Stored(resource, row["version"], row["created_at"], row["updated_at"])


# One array per column and one `unnest`: measured against COPY into a temporary table and an INSERT
# from there, this is as quick up to some thousand rows and takes one round trip instead of three;
# COPY itself refuses tables with row-level security.
async def insert_rows(
    tx: WriteConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]], then: str = ""
) -> list[asyncpg.Record]:
    """Insert rows, all with the same columns, in one statement; what `then` returns.

    `then` follows in the statement (`ON CONFLICT …`, `RETURNING …`), written in the code.
    ValueError where a row names what is no column of `table`, leaves out a column without a
    default, or has an array, which `unnest` would take apart.
    """
    if not rows:
        return []
    names = tuple(rows[0])
    arrays = [[row[name] for row in rows] for name in names]
    return await tx.raw.fetch(f"{_insert_sql(table, names)} {then}", *arrays)


@cache
def _insert_sql(table: sa.Table, names: tuple[str, ...]) -> str:
    unknown = [name for name in names if name not in table.c]
    missing = [
        column.name for column in table.c if column.name not in names and not _has_default(column)
    ]
    arrays = [name for name in names if name in table.c and isinstance(table.c[name].type, ARRAY)]
    if unknown or missing or arrays:
        raise ValueError(
            f"rows of {table.name}: unknown {unknown}, missing {missing}, arrays {arrays}"
        )
    types = [table.c[name].type.compile(_DIALECT) for name in names]
    parameters = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
    columns = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({parameters})"  # noqa: S608 - names of our own tables


def _has_default(column: sa.Column[Any]) -> bool:
    return any((column.server_default, column.identity, column.computed))


def columns_of(keys: Collection[tuple[object, ...]], parts: int) -> list[list[object]]:
    """Keys of so many parts as one array for each part, as `unnest` takes them."""
    return [list(column) for column in zip(*keys, strict=True)] if keys else [[]] * parts


def among(column: sa.ColumnElement[Any], values: Sequence[object]) -> sa.ColumnElement[bool]:
    """Whether a column has one of `values`: one parameter, however many there are."""
    return column == sa.any_(sa.literal(list(values), ARRAY(column.type)))
