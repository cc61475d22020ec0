"""What a block must be like to be stored: the refusals of ING-4, each with a code and a reason.

`check_block` looks at everything but the values, `check_values` at the values of a whole batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive interval readings as they came, before any check.

    `meter` None is not known yet; `quality` is the letter's code.
    """

    tenant_id: str
    meter: Meter | None
    flow: str
    start_at: datetime
    minutes: int
    unit: str
    values: Sequence[int | None]
    quality: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a block belongs: its meter, its channel, and its pieces by local day."""

    meter: Meter
    channel: Channel
    pieces: tuple[Piece, ...]


def check_block(block: Block, meter: Meter, now: datetime) -> Fit | Refusal:
    """Where the block belongs, or why it cannot be stored; its values are not looked at."""
    if meter.type == DERIVED:
        return Refusal("derived_meter", "this meter is computed from others")
    channel = meter.channel(block.flow)
    if channel is None:
        return Refusal("wrong_flow", f"this meter does not measure {block.flow}")
    if block.unit != UNIT:
        return Refusal("wrong_unit", f"the unit is {block.unit}, not {UNIT}")
    if block.minutes != channel.minutes:
        return Refusal(
            "wrong_resolution",
            f"this channel has intervals of {channel.minutes} min, not {block.minutes}",
        )
    if block.start_at < OLDEST_AT:
        return Refusal("too_old", f"no reading lies before {OLDEST_AT.date()}")
    count, latest_at = len(block.values), now + CLOCK_SKEW_MAX
    for at in (block.start_at, block.read_at):
        if at > latest_at:
            return Refusal("future", f"{at.isoformat()} has not passed yet")
    if block.start_at + timedelta(minutes=count * block.minutes) > latest_at:
        return Refusal("future", f"{count} intervals later it has not passed yet")
    try:
        return Fit(meter, channel, split(meter.zone, block.minutes, block.start_at, count))
    except OffGrid as off:
        return Refusal("misaligned", str(off))


def flatten(blocks: Iterable[Sequence[int | None]]) -> Values:
    """All values one after another; None as ABSENT, what 64 bits cannot hold at their edge."""
    flat = [value for values in blocks for value in values]
    try:
        return np.array(flat, dtype=np.int64)
    except (TypeError, OverflowError):
        top = np.iinfo(np.int64).max
        held = [ABSENT if v is None else max(-top, min(top, v)) for v in flat]
        return np.array(held, dtype=np.int64)


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
