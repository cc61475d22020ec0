"""Series of many channels as a stream of Arrow record batches, and reading such a stream.

Owns the schema: a row per channel, its values as a list. Values are never negative, so that -1
stands for one that is missing until it is written as null.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

MISSING = -1
_END = b"\xff\xff\xff\xff\0\0\0\0"
"""The end of a stream, as Arrow's format has it: a message of no length."""


class SeriesStream:
    """The pieces of a stream; `wide` where values may need more than four bytes."""

    def __init__(self, *, wide: bool) -> None:
        self._value = pa.int64() if wide else pa.int32()
        self._schema = pa.schema(
            {
                "meter_id": pa.string(),
                "flow": pa.string(),
                "zone": pa.string(),
                "minutes": pa.int16(),
                "start_on": pa.date32(),
                "end_on": pa.date32(),
                "values": pa.list_(self._value),
                "quality": pa.string(),
            }
        )

    @property
    def begin(self) -> bytes:
        """What the stream begins with."""
        begun: bytes = self._schema.serialize().to_pybytes()
        return begun

    @property
    def end(self) -> bytes:
        """What it ends with; a stream without it was cut off."""
        return _END

    def batch(self, columns: Mapping[str, Sequence[Any]]) -> bytes:
        """Some rows; `values` holds an array of whole numbers for each. Texts may be UTF-8."""
        arrays = [
            self._lists(columns["values"])
            if name == "values"
            else _column(self._schema.field(name).type, columns[name])
            for name in self._schema.names
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        written: bytes = batch.serialize().to_pybytes()
        return written

    def _lists(self, values: Sequence[npt.NDArray[Any]]) -> pa.ListArray:
        width = np.int64 if self._value == pa.int64() else np.int32
        flat = np.concatenate([np.empty(0, width), *values]).astype(width, copy=False)
        absent = flat == MISSING
        validity = np.packbits(~absent, bitorder="little") if absent.any() else None
        items = _array(self._value, flat.size, [validity, flat])
        ends = np.cumsum([array.size for array in values], dtype=np.int64)
        offsets = np.concatenate(([0], ends)).astype(np.int32)
        lists = pa.list_(self._value)
        return _array(lists, len(values), [None, offsets], [items])


# Arrays are made of their buffers, and read from them: Arrow's own conversions ask whether they are
# given something of pandas, and import it, for a second and forty megabytes, where it is installed.
def _column(type_: pa.DataType, values: Sequence[Any]) -> pa.Array:
    """A column of texts (as UTF-8 or not yet), short numbers or dates, none of them null."""
    if type_ == pa.string():
        texts = [value if isinstance(value, bytes) else value.encode() for value in values]
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        offsets = np.concatenate(([0], ends)).astype(np.int32)
        return _array(type_, len(texts), [None, offsets, b"".join(texts)])
    if type_ == pa.date32():
        days = np.array(values, "M8[D]").astype(np.int32)
        return _array(type_, days.size, [None, days])
    numbers = np.array(values, np.int16)
    return _array(type_, numbers.size, [None, numbers])


def _array(
    type_: pa.DataType,
    length: int,
    buffers: Sequence[npt.NDArray[Any] | bytes | None],
    children: Sequence[pa.Array] = (),
) -> pa.Array:
    held = [None if buffer is None else pa.py_buffer(buffer) for buffer in buffers]
    return pa.Array.from_buffers(type_, length, held, children=list(children) or None)


Values = npt.NDArray[np.int32] | npt.NDArray[np.int64]


def read_series(
    stream: bytes, names: Collection[str] | None = None
) -> Iterator[tuple[dict[str, Any], Values]]:
    """Each row of a whole stream without its values, or only its columns of these `names`, and the
    values, read-only and `MISSING` where there is none.

    ValueError where the stream was cut off.
    """
    if not stream.endswith(_END):
        raise ValueError("the stream of series was cut off")
    with ipc.open_stream(BytesIO(stream)) as reader:
        for batch in reader:
            column = batch.column("values")
            values = _values(column.values)
            starts = column.offsets.to_pylist()
            shown = [name for name in batch.schema.names if name != "values"]
            rows = batch.select([name for name in shown if names is None or name in names])
            for row, start, end in zip(rows.to_pylist(), starts, starts[1:], strict=False):
                yield row, values[start:end]


def _values(items: pa.Array) -> Values:
    """Whole numbers, `MISSING` where there is none."""
    dtype: Any = np.int64 if items.type == pa.int64() else np.int32
    validity, numbers = items.buffers()
    if not len(items):
        return np.empty(0, dtype)
    within = slice(items.offset, items.offset + len(items))
    values = np.frombuffer(numbers, dtype)[within]
    if validity is None:
        return values
    valid = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[within]
    return np.where(valid, values, np.array(MISSING, dtype))
