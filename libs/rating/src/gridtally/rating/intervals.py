"""Intervals: flows that a meter measures in different ones, brought to one that rating takes.

Energy is only ever added up to longer intervals, never spread over shorter ones. What was received
stays in the evidence as it came.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from math import lcm

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.usage import MISSING, Flow, Series, Usage, slots_in


def usage_of(
    zone: str,
    period: Period,
    minutes: Mapping[Flow, int],
    series: Mapping[Flow, NDArray[np.int32]],
    *,
    flows_without_channel: Iterable[Flow],
    connected_kw: Decimal | None = None,
) -> Usage:
    """The series as rating takes them.

    A flow without a channel is one that the meter does not measure: it has no energy, unless it is
    in `series` after all. Name no reactive flow: where it is not measured, nothing is known of it.
    ValueError where the series do not fill the period.
    """
    common, metered = in_common_interval(minutes, series)
    unmetered = dict.fromkeys(flows_without_channel, _no_energy(slots_in(zone, period, common)))
    return Usage(zone, period, common, unmetered | metered, connected_kw)


@lru_cache(maxsize=256)
def _no_energy(slots: int) -> NDArray[np.int32]:
    """So many intervals without energy; not to be written to."""
    zeros = np.zeros(slots, np.int32)
    zeros.flags.writeable = False
    return zeros


def in_common_interval(
    minutes: Mapping[Flow, int], series: Mapping[Flow, NDArray[np.int32]]
) -> tuple[int, dict[Flow, Series]]:
    """The shortest interval that all flows' intervals add up to, and each flow's series in it.

    `series` (at least one) in Wh from local midnight to local midnight, `minutes` the interval of
    each. That is the longest interval of the flows, but where it is no multiple of the others: 10
    and 15 minutes meet at 30. It divides every local day that each flow's own interval divides.
    Where any part of an interval is missing, the whole of it is.
    """
    common = lcm(*(minutes[flow] for flow in series))
    return common, {
        flow: _added_up(values, common // minutes[flow]) for flow, values in series.items()
    }


def _added_up(values: NDArray[np.int32], parts: int) -> Series:
    """The sums of so many consecutive intervals each, `MISSING` where one of them is.

    The view of `values` has a row per longer interval and a column per part of it. Sums are taken
    in eight bytes, since twelve intervals of five minutes may not fit into four; what is summed
    over `MISSING` is never used.
    """
    if parts == 1:
        return values
    grouped = values.reshape(-1, parts)
    complete = (grouped != MISSING).all(axis=1)
    return np.where(complete, grouped.sum(axis=1, dtype=np.int64), MISSING)
