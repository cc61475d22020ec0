"""What a block must be like to be stored: the refusals of ING-4, each with a code and a reason.

`check_channel` and `check_times` look at everything but the values, `check_values` at the values of
a whole batch.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from ingest.domain.days import OLDEST_AT, OffGrid, Piece, split
from ingest.domain.meters import DERIVED, Channel, Flow, Meter

UNIT = "Wh"
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a gateway's clock may be ahead of ours."""
ABSENT = np.iinfo(np.int64).min
"""Stands for a missing value until the values are checked."""
Values = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a block was refused: `reason` is for programs, `detail` for people."""

    reason: str
    detail: str


class Block(NamedTuple):
    """Consecutive interval readings as they came, before any check.

    There is a value for each interval of `minutes`, at least one; None is missing. A tuple, since
    every message needs one.
    """

    meter_id: UUID
    flow: Flow
    start_at: datetime
    minutes: int
    unit: str
    values: Sequence[int | None]
    quality: str
    source: str
    read_at: datetime | None


def check_channel(meter: Meter, flow: str, minutes: int, unit: str) -> Channel | Refusal:
    """The channel that blocks of that kind belong to, or why none can be stored."""
    if meter.type == DERIVED:
        return Refusal("derived_meter", "this meter is computed from others")
    channel = meter.channel(flow)
    if channel is None:
        return Refusal("wrong_flow", f"this meter does not measure {flow}")
    if unit != UNIT:
        return Refusal("wrong_unit", f"the unit is {unit}, not {UNIT}")
    if minutes != channel.minutes:
        return Refusal(
            "wrong_resolution",
            f"this channel has intervals of {channel.minutes} min, not {minutes}",
        )
    return channel


def check_times(
    block: Block, zone: str, read_at: datetime, latest_at: datetime
) -> tuple[Piece, ...] | Refusal:
    """The block's pieces by local day, or why it cannot be stored; its values are not looked at.

    What lies after `latest_at` has not passed yet.
    """
    start_at = block.start_at
    if start_at < OLDEST_AT:
        return Refusal("too_old", f"no reading lies before {OLDEST_AT.date()}")
    if start_at > latest_at or read_at > latest_at:
        late_at = start_at if start_at > latest_at else read_at
        return Refusal("future", f"{late_at.isoformat()} has not passed yet")
    count = len(block.values)
    try:
        span = split(zone, block.minutes, start_at, count)
    except OffGrid as off:
        return Refusal("misaligned", str(off))
    if span.end_at > latest_at:
        return Refusal("future", f"{count} intervals later it has not passed yet")
    return span.pieces


def flatten(blocks: Iterable[Sequence[int | None]]) -> Values:
    """All values one after another; None as ABSENT, what 64 bits cannot hold at their edge."""
    flat = list(chain.from_iterable(blocks))
    try:
        packed = np.frombuffer(struct.pack(f"{len(flat)}q", *flat), np.int64)
    except struct.error:  # a None, or more than 64 bits hold
        top = np.iinfo(np.int64).max
        held = [ABSENT if v is None else max(-top, min(top, v)) for v in flat]
        return np.array(held, dtype=np.int64)
    return np.maximum(packed, ABSENT + 1)


def check_values(
    values: Values, counts: npt.NDArray[np.int64], highest_wh: npt.NDArray[np.int64]
) -> dict[int, Refusal]:
    """The refused blocks by their number; `counts` (≥ 1) and `highest_wh` are per block."""
    if not counts.size:
        return {}
    begins = np.cumsum(counts) - counts
    least = np.minimum.reduceat(np.where(values == ABSENT, 0, values), begins)
    most = np.maximum.reduceat(values, begins)
    refused = {
        int(n): Refusal("negative", f"{least[n]} Wh is negative") for n in np.flatnonzero(least < 0)
    }
    for n in np.flatnonzero(most > highest_wh):
        detail = f"{most[n]} Wh is more than this channel's {highest_wh[n]} Wh"
        refused.setdefault(int(n), Refusal("over_maximum", detail))
    return refused
