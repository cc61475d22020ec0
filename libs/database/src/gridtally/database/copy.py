"""Bodies for binary COPY, encoded column by column so that no Python loop runs over values.

Owns PostgreSQL's binary COPY format and its binary integers, times and `int4[]`. A column is a
list with one field of bytes per row; `body` joins the columns. Source: PostgreSQL 17, `COPY`,
"Binary Format", and `array_send` in the server's arrayfuncs.c.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

Field = bytes
"""One value in COPY's form: its length as four bytes, then its bytes."""
Ints = npt.NDArray[np.integer]
NULL: Field = b"\xff\xff\xff\xff"
MISSING = -1
"""Stands for NULL within arrays of values that are never negative."""

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_INT4_OID = 23
_ARRAY_WORDS = 5
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(2000, 1, 1).toordinal()
_US = timedelta(microseconds=1)


def body(fields_per_row: int, *columns: Sequence[Field]) -> bytes:
    """The whole COPY body; what `fixed` makes of several arrays counts as several columns."""
    count = fields_per_row.to_bytes(2, "big")
    rows = zip(repeat(count), *columns, strict=False)
    return b"".join((_SIGNATURE, *chain.from_iterable(rows), _END))


def texts(values: Iterable[str]) -> list[Field]:
    """`text`; a text that repeats is encoded once."""
    known: dict[str, Field] = {}
    fields = []
    for value in values:
        field = known.get(value)
        if field is None:
            encoded = value.encode()
            field = known[value] = len(encoded).to_bytes(4, "big") + encoded
        fields.append(field)
    return fields


def uuids(values: Iterable[UUID]) -> npt.NDArray[np.void]:
    """`uuid`, for `fixed`."""
    return np.frombuffer(b"".join([value.bytes for value in values]), "V16")


def instants(moments: Iterable[datetime]) -> npt.NDArray[np.int64]:
    """`timestamptz`, for `fixed`."""
    since = np.array([moment - _EPOCH for moment in moments], "m8[us]")
    return since.view(np.int64)


def byte_texts(values: npt.NDArray[np.uint8], lengths: Ints) -> list[Field]:
    """`text` of one byte per character, all rows one after another in `values`."""
    payload, ends = values.tobytes(), np.cumsum(lengths).tolist()
    heads = _slices(lengths.astype(">i4").tobytes(), 4)
    cuts = zip(heads, [0, *ends], ends, strict=False)
    return [head + payload[start:end] for head, start, end in cuts]


def fixed(*columns: npt.NDArray[Any]) -> list[Field]:
    """Adjacent columns whose values have one length each, by each array's own width.

    Integers are `smallint`, `int` or `bigint`; bytes (`V16` for `uuid`, `S1` for a letter) stay.
    """
    kinds: list[tuple[str, Any]] = []
    for index, column in enumerate(columns):
        kinds += [(f"length{index}", ">i4"), (f"value{index}", column.dtype.newbyteorder(">"))]
    packed = np.empty(len(columns[0]), dtype=np.dtype(kinds))
    for index, column in enumerate(columns):
        packed[f"length{index}"] = column.dtype.itemsize
        packed[f"value{index}"] = column
    return _slices(packed.tobytes(), packed.dtype.itemsize)


def microseconds(at: datetime) -> int:
    """`timestamptz` as its `bigint`: microseconds since 2000-01-01 UTC."""
    return (at - _EPOCH) // _US


