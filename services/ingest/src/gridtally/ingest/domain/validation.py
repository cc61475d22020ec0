"""What a block must be like to be stored: the refusals of ING-4, each with a reason and a detail.

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

from gridtally.ingest.domain.local_days import OLDEST_AT, Misaligned, Piece, cut_at_midnights
from gridtally.ingest.domain.meters import Channel, Flow, Meter

CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a gateway's clock may be ahead of ours."""
ABSENT = np.iinfo(np.int64).min
"""Stands for a missing value until the values are checked."""
Values = npt.NDArray[np.int64]
_NOT_PASSED = "has not passed yet: check the sender's clock and its offset from UTC"
_OTHER_FLOW = (
    "no flow goes below nothing; what flows the other way is a flow of its own (export beside "
    "import, generation beside load)"
)


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

    @property
    def end_at(self) -> datetime:
        """When its last interval ends."""
        return self.start_at + timedelta(minutes=self.minutes * len(self.values))


def check_channel(meter: Meter, flow: str, minutes: int, unit: str) -> Channel | Refusal:
    """The channel that blocks of this flow, length and unit belong to, or why none is stored."""
    if meter.is_derived:
        return Refusal(
            "derived_meter", "this meter is computed from others: send the readings of those"
        )
    channel = meter.channel(flow)
    if channel is None:
        flows = ", ".join(channel.flow for channel in meter.channels) or "no flow in intervals"
        return Refusal(
            "wrong_flow",
            f"this meter does not measure {flow}, but {flows}: add a channel to the meter",
        )
    if unit != channel.unit:
        return Refusal(
            "wrong_unit",
            f"the unit is {unit}, and {flow} is in {channel.unit}: send whole {channel.unit} "
            f"(1.5 k{channel.unit} is 1500)",
        )
    if minutes != channel.minutes:
        return Refusal(
            "wrong_resolution",
            f"the channel for {flow} has intervals of {channel.minutes} min, not {minutes}: send "
            "those, or change the meter's channel",
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
        return Refusal("future", f"{late_at.isoformat()} {_NOT_PASSED}")
    count = len(block.values)
    try:
        cut = cut_at_midnights(zone, block.minutes, start_at, count)
    except Misaligned as misaligned:
        return Refusal("misaligned", str(misaligned))
    if cut.end_at > latest_at:
        return Refusal(
            "future", f"{cut.end_at.isoformat()}, when its last interval ends, {_NOT_PASSED}"
        )
    return cut.pieces


def check_channel_time(channel: Channel, pieces: Sequence[Piece]) -> Refusal | None:
    """Why a block is refused that lies wholly before its channel begins, or after it has ended."""
    last = pieces[-1]
    end_at = last.start_at + timedelta(minutes=last.count * channel.minutes)
    if channel.start_at is not None and end_at <= channel.start_at:
        when = f"from {channel.start_at.isoformat()} on, and the block ends at {end_at.isoformat()}"
    elif channel.end_at is not None and pieces[0].start_at >= channel.end_at:
        start_at = pieces[0].start_at.isoformat()
        when = f"until {channel.end_at.isoformat()}, and the block begins at {start_at}"
    else:
        return None
    return Refusal(
        "outside_channel",
        f"this meter measures {channel.flow} {when}: correct the channel's time in the registry, "
        "and replay the block",
    )


def flatten(blocks: Iterable[Sequence[int | None]]) -> Values:
    """All values one after another; None as ABSENT, what 64 bits cannot hold as their limits.

    Packed by `struct` in C, since almost every batch is whole numbers of 64 bits; only where one is
    not does a loop look at each value.
    """
    flat = list(chain.from_iterable(blocks))
    try:
        packed = np.frombuffer(struct.pack(f"{len(flat)}q", *flat), np.int64)
    except struct.error:  # a None, or more than 64 bits hold
        top = np.iinfo(np.int64).max
        limited = [ABSENT if value is None else max(-top, min(top, value)) for value in flat]
        return np.array(limited, dtype=np.int64)
    return np.maximum(packed, ABSENT + 1)


def check_values(
    values: Values, counts: npt.NDArray[np.int64], highest_wh: npt.NDArray[np.int64]
) -> dict[int, Refusal]:
    """The refused blocks by their index; `counts` (≥ 1) and `highest_wh` are per block.

    `values` holds those of all blocks one after another, so that one `reduceat` finds the least and
    the greatest of every block.
    """
    if not counts.size:
        return {}
    begins = np.cumsum(counts) - counts
    least = np.minimum.reduceat(np.where(values == ABSENT, 0, values), begins)
    most = np.maximum.reduceat(values, begins)
    refused = {
        int(index): Refusal("negative", f"{least[index]} Wh is negative: {_OTHER_FLOW}")
        for index in np.flatnonzero(least < 0)
    }
    for index in np.flatnonzero(most > highest_wh):
        detail = (
            f"{most[index]} Wh is more than this channel's {highest_wh[index]} Wh in an interval: "
            "check the unit, or raise interval_wh_max of the meter's channel and replay the block"
        )
        refused.setdefault(int(index), Refusal("over_maximum", detail))
    return refused
