"""Series as Arrow streams: what Arrow reads is what was written, and what we read is that too."""

import subprocess
import sys
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc

from gridtally.exports.series import MISSING, SeriesStream, read_series

VALUES = st.lists(st.none() | st.integers(0, 2**31 - 1), max_size=40)
ROWS = st.lists(st.tuples(st.text(max_size=8), st.dates(), VALUES), max_size=5)
WITHOUT_PANDAS = """
import sys
import numpy as np
from datetime import date
from gridtally.exports.series import SeriesStream, read_series
stream = SeriesStream(wide=False)
row = dict.fromkeys(("meter_id", "flow", "zone", "quality"), ["x"]) | {"minutes": [15]}
row |= {"start_on": [date(2025, 4, 1)], "end_on": [date(2025, 4, 2)]}
piece = stream.batch(row | {"values": [np.array([1, -1], np.int32)]})
read = read_series(stream.begin + piece + stream.end)
assert [values.tolist() for _, values in read] == [[1, -1]]
sys.exit("pandas" in sys.modules)
"""


def columns(rows):
    return {
        "meter_id": [text for text, _, _ in rows],
        "flow": ["import"] * len(rows),
        "zone": ["Europe/Berlin"] * len(rows),
        "minutes": [15] * len(rows),
        "start_on": [day for _, day, _ in rows],
        "end_on": [day for _, day, _ in rows],
        "values": [
            np.array([MISSING if value is None else value for value in values], np.int32)
            for _, _, values in rows
        ],
        "quality": ["A" * len(values) for _, _, values in rows],
    }


@given(batches=st.lists(ROWS, min_size=1, max_size=3), wide=st.booleans())
def test_arrow_reads_what_was_written(batches, wide):
    stream = SeriesStream(wide=wide)
    written = stream.begin + b"".join(stream.batch(columns(rows)) for rows in batches) + stream.end
    table = ipc.open_stream(written).read_all()
    table.validate(full=True)
    assert table.schema.field("values").type == pa.list_(pa.int64() if wide else pa.int32())
    rows = [row for batch in batches for row in batch]
    listed = table.to_pylist()
    assert [(row["meter_id"], row["start_on"], row["values"]) for row in listed] == rows
    for (named, values), row in zip(read_series(written), listed, strict=True):
        assert named == {name: row[name] for name in row if name != "values"}
        assert values.dtype == (np.int64 if wide else np.int32)
        assert [None if value == MISSING else value for value in values.tolist()] == row["values"]


def test_some_columns_are_read():
    stream = SeriesStream(wide=False)
    rows = [("m1", date(2025, 4, 1), [1, None]), ("m2", date(2025, 4, 1), [3])]
    written = stream.begin + stream.batch(columns(rows)) + stream.end
    read = [(row, values.tolist()) for row, values in read_series(written, ("meter_id", "minutes"))]
    assert read == [
        ({"meter_id": "m1", "minutes": 15}, [1, MISSING]),
        ({"meter_id": "m2", "minutes": 15}, [3]),
    ]
    with pytest.raises(ValueError, match="cut off"):
        list(read_series(written[:-1]))


def test_pandas_is_left_alone():
    """It takes a second and forty megabytes of a process, where it is installed, as here."""
    assert subprocess.run([sys.executable, "-c", "import pandas"], check=False).returncode == 0
    assert subprocess.run([sys.executable, "-c", WITHOUT_PANDAS], check=False).returncode == 0