def day_number(day: date) -> int:
    """`date` as its `int`: days since 2000-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


# `values` has all rows' elements on one axis, `lengths` cuts it into rows; nothing here is a loop
# over values. An element is two words: its length in bytes, 4 or -1 for NULL, and the value, which
# a NULL has not: hence `words` with two columns, and one mask over both. The plain way, lists of
# Python ints that asyncpg encodes one by one, makes an object for each reading of a batch.
def int4_arrays(values: Ints, lengths: Ints) -> list[Field]:
    """`int4[]`: one field for each of `lengths` (≥ 1), which cut `values` into rows.

    MISSING becomes NULL.
    """
    if not lengths.size:
        return []
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    absent = values == MISSING
    gaps = np.add.reduceat(absent, begins, dtype=np.int64)
    words = np.empty((values.size, 2), dtype=">i4")
    words[:, 0] = np.where(absent, -1, 4)
    words[:, 1] = values
    if gaps.any():
        words = words[np.column_stack((np.ones_like(absent), ~absent))]
    sizes = 8 * lengths - 4 * gaps
    heads = np.empty((lengths.size, 1 + _ARRAY_WORDS), dtype=">i4")
    heads[:, 0] = 4 * _ARRAY_WORDS + sizes
    heads[:, 1] = 1
    heads[:, 2] = gaps > 0
    heads[:, 3] = _INT4_OID
    heads[:, 4] = lengths
    heads[:, 5] = 1
    payload, ends = words.tobytes(), np.cumsum(sizes).tolist()
    cuts = zip(_slices(heads.tobytes(), 4 * (1 + _ARRAY_WORDS)), [0, *ends], ends, strict=False)
    return [head + payload[start:end] for head, start, end in cuts]


def read_int4_arrays(sent: Sequence[bytes], length: int) -> npt.NDArray[np.int32]:
    """`array_send` of int4[] without NULLs, all of `length`, as a matrix: arrays × elements.

    ValueError where an array has another length.
    """
    words = np.frombuffer(b"".join(sent), dtype=">i4").reshape(len(sent), -1)
    if words.shape[1] != _ARRAY_WORDS + 2 * length:
        raise ValueError(f"the arrays do not have {length} elements each")
    return words[:, _ARRAY_WORDS + 1 :: 2].astype(np.int32)


def split_int4_arrays(sent: bytes) -> list[npt.NDArray[np.int32]]:
    """`array_send` of int4[] without NULLs, of any lengths, one after another."""
    words = np.frombuffer(sent, dtype=">i4")
    arrays, begin = [], 0
    while begin < words.size:
        end = begin + _ARRAY_WORDS + 2 * int(words[begin + 3])
        arrays.append(words[begin + _ARRAY_WORDS + 1 : end : 2].astype(np.int32))
        begin = end
    return arrays


# Most of what is read in bulk is days of one length without NULLs, which are rows of a matrix then;
# else each array is cut out by itself. A NULL is the one word -1 where another element is a 4 and
# its value, so that the n-th word of -1, at p, is the element (p + n) / 2.
def joined_int4_arrays(sent: bytes) -> tuple[npt.NDArray[np.int32], list[int]]:
    """`array_send` of int4[], one after another: all elements on one axis, and how many each has.

    NULL becomes MISSING; elements are never negative.
    """
    words = np.frombuffer(sent, dtype=">i4")
    if not words.size:
        return np.empty(0, np.int32), []
    length = int(words[3])
    width = _ARRAY_WORDS + 2 * length
    if words.size % width == 0:
        rows = words.reshape(-1, width)
        if not rows[:, 1].any() and (rows[:, 3] == length).all():
            return rows[:, _ARRAY_WORDS + 1 :: 2].astype(np.int32).ravel(), [length] * len(rows)
    arrays, begin = [], 0
    while begin < words.size:
        length, begin = int(words[begin + 3]), begin + _ARRAY_WORDS
        array, begin = _elements(words, begin, length)
        arrays.append(array)
    return np.concatenate(arrays), [array.size for array in arrays]


def _elements(words: npt.NDArray[Any], begin: int, length: int) -> tuple[npt.NDArray[Any], int]:
    """The elements of the array whose first one is at `begin`, and where they end.

    A NULL counts twice, since it is one word of the two that an element has.
    """
    part = words[begin : begin + 2 * length]
    counted = np.cumsum(1 + (part == -1))
    end = int(np.searchsorted(counted, 2 * length)) + 1
    absent = part[:end] == -1
    array = np.full(length, MISSING, np.int32)
    present = np.ones(length, np.bool_)
    positions = np.flatnonzero(absent)
    present[(positions + np.arange(positions.size)) // 2] = False
    array[present] = part[:end][~absent][1::2]
    return array, begin + end


def _slices(buffer: bytes, size: int) -> list[bytes]:
    return [buffer[start : start + size] for start in range(0, len(buffer), size)]
