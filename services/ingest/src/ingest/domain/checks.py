"""What a block must be like to be stored: the refusals of ING-4, each with a code and a reason.

`check_block` looks at everything but the values, `check_values` at the values of a whole batch.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ingest.domain.days import OLDEST_AT, OffGrid, Piece, split
from ingest.domain.meters import DERIVED, Channel, Meter

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


class Block(Protocol):
    """Consecutive interval readings as they came, before any check."""

    @property
    def flow(self) -> str:
        """What was measured."""

    @property
    def start_at(self) -> datetime:
        """When the first interval begins."""

    @property
    def minutes(self) -> int:
        """How long each interval is."""

    @property
    def unit(self) -> str:
        """What the values are in."""

    @property
    def values(self) -> Sequence[int | None]:
        """One per interval, at least one; None is missing."""


class Fit(NamedTuple):
    """Where a block belongs: its meter, its channel, and its pieces by local day."""

    meter: Meter
    channel: Channel
    pieces: tuple[Piece, ...]


def check_block(
    block: Block, meter: Meter, *, read_at: datetime, latest_at: datetime
) -> Fit | Refusal:
    """Where the block belongs, or why it cannot be stored; its values are not looked at.

    What lies after `latest_at` has not passed yet.
    """
    if meter.type == DERIVED:
        return Refusal("derived_meter", "this meter is computed from others")
    channel = meter.channel(block.flow)
    if channel is None:
        return Refusal("wrong_flow", f"this meter does not measure {block.flow}")
    if block.unit != UNIT:
        return Refusal("wrong_unit", f"the unit is {block.unit}, not {UNIT}")
    minutes, start_at = block.minutes, block.start_at
    if minutes != channel.minutes:
        return Refusal(
            "wrong_resolution",
            f"this channel has intervals of {channel.minutes} min, not {minutes}",
        )
    if start_at < OLDEST_AT:
        return Refusal("too_old", f"no reading lies before {OLDEST_AT.date()}")
    if start_at > latest_at or read_at > latest_at:
        late_at = start_at if start_at > latest_at else read_at
        return Refusal("future", f"{late_at.isoformat()} has not passed yet")
    count = len(block.values)
    try:
        span = split(meter.zone, minutes, start_at, count)
    except OffGrid as off:
        return Refusal("misaligned", str(off))
    if span.end_at > latest_at:
        return Refusal("future", f"{count} intervals later it has not passed yet")
    return Fit(meter, channel, span.pieces)


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
