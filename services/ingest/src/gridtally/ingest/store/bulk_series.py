"""Reading many channels back at once: one row for each, its days already joined by the database."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from gridtally.database import ReadConnection, copy
from gridtally.ingest.domain.archive import ArchivedChannel, merged
from gridtally.ingest.domain.bulk_series import (
    ChannelSeries,
    StoredChannel,
    chosen,
    whole_series,
)
from gridtally.ingest.domain.meters import Channel, Flow, Meter
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.series import fetch_days_known_at
from gridtally.kernel.periods import Period

# The server joins the days of a channel, so that a month of it is one row and two buffers. As a row
# per day asyncpg would make five objects for each, which took two thirds of the time. What is left
# is mostly `array_send`, which calls a function for every value; NULLs are left to the reader.
_CHANNELS = """
SELECT meter_id, flow, minutes, array_agg(day ORDER BY day) AS days,
       string_agg(quality, '' ORDER BY day) AS quality,
       string_agg(array_send(values), ''::bytea ORDER BY day) AS sent
  FROM channel_day
 WHERE tenant_id = $1 AND meter_id = ANY ($2::uuid[]) AND flow = ANY ($3::text[])
   AND day >= $4 AND day < $5
 GROUP BY meter_id, flow, minutes
"""


class StoredRows(NamedTuple):
    """What is stored of some meters' channels: in the database, and in the archive alone."""

    rows: Sequence[Any]
    archived: Sequence[ArchivedChannel]


async def fetch_rows(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meters: Sequence[Meter],
    flows: Sequence[Flow],
    window: Period,
) -> StoredRows:
    """What is stored of these meters' channels; `series_of` makes their series of it."""
    ids = [meter.meter_id for meter in meters]
    rows = await read.raw.fetch(
        _CHANNELS, tenant_id, ids, list(flows), window.start_on, window.end_on
    )
    return StoredRows(rows, await archive.fetch_channels(read, tenant_id, ids, flows, window))


def series_of(
    found: StoredRows, meters: Sequence[Meter], flows: Sequence[Flow], window: Period
) -> Iterator[ChannelSeries]:
    """The newest series of every channel of these flows, meter by meter; for a thread."""
    parts: defaultdict[tuple[UUID, str, int], list[StoredChannel]] = defaultdict(list)
    for row in found.rows:
        parts[row["meter_id"], row["flow"], row["minutes"]].append(_stored(row))
    for part in found.archived:
        parts[part.meter_id, part.flow, part.minutes].append(part.stored)
    for meter in meters:
        for channel in chosen(meter, flows):
            stored = parts.pop((meter.meter_id, channel.flow, channel.minutes), ())
            yield whole_series(meter, channel, window, merged(stored))


def _stored(row: Any) -> StoredChannel:
    values, lengths = copy.joined_int4_arrays(row["sent"])
    return StoredChannel(row["days"], values, lengths, row["quality"].encode())


async def fetch_series_known_at(
    read: ReadConnection,
    archive: Archive,
    tenant_id: str,
    meter: Meter,
    channel: Channel,
    window: Period,
    known_at: datetime,
) -> ChannelSeries:
    """A channel's series, rebuilt of the blocks that were recorded up to `known_at`."""
    days = await fetch_days_known_at(
        read, archive, tenant_id, meter, channel, (window.start_on, window.end_on), known_at
    )
    stored = StoredChannel(
        list(days),
        np.concatenate([np.empty(0, np.int32), *(values for values, _ in days.values())]),
        [values.size for values, _ in days.values()],
        b"".join(quality.tobytes() for _, quality in days.values()),
    )
    return whole_series(meter, channel, window, stored)
