"""The archive's two Parquet files: channel-days and blocks, sorted by meter, in small row groups.

Owns their columns and how rows become Arrow and come back. Only who needs it imports this module:
Arrow takes tens of megabytes. Any engine can read the files: ids are texts, instants are UTC, a
value that is missing is null.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from gridtally.ingest.domain import archive as files
from gridtally.ingest.domain.archive import (
    ArchivedBlock,
    ArchivedChannel,
    DayFacts,
    FlowTotal,
)
from gridtally.ingest.domain.bulk_series import StoredChannel
from gridtally.ingest.domain.merge import MISSING, Wh

_INSTANT = pa.timestamp("us", tz="UTC")
_WH = pa.list_(pa.int32())
DAYS = pa.schema(
    {
        "meter_id": pa.string(),
        "flow": pa.string(),
        "minutes": pa.int16(),
        "day": pa.date32(),
        "zone": pa.string(),
        "version": pa.int32(),
        "present": pa.int16(),
        "recorded_at": _INSTANT,
        "correlation_id": pa.string(),
        "quality": pa.string(),
        "values": _WH,
    }
)
BLOCKS = pa.schema(
    {
        "meter_id": pa.string(),
        "flow": pa.string(),
        "minutes": pa.int16(),
        "day": pa.date32(),
        "event_id": pa.string(),
        "start_at": _INSTANT,
        "slot": pa.int16(),
        "piece": pa.int16(),
        "quality": pa.string(),
        "read_at": _INSTANT,
        "recorded_at": _INSTANT,
        "source": pa.string(),
        "correlation_id": pa.string(),
        "values": _WH,
    }
)
CHANNEL_DAY = ("meter_id", "flow", "minutes", "day")
_SERIES = (*CHANNEL_DAY, "quality", "values")
_ORDER = {files.DAYS: CHANNEL_DAY, files.BLOCKS: (*CHANNEL_DAY, "event_id", "start_at")}
GROUP_ROWS = 128
"""Of a row group, at least: all rows of a meter are in one. Who asks for one meter decodes the days
of some four; larger groups make a year of one meter slower, smaller ones the files longer."""
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def table_of(
    schema: pa.Schema, rows: Sequence[Any], values: Wh, lengths: Sequence[int]
) -> pa.Table:
    """Rows of the database as a table: ids are texts and instants microseconds since 1970, since
    objects of each took most of the time. `values` are those of all rows, one after another."""
    columns = []
    for field in schema:
        if field.name == "values":
            columns.append(_lists(values, lengths))
            continue
        cells = [row[field.name] for row in rows]
        if field.type == _INSTANT:
            columns.append(pa.array(cells, pa.int64()).cast(_INSTANT))
        else:
            columns.append(pa.array(cells, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _lists(values: Wh, lengths: Sequence[int]) -> pa.ListArray:
    absent = values == MISSING
    validity = np.packbits(~absent, bitorder="little") if absent.any() else None
    held = None if validity is None else pa.py_buffer(validity)
    numbers = pa.py_buffer(np.ascontiguousarray(values, np.int32))
    items = pa.Array.from_buffers(pa.int32(), values.size, [held, numbers])
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int32)
    return pa.Array.from_buffers(_WH, len(lengths), [None, pa.py_buffer(offsets)], children=[items])


def write(path: Path, name: str, tables: Sequence[pa.Table]) -> pa.Table:
    """Write tables of one kind as one file, sorted; returns its rows."""
    table = pa.concat_tables(tables)
    table = table.sort_by([(column, "ascending") for column in _ORDER[name]]).combine_chunks()
    with parquet.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        write_page_checksum=True,
        write_statistics=["meter_id"],
    ) as writer:
        for start, end in pairwise(_group_bounds(table)):
            writer.write_table(table.slice(start, end - start), row_group_size=end - start)
    return table


def _group_bounds(table: pa.Table) -> list[int]:
    """Where row groups begin, and where the last one ends: only where a meter ends."""
    meters = table.column("meter_id").to_pylist()
    bounds = [0]
    for index in range(1, len(meters)):
        if index - bounds[-1] >= GROUP_ROWS and meters[index] != meters[index - 1]:
            bounds.append(index)
    return [*bounds, len(meters)] if meters else [0]


def without(table: pa.Table, left_out: Collection[tuple[UUID, str, int, date]]) -> pa.Table:
    """The table without the rows of these channel-days."""
    if not left_out:
        return table
    keys = zip(*(table.column(name).to_pylist() for name in CHANNEL_DAY), strict=True)
    gone = {(str(meter_id), *rest) for meter_id, *rest in left_out}
    return table.filter(pa.array([key not in gone for key in keys], pa.bool_()))


def totals(table: pa.Table) -> dict[str, FlowTotal]:
    """What the channel-days of a table have, by flow."""
    flows = table.column("flow").to_pylist()
    presents = table.column("present").to_pylist()
    found: dict[str, FlowTotal] = {}
    values = table.column("values").to_pylist()
    for flow, present, of_day in zip(flows, presents, values, strict=True):
        so_far = found.get(flow, FlowTotal(0, 0))
        energy = sum(value for value in of_day if value is not None)
        found[flow] = FlowTotal(so_far.present + present, so_far.energy_wh + energy)
    return found


def events_in(table: pa.Table) -> int:
    """How many events the blocks of a table are of: each has one first piece."""
    return sum(1 for piece in table.column("piece").to_pylist() if piece == 0)


class OpenFile:
    """A file whose end was read: which meters each row group has. Each read checks its pages."""

    def __init__(self, path: Path) -> None:
        self._file = parquet.ParquetFile(
            path,
            read_dictionary=["meter_id", "flow"],
            page_checksum_verification=True,
        )
        groups = (self._file.metadata.row_group(n) for n in range(self._file.num_row_groups))
        bounds = [group.column(0).statistics for group in groups]
        self._bounds = [(bound.min, bound.max) for bound in bounds]

    def whole(self) -> pa.Table:
        """All rows, with plain columns."""
        table = self._file.read(use_threads=False)
        schema = DAYS if "version" in table.schema.names else BLOCKS
        return table.cast(schema).combine_chunks()

    def channels(
        self, meter_ids: Sequence[UUID], flows: Collection[str], *, with_facts: bool
    ) -> Iterator[ArchivedChannel]:
        """The channels of these meters (sorted), by meter, flow and length."""
        columns = None if with_facts else list(_SERIES)
        for batch in self._batches(meter_ids, columns):
            values, offsets = _split(batch.column("values"))
            letters, quality_offsets = _texts(batch.column("quality"))
            days = _days(batch.column("day"))
            for meter_id, flow, minutes, start, end in _runs(batch, meter_ids, flows):
                stored = StoredChannel(
                    days[start:end],
                    values[offsets[start] : offsets[end]],
                    np.diff(offsets[start : end + 1]).tolist(),
                    letters[quality_offsets[start] : quality_offsets[end]],
                )
                facts = _facts(batch, start, end) if with_facts else ()
                yield ArchivedChannel(meter_id, flow, minutes, stored, facts)

    def blocks(self, meter_ids: Sequence[UUID]) -> Iterator[ArchivedBlock]:
        """The blocks of these meters (sorted)."""
        for batch in self._batches(meter_ids, None):
            values, offsets = _split(batch.column("values"))
            for meter_id, flow, minutes, start, end in _runs(batch, meter_ids, None):
                part = batch.slice(start, end - start)
                days = _days(part.column("day"))
                rows = zip(
                    days,
                    map(UUID, part.column("event_id").to_pylist()),
                    _instants(part.column("start_at")),
                    part.column("slot").to_pylist(),
                    part.column("piece").to_pylist(),
                    part.column("quality").to_pylist(),
                    _instants(part.column("read_at")),
                    _instants(part.column("recorded_at")),
                    part.column("source").to_pylist(),
                    part.column("correlation_id").to_pylist(),
                    pairwise(offsets[start : end + 1].tolist()),
                    strict=True,
                )
                for day, event_id, start_at, slot, piece, quality, *rest, bounds in rows:
                    read_at, recorded_at, source, correlation_id = rest
                    yield ArchivedBlock(
                        meter_id, flow, day, event_id, start_at, minutes, slot, piece, quality,
                        read_at, recorded_at, source, correlation_id, values[slice(*bounds)],
                    )  # fmt: skip

    def _batches(
        self, meter_ids: Sequence[UUID], columns: list[str] | None
    ) -> Iterator[pa.RecordBatch]:
        """The row groups that have one of these meters."""
        wanted = [str(meter_id) for meter_id in meter_ids]
        for number, (first, last) in enumerate(self._bounds):
            if any(first <= meter_id <= last for meter_id in wanted):
                table = self._file.read_row_group(number, columns=columns, use_threads=False)
                yield from table.combine_chunks().to_batches()


def _runs(
    batch: pa.RecordBatch, meter_ids: Collection[UUID], flows: Collection[str] | None
) -> Iterator[tuple[UUID, str, int, int, int]]:
    """Meter, flow and minutes of each channel that is asked for, and where its rows are."""
    codes = [
        _ints(batch.column("meter_id").indices, np.int32),
        _ints(batch.column("flow").indices, np.int32),
        _ints(batch.column("minutes"), np.int16),
    ]
    changes = np.any([code[1:] != code[:-1] for code in codes], axis=0)
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), len(batch)]
    meters = batch.column("meter_id").dictionary.to_pylist()
    names = batch.column("flow").dictionary.to_pylist()
    wanted = {str(meter_id): meter_id for meter_id in meter_ids}
    for start, end in pairwise(bounds):
        meter_id = wanted.get(meters[codes[0][start]])
        flow = names[codes[1][start]]
        if meter_id is not None and (flows is None or flow in flows):
            yield meter_id, flow, int(codes[2][start]), start, end


def _facts(batch: pa.RecordBatch, start: int, end: int) -> list[DayFacts]:
    part = batch.slice(start, end - start)
    return [
        DayFacts(*facts)
        for facts in zip(
            *(part.column(name).to_pylist() for name in ("zone", "version", "present")),
            _instants(part.column("recorded_at")),
            part.column("correlation_id").to_pylist(),
            strict=True,
        )
    ]


# Buffers are read as they are: Arrow's own conversions to numpy ask for pandas, and import it.
def _ints(array: pa.Array, dtype: Any) -> npt.NDArray[Any]:
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def _split(lists: pa.ListArray) -> tuple[Wh, npt.NDArray[np.int32]]:
    """All values of lists, MISSING where there is none, and where each list begins and ends."""
    offsets = np.frombuffer(lists.buffers()[1], np.int32)
    offsets = offsets[lists.offset : lists.offset + len(lists) + 1]
    items = lists.values
    values = _ints(items, np.int32) if len(items) else np.empty(0, np.int32)
    validity = items.buffers()[0]
    if validity is not None:
        bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
        valid = bits[items.offset : items.offset + len(items)]
        values = np.where(valid, values, np.int32(MISSING))
    return values, offsets


def _texts(texts: pa.StringArray) -> tuple[bytes, npt.NDArray[np.int32]]:
    """All texts one after another, and where each begins and ends."""
    _, offsets, data = texts.buffers()
    within = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return data.to_pybytes(), within


def _days(days: pa.Array) -> list[date]:
    first = _EPOCH_DAY.toordinal()
    return [date.fromordinal(first + day) for day in _ints(days, np.int32).tolist()]


def _instants(instants: pa.Array) -> list[datetime]:
    return [_EPOCH + timedelta(microseconds=us) for us in _ints(instants, np.int64).tolist()]
