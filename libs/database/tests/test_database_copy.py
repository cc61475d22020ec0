"""COPY bodies against the format's definition, read back field by field."""

import struct
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.database import copy


def rows_of(payload: bytes) -> list[list[bytes | None]]:
    assert payload.startswith(b"PGCOPY\n\xff\r\n\0" + bytes(8))
    at, rows = 19, []
    while (count := struct.unpack_from(">h", payload, at)[0]) != -1:
        at += 2
        fields: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", payload, at)
            at += 4
            fields.append(None if length < 0 else payload[at : at + length])
            at += max(0, length)
        rows.append(fields)
    assert at + 2 == len(payload)
    return rows


def array_of(field: bytes) -> list[int | None]:
    dimensions, has_null, kind, length, lower = struct.unpack_from(">5i", field)
    assert (dimensions, kind, lower) == (1, 23, 1)
    at, values = 20, []
    for _ in range(length):
        (size,) = struct.unpack_from(">i", field, at)
        values.append(struct.unpack_from(">i", field, at + 4)[0] if size == 4 else None)
        at += 4 + max(0, size)
    assert at == len(field)
    assert has_null == (None in values)
    return values


def test_columns_become_rows():
    ids = [UUID(int=1), UUID(int=2)]
    payload = copy.body(
        6,
        copy.texts(["é", "b"]),
        copy.fixed(
            copy.uuids(ids),
            np.array([1, -2], np.int16),
            np.array([3, 4], np.int64),
            np.frombuffer(b"AE", "S1"),
        ),
        [copy.NULL, copy.NULL],
    )
    assert rows_of(payload) == [
        ["é".encode(), ids[0].bytes, b"\0\1", struct.pack(">q", 3), b"A", None],
        [b"b", ids[1].bytes, b"\xff\xfe", struct.pack(">q", 4), b"E", None],
    ]


def test_letters_are_cut_by_their_lengths():
    flat = np.frombuffer(b"AAE-", np.uint8)
    assert copy.byte_texts(flat, np.array([3, 1])) == [b"\0\0\0\x03AAE", b"\0\0\0\x01-"]
    assert copy.byte_texts(flat[:0], np.array([], np.int64)) == []


@pytest.mark.parametrize(
    "arrays",
    [
        [[1, 2, 3], [4]],
        [[None], [5, None, 6], [None, None]],
        [[2**31 - 1, 0]],
    ],
)
def test_arrays_of_any_length_with_gaps(arrays):
    flat = np.array([copy.MISSING if v is None else v for a in arrays for v in a], np.int32)
    fields = copy.int4_arrays(flat, np.array([len(a) for a in arrays]))
    assert [array_of(field[4:]) for field in fields] == arrays
    assert [struct.unpack(">i", field[:4])[0] for field in fields] == [len(f) - 4 for f in fields]


def test_arrays_that_were_sent_are_read_back():
    matrix = np.arange(6, dtype=np.int32).reshape(2, 3)
    sent = [field[4:] for field in copy.int4_arrays(matrix.ravel(), np.array([3, 3]))]
    assert np.array_equal(copy.read_int4_arrays(sent, 3), matrix)
    both = copy.split_int4_arrays(b"".join(sent))
    assert [array.tolist() for array in both] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="4 elements"):
        copy.read_int4_arrays(sent, 4)


VALUES = st.one_of(st.none(), st.integers(0, 2**31 - 1), st.just(4))


@given(st.lists(st.lists(VALUES, min_size=1, max_size=100), max_size=8))
def test_arrays_that_were_sent_are_joined(arrays):
    check_joined(arrays)


@given(st.integers(1, 100), st.integers(1, 8), st.data())
def test_arrays_of_one_length_that_were_sent_are_joined(length, count, data):
    rows = st.lists(VALUES, min_size=length, max_size=length)
    check_joined(data.draw(st.lists(rows, min_size=count, max_size=count)))


def check_joined(arrays):
    flat = [copy.MISSING if v is None else v for array in arrays for v in array]
    lengths = np.array([len(array) for array in arrays], np.int64)
    sent = [field[4:] for field in copy.int4_arrays(np.array(flat, np.int32), lengths)]
    values, counts = copy.joined_int4_arrays(b"".join(sent))
    assert (values.tolist(), counts) == (flat, lengths.tolist())


def test_times_count_from_the_year_2000():
    assert copy.microseconds(datetime(2000, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert copy.microseconds(datetime(1999, 12, 31, tzinfo=UTC)) == -86_400_000_000
    assert copy.day_number(date(2000, 2, 1)) == 31
    assert copy.int4_arrays(np.array([], np.int32), np.array([], np.int64)) == []
