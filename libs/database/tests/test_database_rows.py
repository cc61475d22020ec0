"""Rows by the names of columns."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from gridtally.database.columns import created_at, key, required, stamps, tenant
from gridtally.database.constraints import broken_constraint, rejecting
from gridtally.database.pages import PagePosition, page_after, sorted_page
from gridtally.database.rows import among, as_row, columns_of, from_row, insert_rows, stored
from gridtally.kernel.errors import Conflict, Rejected

AN_ID = UUID(int=7)
AT = datetime(2025, 10, 1, tzinfo=UTC)
METADATA = sa.MetaData()
bill = sa.Table(
    "bill", METADATA, tenant(), key(), required("start_on", sa.Date), sa.Column("note", sa.Text),
    created_at(),
)  # fmt: skip
shelf = sa.Table("shelf", METADATA, tenant(), key("values", ARRAY(sa.Integer)))
book = sa.Table("book", METADATA, tenant(), key(), required("name", sa.Text), *stamps())


@dataclass(frozen=True, slots=True)
class Bill:
    tenant_id: str
    id: UUID
    note: str | None
    days: tuple[date, date]


A_BILL = Bill("acme", AN_ID, None, (date(2025, 10, 1), date(2025, 11, 1)))
ROW = {"tenant_id": "acme", "id": AN_ID, "note": None, "start_on": date(2025, 10, 1)}


class Transaction:
    """Remembers what was sent."""

    def __init__(self):
        self.sent = []

    @property
    def raw(self):
        return self

    async def fetch(self, statement, *arguments):
        self.sent.append((statement, *arguments))
        return []


def sql(statement):
    return str(statement.compile(dialect=postgresql.dialect()))


def test_a_row_has_the_fields_that_are_columns_and_what_is_named():
    assert as_row(A_BILL, bill, start_on=A_BILL.days[0]) == ROW


def test_a_value_has_the_columns_that_are_fields_and_what_is_named():
    assert from_row(Bill, ROW | {"start_on": 1}, days=A_BILL.days) == A_BILL
    with pytest.raises(KeyError, match="days"):
        from_row(Bill, ROW)


async def test_rows_are_inserted_by_name_as_one_array_per_column():
    tx = Transaction()
    await insert_rows(tx, bill, [ROW, ROW | {"note": "two"}], "RETURNING id")
    [(statement, *arrays)] = tx.sent
    assert statement == (
        'INSERT INTO bill ("tenant_id", "id", "note", "start_on") SELECT * FROM '
        "unnest($1::TEXT[], $2::UUID[], $3::TEXT[], $4::DATE[]) RETURNING id"
    )
    assert arrays == [["acme"] * 2, [AN_ID] * 2, [None, "two"], [date(2025, 10, 1)] * 2]


async def test_no_rows_are_no_statement():
    tx = Transaction()
    assert await insert_rows(tx, bill, []) == []
    assert tx.sent == []


@pytest.mark.parametrize(
    ("table", "row", "fault"),
    [
        (bill, {name: ROW[name] for name in ROW if name != "note"}, r"missing \['note'\]"),
        (bill, ROW | {"zone": "UTC"}, r"unknown \['zone'\]"),
        (shelf, {"tenant_id": "acme", "values": [1]}, r"arrays \['values'\]"),
    ],
)
async def test_a_row_that_does_not_fit_its_table_is_a_defect(table, row, fault):
    with pytest.raises(ValueError, match=fault):
        await insert_rows(Transaction(), table, [row])


async def test_all_rows_have_the_same_columns():
    with pytest.raises(KeyError):
        await insert_rows(Transaction(), bill, [ROW, {"tenant_id": "acme"}])


def test_a_stored_resource_has_its_rows_stamps():
    row = {"name": "a", "version": 3, "created_at": AT, "updated_at": AT.replace(hour=1)}
    book_stored = stored("a", row)
    assert (book_stored.resource, book_stored.version) == ("a", 3)
    assert (book_stored.created_at, book_stored.updated_at) == (AT, AT.replace(hour=1))


@pytest.mark.parametrize(
    ("keys", "expected"), [([], [[], []]), ([("a", 1), ("b", 2)], [["a", "b"], [1, 2]])]
)
def test_keys_become_one_array_per_part(keys, expected):
    assert columns_of(keys, 2) == expected


def test_membership_takes_one_parameter_however_many_values_there_are():
    assert "book.id = ANY (%(param_1)s::UUID[])" in sql(among(book.c.id, [AN_ID] * 9))


AFTER = "(%(param_1)s::VARCHAR, %(param_2)s::UUID)"


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (PagePosition(3), "ORDER BY book.created_at, book.id"),
        (
            PagePosition(3, "name", after=("a", AN_ID)),
            f"WHERE (book.name, book.id) > {AFTER} ORDER BY book.name, book.id",
        ),
        (
            PagePosition(3, "name", descending=True, after=("a", AN_ID)),
            f"WHERE (book.name, book.id) < {AFTER} ORDER BY book.name DESC, book.id DESC",
        ),
    ],
)
def test_a_page_begins_after_the_last_row_seen(position, expected):
    text = " ".join(sql(sorted_page(sa.select(book), book, position)).split())
    assert expected in text


def test_a_page_may_be_in_the_order_of_any_columns_that_name_a_row():
    query = page_after(
        sa.select(bill), (bill.c.start_on, bill.c.note, bill.c.id), after=None, rows_max=5
    )
    assert "ORDER BY bill.start_on, bill.note, bill.id" in sql(query)


def broken(constraint):
    cause = asyncpg.UniqueViolationError("taken")
    cause.constraint_name = constraint
    return cause


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_broken_constraint_is_answered_by_its_name(wrapped):
    failure = broken("book_name")
    if wrapped:
        failure = IntegrityError("INSERT", {}, failure)
    taken = Conflict("name_taken", "another book has this name")
    with pytest.raises(Conflict, match="another book"), rejecting({"book_name": taken}):
        raise failure
    with pytest.raises(type(failure)), rejecting({"book_pages": taken}):
        raise failure


def test_other_failures_broke_no_constraint():
    assert broken_constraint(ZeroDivisionError()) is None
    with pytest.raises(ZeroDivisionError), rejecting({"": Rejected("x", "x")}):
        raise ZeroDivisionError
