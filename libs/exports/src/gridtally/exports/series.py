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
        """Some rows; `values` holds an array of whole numbers for each."""
        arrays = [
            self._lists(columns["values"])
            if name == "values"
            else pa.array(columns[name], self._schema.field(name).type)
            for name in self._schema.names
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        written: bytes = batch.serialize().to_pybytes()
        return written

    def _lists(self, values: Sequence[npt.NDArray[Any]]) -> pa.ListArray:
        flat = np.concatenate([np.empty(0, np.int32), *values])
        offsets = np.concatenate(([0], np.cumsum([array.size for array in values], dtype=np.int64)))
        absent = flat == MISSING
        items = pa.array(flat, self._value, mask=absent if absent.any() else None)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


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
            items = column.values
            values = (items.fill_null(MISSING) if items.null_count else items).to_numpy()
            offsets = column.offsets.to_pylist()
            shown = [name for name in batch.schema.names if name != "values"]
            rows = batch.select([name for name in shown if names is None or name in names])
            for row, start, end in zip(rows.to_pylist(), offsets, offsets[1:], strict=False):
                yield row, values[start:end]
