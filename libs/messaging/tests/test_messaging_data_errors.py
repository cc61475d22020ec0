"""What makes a handler fail: the message, or what would befall any."""

import asyncpg
import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from gridtally.database.engine import AccessRefused
from gridtally.kernel.errors import Transient
from gridtally.messaging.data_errors import blame_of


def wrapped(cause):
    """A failure as SQLAlchemy passes the driver's on."""
    return DBAPIError("INSERT", {}, cause)


def caused(failure, cause):
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    "failure",
    [
        asyncpg.NumericValueOutOfRangeError("too large"),
        asyncpg.UniqueViolationError("twice"),
        asyncpg.StatementTooComplexError("too deep"),
        wrapped(asyncpg.CheckViolationError("odd")),
        wrapped(caused(asyncpg.DataError("int64"), OverflowError("int64"))),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        RecursionError(),
    ],
)
def test_what_cannot_be_stored_is_the_datas_own(failure):
    assert blame_of(failure) == "data"


@pytest.mark.parametrize(
    "failure",
    [
        ZeroDivisionError(),
        KeyError("amount"),
        orjson.JSONEncodeError("Integer exceeds 64-bit range"),
        AssertionError(),
        wrapped(asyncpg.InterfaceError("expected str, got int")),
    ],
)
def test_what_our_code_does_not_survive_is_a_defect_that_the_message_shows(failure):
    assert blame_of(failure) == "defect"


@pytest.mark.parametrize(
    "failure",
    [
        asyncpg.UndefinedTableError("a migration is missing"),
        wrapped(asyncpg.InsufficientPrivilegeError("no grant")),
        asyncpg.ReadOnlySQLTransactionError("a standby"),
        MemoryError(),
        OSError(28, "no space"),
        caused(ValueError(), MemoryError()),
        AccessRefused("another password"),
        Transient("away"),
    ],
)
def test_what_would_befall_any_message_blames_none(failure):
    assert blame_of(failure) is None
