"""Columns that hold a value of the domain as JSON: how it is written and read."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from gridtally.database.rows import Row

JsonColumns = Mapping[str, TypeAdapter[Any]]
"""The names of columns, which are those of the dataclass's fields, and what is in them."""


def as_json(value: object, columns: JsonColumns) -> dict[str, Any]:
    """The columns of a dataclass as SQLAlchemy takes them."""
    return {
        name: kind.dump_python(getattr(value, name), mode="json") for name, kind in columns.items()
    }


def as_texts(value: object, columns: JsonColumns) -> dict[str, str | None]:
    """The columns of a dataclass as the driver takes them; nothing is null."""
    values = {name: getattr(value, name) for name in columns}
    return {
        name: None if values[name] is None else kind.dump_json(values[name]).decode()
        for name, kind in columns.items()
    }


def from_json(row: Row, columns: JsonColumns) -> dict[str, Any]:
    """The values of a row's columns, whose JSON was read."""
    return {name: kind.validate_python(row[name]) for name, kind in columns.items()}
