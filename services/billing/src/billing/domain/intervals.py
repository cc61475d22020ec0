"""Intervals: flows that a meter measures in different ones, brought to one that rating takes.

Energy is only ever added up to longer intervals, never spread over shorter ones. What was received
stays in the evidence as it came.
"""

from collections.abc import Mapping
from math import lcm

import numpy as np
from numpy.typing import NDArray

from rating.usage import MISSING, Flow, Series


def in_one_interval(
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
    """The sums of so many intervals each."""
    if parts == 1:
        return values
    grouped = values.reshape(-1, parts)
    complete = (grouped != MISSING).all(axis=1)
    return np.where(complete, grouped.sum(axis=1, dtype=np.int64), MISSING)
